"""bench/run real: what tracing costs in real applications, beside other tools.

Programs of bench/real, made of Debian's packages, run untraced, under vbtrace (by default, and with
VBTRACE_NATIVE=full) and under other profilers in turn. Processor time is that of the whole process,
imports, children and helpers included. What a traced run prints must be what the untraced one does.
"""

import pathlib
import tempfile

from sidebyside import application_runs, application_tables, applications, compare, machine, measure
from sidebyside.command_line import names_from
from sidebyside.results import Results, in_repository
from sidebyside.tools import Tool

from . import native, subcommand
from .subcommand import Failed

OUT = subcommand.BENCH / "results" / "real.json"
ROUNDS, QUICK_ROUNDS = 5, 1
PYTHON = "/usr/bin/python3"
DEFAULT, FULL = "vbtrace", "vbtrace-full"
AGAINST = {DEFAULT: "against", FULL: "against-full"}


class Named:
    """A tool by its name, for --tools."""

    def __init__(self, name):
        self.name = name


NAMES = [Named(name) for name in (DEFAULT, FULL)] + application_runs.BESIDE + application_runs.ON_THEIR_OWN


def parse(arguments):
    made = subcommand.parser("real", "Measure what tracing costs in real applications, beside other tools.", OUT)
    add = made.add_argument
    add("--rows", type=names_from(applications.ALL), metavar="NAMES", help=f"some of {', '.join(one.name for one in applications.ALL)}; default: all")
    add("--tools", type=names_from(NAMES), metavar="NAMES", help=f"some of {', '.join(one.name for one in NAMES)}; default: all, or ours with --against")
    add("--rounds", type=subcommand.whole_number(1), metavar="N", help=f"default: {ROUNDS}")
    add("--against", type=pathlib.Path, metavar="PATH", help="another libvbtrace.so, to compare with")
    add("--python", default=PYTHON, metavar="PATH", help="default: %(default)s")
    add("--make-peers", type=pathlib.Path, metavar="DIR", help=f"make a virtual environment with {', '.join(application_runs.PYPI)}, and end")
    add("--peers", type=pathlib.Path, metavar="DIR", help="that environment; without it they are left out")
    add("--verify", type=subcommand.whole_number(1), metavar="N", help="compare every Nth captured stack with a whole walk instead; fails if any differs")
    options = subcommand.options_from(made, arguments)
    if options.against is not None and not options.against.is_file():
        made.error(f"--against: no file {options.against}")
    if options.peers is not None and not (options.peers / "bin" / "python").exists():
        made.error(f"--peers: no bin/python in {options.peers}; bench/run real --make-peers {options.peers} makes it")
    options.seed = 0  # the applications have their own
    return options


def sides_of(options):
    """The tools on Debian's interpreter, and those on the peers' own; each begins with none."""
    if options.verify:
        return [Tool(), application_runs.VbtraceOfAll(DEFAULT, options.library, options.tool, native="full", verify=options.verify)], []
    known = {DEFAULT: {}, FULL: {"native": "full"}}
    chosen = [one.name for one in options.tools or NAMES]
    if options.against and not options.tools:
        chosen = list(known)
    ours = [Tool()]
    for name, variables in known.items():
        if name in chosen:
            ours.append(application_runs.VbtraceOfAll(name, options.library, options.tool, **variables))
            if options.against:
                ours.append(application_runs.VbtraceOfAll(AGAINST[name], options.against.resolve(), options.tool, **variables))
    ours += [tool for tool in application_runs.BESIDE if tool.name in chosen]
    theirs = [tool for tool in application_runs.ON_THEIR_OWN if tool.name in chosen and options.peers]
    return ours, [Tool(), *theirs] if theirs else []


def groups_of(options, launcher):
    """The groups of sides to compare, and the interpreters."""
    ours, theirs = sides_of(options)
    pythons = [machine.probe(options.python, launcher.environment)]
    if theirs:
        pythons.append(machine.probe(str(options.peers.absolute() / "bin" / "python"), launcher.environment))
    groups = []
    for application in options.rows or applications.ALL:
        for python, sides in zip(pythons, (ours, theirs)):
            groups.append([application_runs.ApplicationSide(application, python, tool, options) for tool in sides])
    return groups, pythons


def finish(rows, options, manifest, results):
    """Keep and print everything; end the program."""
    more, lines, wrong = {"means": application_tables.means(rows)}, list(application_tables.lines(rows)), False
    if options.verify:
        more, lines, wrong = native.verified(rows, None)
        lines += [f"{row['workload']}, {row['tool']}: {row['reason']}" for row in rows if row["status"] == "failed"]
    elif options.against:
        lines += compared(more["means"])
    results.finish(rows, **more)
    print("\n".join(lines))
    own = {"untraced", DEFAULT, FULL, *AGAINST.values()}
    bad = [f"{row['workload']}, {row['tool']}" for row in rows if row["status"] == "failed" and row["tool"] in own]
    left_out = {} if options.peers or options.verify else {", ".join(application_runs.PYPI): "--make-peers and --peers run them, too"}
    if wrong:
        bad.append("some stacks differ, or none was compared")
    print()
    subcommand.end(left_out, bad, manifest, f"{manifest['rounds']} rounds on {manifest['cpu']}; every measurement is in {options.out}")


def compared(means):
    """Lines that say how the other library does."""
    for name, other in AGAINST.items():
        if name in means and other in means:
            ratio = means[name]["cpu_ratio"] / means[other]["cpu_ratio"]
            yield f"{name} takes {ratio:.3f} times the CPU of {other}, {means[name]['rss_ratio'] / means[other]['rss_ratio']:.3f} times the resident set"


def main(arguments):
    options = parse(arguments)
    if options.make_peers:
        absent = application_runs.make_peers(options.python, options.make_peers)
        for name, why in absent.items():
            print(f"{name}: not installed: {why}")
        print(f"made {options.make_peers}, for --peers")
        return
    rounds = 1 if options.verify else options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    libraries = {"library": in_repository(options.library), **({"against": in_repository(options.against)} if options.against else {})}
    results = None
    with tempfile.TemporaryDirectory(prefix="vbtrace-real-") as directory:
        try:
            launcher = measure.Launcher(directory)
            groups, pythons = groups_of(options, launcher)
            manifest = machine.manifest(pythons, {"rounds": rounds, "quick": options.quick, **libraries})
            results = Results(options.out, manifest)
            application_runs.prepare(groups, launcher)
            compare.run_all(groups, rounds, launcher, results.after_round)
            rows = compare.rows_of(groups)
        except KeyboardInterrupt:
            raise Failed((results and results.stopped()) or "stopped") from None
    finish(rows, options, manifest, results)
