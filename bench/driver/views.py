"""bench/run views: what the views of a trace with millions of call paths take.

A program allocates on each of 2^19 call paths, and the views of its trace are made in turn, by the
tool and by another one to compare with. Processor time is the median over the rounds; memory is the
most that a view ever had.
"""

import json
import pathlib
import statistics
import subprocess
import tempfile

from sidebyside import machine, measure
from sidebyside.results import as_json

from . import subcommand
from .subcommand import Failed

OUT = subcommand.BENCH / "results" / "views.json"
DEPTH, QUICK_DEPTH = 19, 10
ROUNDS, QUICK_ROUNDS = 5, 1
VIEWS = {
    "peak": ["peak"],
    "leaks": ["leaks"],
    "tree": ["tree"],
    "tree --reverse": ["tree", "--reverse"],
    "flamegraph": ["flamegraph", "-o", "graph.svg"],
    "functions": ["functions"],
    "report": ["report"],
}


def record(launcher, options, depth):
    """The trace of the program, with names, and how many nodes it has."""
    program = measure.build("call_paths", measure.WORKLOADS / "call_paths.c", launcher.directory)
    trace = pathlib.Path(launcher.directory) / "paths.vbt"
    variables = {"LD_PRELOAD": options.library, "VBTRACE_QUIET": 1, "VBTRACE_NATIVE": "full", "VBTRACE_OUTPUT": trace}
    launcher.run([program, str(depth)], variables)
    launcher.run([options.tool, "symbolize", trace])
    info = subprocess.run([options.tool, "info", "--format", "json", trace], capture_output=True, text=True, check=True)
    return trace, json.loads(info.stdout)["definitions"]["nodes"]


def row(view, used, nodes):
    """The row of a view; used: the Usages of its rounds, by tool."""
    made = {"view": view}
    for name, usages in used.items():
        memory = max(usage.max_rss_bytes for usage in usages)
        times = [usage.cpu_s for usage in usages]
        made[name] = {"cpu_s": statistics.median(times), "rounds": times, "max_rss_bytes": memory, "bytes_a_node": memory / nodes}
    if "against" in made:
        made["ratio"] = made["vbtrace"]["cpu_s"] / made["against"]["cpu_s"]
    return made


def parse(arguments):
    made = subcommand.parser("views", "Measure the views of a trace with millions of call paths.", OUT)
    made.add_argument("--rounds", type=subcommand.whole_number(1), metavar="N", help=f"default: {ROUNDS}")
    made.add_argument("--against", type=pathlib.Path, metavar="PATH", help="another vbtrace program, to compare with")
    options = subcommand.options_from(made, arguments)
    if options.against is not None and not options.against.is_file():
        made.error(f"--against: no file {options.against}")
    return options


def main(arguments):
    options = parse(arguments)
    depth = QUICK_DEPTH if options.quick else DEPTH
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    tools = {"vbtrace": options.tool}
    if options.against is not None:
        tools["against"] = options.against.resolve()
    with tempfile.TemporaryDirectory(prefix="vbtrace-views-") as directory:
        launcher = measure.Launcher(directory)
        trace, nodes = record(launcher, options, depth)
        if nodes < 2**depth:
            raise Failed(f"expected {2**depth} call paths or more in the trace, found {nodes}")
        manifest = machine.manifest([], {"depth": depth, "rounds": rounds, "nodes": nodes, "trace_bytes": trace.stat().st_size})
        used = {view: {name: [] for name in tools} for view in VIEWS}
        for _ in range(rounds):
            for view, words in VIEWS.items():
                for name, tool in tools.items():
                    used[view][name].append(launcher.run([tool, *words, trace]))
    rows = [row(view, each, nodes) for view, each in used.items()]
    print(f"{nodes:,} call paths\n\n{'view':<16}" + "".join(f"{name:>12}{'MiB':>8}{'B/path':>8}" for name in tools) + f"{'ratio':>8}" * (len(tools) > 1))
    for one in rows:
        cells = (f"{of['cpu_s']:>10.2f} s{of['max_rss_bytes'] / 2**20:>8.0f}{of['bytes_a_node']:>8.0f}" for of in map(one.get, tools))
        print(f"{one['view']:<16}" + "".join(cells) + (f"{one['ratio']:>8.2f}" if "ratio" in one else ""))
    options.out.write_text(as_json({"manifest": manifest, "rows": rows}))
    subcommand.end({}, [], manifest, f"{len(rows)} measurements in {options.out}")
