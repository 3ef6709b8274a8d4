"""A folder uses only folders below it.

The order is the list between ```floors and ``` in docs/ARCHITECTURE.md, from the top down: one
floor a line, a folder with a trailing slash or a file without its ending. An inner folder belongs
to the floor of the folder that it is in. A line with "(both sides)" names what the other side may
use, too.
"""

import json
import os
import pathlib
import re
import shlex
import subprocess

import sources

DOCUMENT = "docs/ARCHITECTURE.md"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
OURS = re.compile(r"vbt_\w+$")  # other names are those of the C library, which the hooks define too


class Floors:
    """The floors of each side, numbered from the top."""

    def __init__(self, text):
        block = re.search(r"^```floors\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        if block is None:
            raise ValueError(f"{DOCUMENT}: no list of floors (```floors) in it")
        self.names = [line.split()[0] for line in block[1].splitlines() if line.strip()]
        self.shared = {line.split()[0] for line in block[1].splitlines() if "(both sides)" in line}

    def of(self, path):
        """The number of the floor that a file is on; None if the list has none for it."""
        for number, name in enumerate(self.names):
            if path.startswith(name) if name.endswith("/") else re.fullmatch(re.escape(name) + r"\.[ch]", path):
                return number
        return None

    def may_use(self, user, used):
        """May a file use another one? Both are on floors of the list."""
        a, b = self.of(user), self.of(used)
        if user.split("/")[0] == used.split("/")[0]:
            return a <= b
        return self.names[b] in self.shared and not user.startswith("format/")


def of_includes(root, files, floors):
    """A fault for each include of a header on a higher floor, or of the other side."""
    faults = []
    for name in files:
        for match in INCLUDE.finditer((root / name).read_text()):
            included = match[1] if "/" in match[1] else str(pathlib.PurePosixPath(name).parent / match[1])
            if floors.of(included) is not None and not floors.may_use(name, included):
                line = (root / name).read_text().count("\n", 0, match.start(1)) + 1
                faults.append(f"{name}:{line}: includes {included}, which is above it in {DOCUMENT}")
    return faults


def symbols_of(root, build, files):
    """What each source's object defines and asks for: two dictionaries of sets of names, by
    source."""
    defined, asked = {}, {}
    objects = {}  # those that the build makes now; older ones may lie about
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = os.path.relpath(entry["file"], root)
        if source in files and source not in objects.values():
            words = shlex.split(entry["command"])
            objects[str(pathlib.Path(entry["directory"], words[words.index("-o") + 1]))] = source
    out = subprocess.run(["nm", "-A", "-P", *objects], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        where, _, rest = line.rpartition(": ")
        name, kind = rest.split()[:2]
        if OURS.match(name):
            (asked if kind == "U" else defined).setdefault(objects[where], set()).add(name)
    missing = {f for f in files if f.endswith(".c")} - set(objects.values())
    if missing:
        raise ValueError(f"{build}: no object of {', '.join(sorted(missing))} in it; build all of it first")
    return defined, asked


def of_symbols(root, build, files, floors):
    """A fault for each function or variable that a file asks for and a file of a higher floor
    defines."""
    defined, asked = symbols_of(root, build, files)
    where = {}  # by side, since the two are programs of their own
    for source, names in defined.items():
        for name in names:
            where[source.split("/")[0], name] = source
    faults = []
    for source in sorted(asked):
        for name in sorted(asked[source]):
            definer = where.get((source.split("/")[0], name))
            if definer is not None and not floors.may_use(source, definer):
                faults.append(f"{source}: uses {name} of {definer}, which is above it in {DOCUMENT}")
    return faults


def check(root, build):
    """All faults, as lines of text; build: a folder in which the tree has been built."""
    floors = Floors((root / DOCUMENT).read_text())
    sides = sorted({name.split("/")[0] for name in floors.names})
    files = sources.tracked(root, sides, (".c", ".h"))
    homeless = [f"{name}: on no floor of the list in {DOCUMENT}" for name in files if floors.of(name) is None]
    if homeless:
        return homeless
    empty = [
        f"{DOCUMENT}: {name}: no file is on that floor" for i, name in enumerate(floors.names) if i not in map(floors.of, files)
    ]
    return empty + of_includes(root, files, floors) + of_symbols(root, build, files, floors)
