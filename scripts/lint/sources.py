"""The files that the checks read."""

import subprocess

C = (".c", ".h", ".cpp", ".hpp")


def tracked(root, folders, suffixes):
    """Files below some folders that git tracks or would track, with one of the suffixes, sorted;
    relative to root."""
    out = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *folders], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    return sorted({name for name in out.splitlines() if name.endswith(suffixes) and (root / name).is_file()})
