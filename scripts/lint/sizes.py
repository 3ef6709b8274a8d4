"""Files, functions and folders are of a size that one can see at once.

What may be larger, and why, stands in docs/CONTRIBUTING.md between ```sizes and ```: a line an
exception, with the file, or FILE:FUNCTION, or the folder, first.
"""

import collections
import pathlib
import re
import subprocess

import sources

FILE_LINES, FUNCTION_LINES, FOLDER_FILES = 500, 60, 25
FOLDERS = ("format", "preload", "analyzer", "python", "scripts", "bench", "tests")
DOCUMENT = "docs/CONTRIBUTING.md"


def exceptions(root):
    """What the document lists: names of files, folders and FILE:FUNCTION."""
    path = root / DOCUMENT
    block = re.search(r"^```sizes\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL) if path.exists() else None
    return {line.split()[0] for line in block[1].splitlines() if line.strip()} if block else set()


def functions(root, files):
    """(file, function, lines) of each function."""
    command = ["ctags", "-x", "--c-kinds=f", "--c++-kinds=f", "--python-kinds=fm", "--_xformat=%F\t%N\t%n\t%e", "-L", "-"]
    out = subprocess.run(command, cwd=root, input="\n".join(files), check=True, capture_output=True, text=True).stdout
    for row in out.splitlines():
        name, function, start, end = row.split("\t")
        if end.isdigit():
            yield name, function, int(end) - int(start) + 1


def check(root):
    """All faults, as lines of text."""
    allowed = exceptions(root)
    used = set()
    faults = []

    def note(name, size, most, what):
        if size > most and name in allowed:
            used.add(name)
        elif size > most:
            faults.append(f"{name}: {size} {what}, more than {most}; exceptions stand in {DOCUMENT}")

    files = sources.tracked(root, FOLDERS, (*sources.C, ".py", ".js", ".css"))
    for name in files:
        note(name, (root / name).read_text().count("\n"), FILE_LINES, "lines")
    for folder, count in sorted(collections.Counter(str(pathlib.PurePosixPath(name).parent) for name in files).items()):
        note(f"{folder}/", count, FOLDER_FILES, "source files")
    for name, function, lines in functions(root, [f for f in files if f.endswith((*sources.C, ".py"))]):
        note(f"{name}:{function}", lines, FUNCTION_LINES, "lines")
    return faults + [f"{DOCUMENT}: {name} is no exception any more" for name in sorted(allowed - used)]
