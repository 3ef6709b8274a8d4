"""bench/run forks: what tracing adds to a fork.

A program forks many children, which do nothing or allocate a little, untraced and traced in turn.
Processor time is that of all processes, vbtrace's helpers included; the median over the rounds.
"""

import pathlib
import shutil
import statistics
import tempfile

from sidebyside import machine, measure
from sidebyside.results import as_json

from . import subcommand

OUT = subcommand.BENCH / "results" / "forks.json"
CHILDREN, QUICK_CHILDREN = 5000, 100
ROUNDS, QUICK_ROUNDS = 5, 1
WAYS = ("nothing", "allocate")


def run(launcher, program, children, way, library):
    """Microseconds of processor time a child, and how many traces were left."""
    traces = pathlib.Path(launcher.directory) / "traces"
    traces.mkdir()
    variables = {"LD_PRELOAD": library, "VBTRACE_QUIET": 1, "VBTRACE_OUTPUT": f"{traces}/"} if library else {}
    try:
        usage = launcher.run([program, str(children), way], variables)
        return usage.cpu_s * 1e6 / children, len(list(traces.iterdir()))
    finally:
        shutil.rmtree(traces)


def main(arguments):
    made = subcommand.parser("forks", "Measure what tracing adds to a fork.", OUT)
    made.add_argument("--rounds", type=subcommand.whole_number(1), metavar="N", help=f"default: {ROUNDS}")
    options = subcommand.options_from(made, arguments)
    children = QUICK_CHILDREN if options.quick else CHILDREN
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    manifest = machine.manifest([], {"children": children, "rounds": rounds})
    rows, wrong = [], []
    with tempfile.TemporaryDirectory(prefix="vbtrace-forks-") as directory:
        launcher = measure.Launcher(directory)
        program = measure.build("forks", measure.WORKLOADS / "forks.c", directory)
        for way in WAYS:
            times = {"untraced": [], "vbtrace": []}
            for _ in range(rounds):
                times["untraced"].append(run(launcher, program, children, way, None)[0])
                time, traces = run(launcher, program, children, way, options.library)
                times["vbtrace"].append(time)
                if traces != (wanted := 1 + (children if way == "allocate" else 0)):
                    wrong.append(f"{way}: {traces} traces for {wanted}")
            middle = {name: statistics.median(each) for name, each in times.items()}
            rows.append({"children": way, "cpu_us": middle, "ratio": middle["vbtrace"] / middle["untraced"], "rounds": times})
    print(f"{'a child does':<14}{'untraced':>12}{'vbtrace':>12}{'ratio':>8}")
    for row in rows:
        print(f"{row['children']:<14}{row['cpu_us']['untraced']:>9.0f} µs{row['cpu_us']['vbtrace']:>9.0f} µs{row['ratio']:>8.2f}")
    options.out.write_text(as_json({"manifest": manifest, "rows": rows}))
    subcommand.end({}, wrong, manifest, f"{len(rows)} measurements in {options.out}")
