"""bench/run views: what the views of traces with millions of call paths take.

Three programs enter millions of call paths, and allocate on a tenth, half and most of them. The
views of their traces are made in turn, by the tool and by another one to compare with. Processor
time is the median over the rounds; memory is the most that a view ever had.
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
ROUNDS, QUICK_ROUNDS = 5, 1
# The arguments of call_paths.c, and the share of counted paths: BLOCKS / (2 + LONGER + BLOCKS).
TRACES = {"tenth": (19, 7, 1), "half": (20, 0, 2), "most": (18, 0, 18)}
QUICK = 8  # levels less
VIEWS = {
    "peak": ["peak"],
    "leaks": ["leaks"],
    "tree": ["tree"],
    "tree --reverse": ["tree", "--reverse"],
    "flamegraph": ["flamegraph", "-o", "graph.svg"],
    "functions": ["functions"],
    "report": ["report"],
    "peak, JSON": ["peak", "--format", "json", "-o", "view.json"],
    "tree 0.1%, JSON": ["tree", "--min", "0.1%", "--format", "json", "-o", "view.json"],
    "functions, JSON": ["functions", "--format", "json", "-o", "view.json"],
    "report, JSON": ["report", "--format", "json", "-o", "view.json"],
}


def record(launcher, options, program, name, shape):
    """A trace with names, and how many nodes it has and how many of them are counted."""
    trace = pathlib.Path(launcher.directory) / f"{name}.vbt"
    variables = {"LD_PRELOAD": options.library, "VBTRACE_QUIET": 1, "VBTRACE_NATIVE": "full", "VBTRACE_OUTPUT": trace}
    launcher.run([program, *map(str, shape)], variables)
    launcher.run([options.tool, "symbolize", trace])
    info = subprocess.run([options.tool, "info", "--format", "json", trace], capture_output=True, text=True, check=True)
    found = json.loads(info.stdout)["definitions"]
    depth, longer, blocks = shape
    if found["nodes"] < (2 + longer + blocks - 1) * 2**depth or found["counted_nodes"] < blocks * 2**depth:
        raise Failed(f"expected {blocks * 2**depth} call paths or more with blocks, found {found['counted_nodes']} of {found['nodes']}")
    return trace, found["nodes"], found["counted_nodes"]


def row(name, view, used, nodes):
    """The row of a view; used: the Usages of its rounds, by tool."""
    made = {"trace": name, "view": view}
    for tool, usages in used.items():
        memory = max(usage.max_rss_bytes for usage in usages)
        times = [usage.cpu_s for usage in usages]
        made[tool] = {"cpu_s": statistics.median(times), "rounds": times, "max_rss_bytes": memory, "bytes_a_node": memory / nodes}
    if "against" in made:
        made["ratio"] = made["vbtrace"]["cpu_s"] / made["against"]["cpu_s"]
    return made


def show(rows, tools, nodes, counted):
    """Prints the rows of a trace."""
    head = "".join(f"{name:>12}{'MiB':>8}{'B/path':>8}" for name in tools) + f"{'ratio':>8}" * (len(tools) > 1)
    print(f"{nodes:,} call paths, {100 * counted / nodes:.0f}% of them counted\n\n{'view':<16}{head}")
    for one in rows:
        cells = (f"{of['cpu_s']:>10.2f} s{of['max_rss_bytes'] / 2**20:>8.0f}{of['bytes_a_node']:>8.0f}" for of in map(one.get, tools))
        print(f"{one['view']:<16}" + "".join(cells) + (f"{one['ratio']:>8.2f}" if "ratio" in one else ""))
    print(flush=True)


def parse(arguments):
    made = subcommand.parser("views", "Measure the views of traces with millions of call paths.", OUT)
    made.add_argument("--rounds", type=subcommand.whole_number(1), metavar="N", help=f"default: {ROUNDS}")
    made.add_argument("--against", type=pathlib.Path, metavar="PATH", help="another vbtrace program, to compare with")
    options = subcommand.options_from(made, arguments)
    if options.against is not None and not options.against.is_file():
        made.error(f"--against: no file {options.against}")
    return options


def measure_views(launcher, name, trace, nodes, tools, rounds):
    used = {view: {tool: [] for tool in tools} for view in VIEWS}
    for _ in range(rounds):
        for view, words in VIEWS.items():
            for tool, path in tools.items():
                used[view][tool].append(launcher.run([path, *words, trace]))
    return [row(name, view, each, nodes) for view, each in used.items()]


def main(arguments):
    options = parse(arguments)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    tools = {"vbtrace": options.tool}
    if options.against is not None:
        tools["against"] = options.against.resolve()
    rows, traces = [], {}
    with tempfile.TemporaryDirectory(prefix="vbtrace-views-") as directory:
        launcher = measure.Launcher(directory)
        program = measure.build("call_paths", measure.WORKLOADS / "call_paths.c", launcher.directory)
        for name, (depth, *more) in TRACES.items():
            shape = (depth - QUICK if options.quick else depth, *more)
            trace, nodes, counted = record(launcher, options, program, name, shape)
            traces[name] = {"arguments": shape, "nodes": nodes, "counted_nodes": counted, "bytes": trace.stat().st_size}
            made = measure_views(launcher, name, trace, nodes, tools, rounds)
            show(made, tools, nodes, counted)
            rows += made
            trace.unlink()
    manifest = machine.manifest([], {"rounds": rounds, "traces": traces})
    options.out.write_text(as_json({"manifest": manifest, "rows": rows}))
    subcommand.end({}, [], manifest, f"{len(rows)} measurements in {options.out}")
