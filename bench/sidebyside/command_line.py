"""The options that bench/run overhead and bench/run native share, progress and error messages."""

import argparse
import pathlib
import sys

from . import results

BENCH = pathlib.Path(__file__).resolve().parents[1]


class Parser(argparse.ArgumentParser):
    def error(self, message):
        """Print one line; argparse would print the usage as well."""
        self.exit(2, f"{self.prog}: {message}\n")


def names_from(known):
    """A converter for a comma-separated list of the names of some of `known`."""

    def convert(text):
        by_name = {one.name: one for one in known}
        for name in text.split(","):
            if name not in by_name:
                raise argparse.ArgumentTypeError(f"'{name}' is not one of {', '.join(by_name)}")
        return [by_name[name] for name in dict.fromkeys(text.split(","))]

    return convert


def whole_number(lowest):
    def convert(text):
        if not text.isdecimal() or int(text) < lowest:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {lowest} on")
        return int(text)

    return convert


def parser(name, description, workloads, peers, rounds):
    """A parser with the common options; rounds is the default number of them."""
    made = Parser(prog=f"run {name}", description=description, allow_abbrev=False)
    add = made.add_argument
    left_out = ", ".join(one.name for one in workloads if one.asked_for)
    add(
        "--workloads",
        type=names_from(workloads),
        metavar="NAMES",
        help=f"some of {', '.join(one.name for one in workloads)}; default: all{left_out and ' except ' + left_out}",
    )
    names = ", ".join(one.name for one in peers)
    add("--peers", type=names_from(peers), metavar="NAMES", help=f"some of {names}; default: all")
    add("--without-vbtrace", action="store_true", help="only the other tools")
    add("--without-peers", action="store_true", help="only vbtrace")
    add("--rounds", type=whole_number(1), metavar="N", help=f"default: {rounds}")
    add("--quick", action="store_true", help="a tenth of every size, and 2 rounds: for trying it out, not for quoting")
    add("--seed", type=whole_number(0), default=1, help="of the workloads' random numbers; default: 1")
    build = BENCH.parent / "build"
    add("--library", type=pathlib.Path, default=build / "preload" / "libvbtrace.so", metavar="PATH", help="libvbtrace.so")
    add("--tool", type=pathlib.Path, default=build / "analyzer" / "vbtrace", metavar="PATH", help="the vbtrace program")
    out = BENCH / "results" / f"{name}.json"
    add("--out", type=pathlib.Path, default=out, metavar="FILE", help="default: %(default)s")
    return made


def options_from(parser, arguments, workloads, peers, rounds):
    """The options, completed and checked; an error is printed in one line and ends the program."""
    options = parser.parse_args(arguments)
    options.workloads = options.workloads or [one for one in workloads if not one.asked_for]
    options.peers = [] if options.without_peers else peers if options.peers is None else options.peers
    options.rounds = options.rounds or (2 if options.quick else rounds)
    if not options.without_vbtrace:
        for name, path in (("--library", options.library), ("--tool", options.tool)):
            if not path.is_file():
                parser.error(f"{name}: no file {path}; build vbtrace first, or name it with this option")
    try:
        results.prepare(options.out)
    except OSError as error:
        parser.error(f"--out: cannot write {error.filename}: {error.strerror}")
    return options


def progress(text):
    """Rewrite the progress line, if stderr is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
