"""No struct, union or enum tag is defined twice in the tree: one name means one thing."""

import subprocess

import sources

FOLDERS = ("format", "preload", "analyzer", "bench", "tests")


def check(root):
    """All faults, as lines of text."""
    files = sources.tracked(root, FOLDERS, sources.C)
    command = ["ctags", "-x", "--c-kinds=sgu", "--c++-kinds=sguc", "--_xformat=%N %F:%n %C", "-L", "-"]
    out = subprocess.run(command, cwd=root, input="\n".join(files), check=True, capture_output=True, text=True).stdout
    places = {}
    for line in out.splitlines():
        tag, place, text = line.split(" ", 2)
        if not tag.startswith("__anon") and f"{tag}<" not in text:  # a specialization of a C++ template is no second meaning
            places.setdefault(tag, []).append(place)
    return [f"{first}: {tag} is defined at {', '.join(more)}, too" for tag, (first, *more) in sorted(places.items()) if more]
