#!/usr/bin/python3
"""Finds the links of documents that lead nowhere.

usage: links.py FOLDER      exit status 1 if there are any in the FOLDER's *.md
"""

import pathlib
import sys

import markdown


def broken(path):
    """The links of a document that lead nowhere, each with the reason."""
    found = []
    for target in markdown.links(path.read_text()):
        name, _, anchor = target.partition("#")
        if "://" in name or name.startswith("mailto:"):
            continue
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            found.append(f"{target}: there is no such file")
        elif anchor and (file.suffix != ".md" or anchor not in markdown.anchors(file.read_text())):
            found.append(f"{target}: there is no such heading")
    return found


def main(folder):
    found = [f"{path}: {link}" for path in sorted(pathlib.Path(folder).rglob("*.md")) for link in broken(path)]
    print("".join(line + "\n" for line in found), end="")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main(sys.argv[1])
