"""The options that the subcommands of bench/run share, and their checks."""

import pathlib
import sys

from sidebyside import machine
from sidebyside.command_line import BENCH, Parser, whole_number
from sidebyside.measure import Failed
from sidebyside.results import prepare

__all__ = ["BENCH", "Failed", "end", "options_from", "parser", "whole_number"]

ROOT = BENCH.parent


def parser(name, description, out):
    """A parser with the common options; out is the default place for results."""
    made = Parser(prog=f"run {name}", description=description, allow_abbrev=False)
    add = made.add_argument
    build = ROOT / "build"
    add("--quick", action="store_true", help="small sizes and short times: for trying it out, not for quoting")
    add("--out", type=pathlib.Path, default=out, metavar="PATH", help="where the results go; default: %(default)s")
    add("--library", type=pathlib.Path, default=build / "preload" / "libvbtrace.so", metavar="PATH", help="libvbtrace.so")
    add("--tool", type=pathlib.Path, default=build / "analyzer" / "vbtrace", metavar="PATH", help="the vbtrace program")
    return made


def options_from(made, arguments):
    """The options, checked; an error is printed in one line and ends the program."""
    options = made.parse_args(arguments)
    for name in ("library", "tool"):
        path = getattr(options, name).resolve()
        if not path.is_file():
            made.error(f"--{name}: no file {path}; build vbtrace first, or name it with this option")
        setattr(options, name, path)
    try:
        if options.out.suffix == ".json":
            prepare(options.out)
        else:
            options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        made.error(f"--out: cannot write {error.filename}: {error.strerror}")
    options.out = options.out.resolve()
    return options


def end(absent, wrong, manifest, measured):
    """Print what was skipped ({name: why}), what was not as expected, and what was measured; end
    the program, with status 1 if anything was wrong."""
    for name, why in absent.items():
        print(f"skipped: {name}: {why}")
    for line in wrong:
        print(f"not as expected: {line}")
    if note := machine.busy(manifest):
        print(note)
    print(f"\n{measured}")
    sys.exit(1 if wrong else 0)
