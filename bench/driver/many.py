"""bench/run many: what the views of a thousand traces take, and their merge.

The traces are generated: of processes that never ran, with a hundred call paths each, of which they
share most. Each view is to take less than 5 s and 500 MB. Processor time is the median over the
rounds; memory is the most that a view ever had.
"""

import pathlib
import statistics
import sys
import tempfile

from sidebyside import machine, measure
from sidebyside.results import as_json

from . import subcommand

OUT = subcommand.BENCH / "results" / "many.json"
TRACES, QUICK_TRACES, PATHS = 1000, 50, 100
ROUNDS, QUICK_ROUNDS = 3, 1
MOST_SECONDS, MOST_BYTES = 5, 500 * 10**6
VIEWS = {
    "list": ["list"],
    "report": ["report"],
    "lines, JSON": ["lines", "--format", "json", "-o", "view.json"],
    "functions": ["functions"],
    "tree --by process": ["tree", "--by", "process"],
    "peak": ["peak"],
    "leaks --by rank": ["leaks", "--by", "rank"],
    "flamegraph": ["flamegraph", "-o", "graph.svg"],
    "timeline": ["timeline"],
    "merge": ["merge", "-o", "merged.vbt"],
}


def generate(directory, count):
    """The folder of the generated traces."""
    sys.path.insert(0, str(subcommand.BENCH.parent / "tests" / "support"))
    import trace_writer

    folder = pathlib.Path(directory) / "traces"
    folder.mkdir()
    trace_writer.generate(folder, count, PATHS)
    return folder


def show(rows):
    print(f"{'view':<20}{'seconds':>10}{'MB':>8}")
    for row in rows:
        print(f"{row['view']:<20}{row['cpu_s']:>10.2f}{row['max_rss_bytes'] / 10**6:>8.0f}")


def main(arguments):
    made = subcommand.parser("many", "Measure the views of a thousand traces.", OUT)
    made.add_argument("--rounds", type=subcommand.whole_number(1), metavar="N", help=f"default: {ROUNDS}")
    options = subcommand.options_from(made, arguments)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    count = QUICK_TRACES if options.quick else TRACES
    rows, wrong = [], []
    with tempfile.TemporaryDirectory(prefix="vbtrace-many-") as directory:
        launcher = measure.Launcher(directory)
        folder = generate(directory, count)
        size = sum(path.stat().st_size for path in folder.iterdir())
        for view, words in VIEWS.items():
            usages = [launcher.run([options.tool, *words, folder]) for _ in range(rounds)]
            times, memory = [usage.cpu_s for usage in usages], max(usage.max_rss_bytes for usage in usages)
            rows.append({"view": view, "cpu_s": statistics.median(times), "rounds": times, "max_rss_bytes": memory})
            if statistics.median(times) > MOST_SECONDS or memory > MOST_BYTES:
                wrong.append(f"{view}: {statistics.median(times):.1f} s, {memory / 10**6:.0f} MB; expected at most {MOST_SECONDS} s, {MOST_BYTES / 10**6:.0f} MB")
    print(f"{count} traces with {PATHS * count:,} call paths in all, {size / 10**6:.1f} MB\n")
    show(rows)
    manifest = machine.manifest([], {"rounds": rounds, "traces": count, "paths": PATHS * count, "bytes": size})
    options.out.write_text(as_json({"manifest": manifest, "rows": rows}))
    subcommand.end({}, wrong, manifest, f"{len(rows)} measurements in {options.out}")
