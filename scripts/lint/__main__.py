"""Checks of the sources that no compiler makes.

usage: python3 scripts/lint CHECK...   in the repository's root; 1 if there is a fault
    layers BUILD   a folder uses only folders below it in the list of docs/ARCHITECTURE.md: in its
                   includes, and in the functions and variables that the objects of BUILD ask for
    tags           no struct, union or enum tag is defined twice
    columns        comments end at column 100
    sizes          files, functions and folders are of a size that one can see at once
"""

import pathlib
import sys

import columns
import layers
import sizes
import tags

CHECKS = {"layers": layers.check, "tags": tags.check, "columns": columns.check, "sizes": sizes.check}


def main(arguments):
    """Runs one check; prints a line for each fault."""
    if not arguments or arguments[0] not in CHECKS or len(arguments) != 1 + (arguments[0] == "layers"):
        sys.exit(__doc__.strip())
    name, *rest = arguments
    root = pathlib.Path.cwd()
    faults = CHECKS[name](root, *map(pathlib.Path, rest))
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main(sys.argv[1:])
