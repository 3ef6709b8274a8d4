"""bench/run lab: the experiment "vectorization budget", from the measurements to the written
answers.

bench_sum.py runs twice: by itself for the times, and under vbtrace for the counts, with a fixed
number of calls so that the counts repeat exactly. Then comes the tour: the same script under one
profiler after another.
"""

import json

from sidebyside import machine
from sidebyside.command_line import progress

from . import findings, pages, subcommand, tour, traced
from .subcommand import Failed

OUT = subcommand.ROOT / "experiments" / "06-vectorization-budget"
COUNTED_ELEMENTS = 2**20  # the least that a counted repetition sums
COUNTED_REPEATS = 2
QUICK_TOUR = 2**16


def main(arguments):
    made = subcommand.parser(
        "lab", "Measure what a Python loop over an array costs against np.sum, and write the experiment down.", OUT
    )
    made.add_argument("--python", default="/usr/bin/python3", metavar="PATH", help="interpreter with NumPy; default: %(default)s")
    made.add_argument("--seed", type=subcommand.whole_number(0), default=0, help="of the random numbers; default: 0")
    options = subcommand.options_from(made, arguments)
    try:
        from . import plots
    except ImportError:
        raise Failed("needs matplotlib for its plots (on Debian: apt install python3-matplotlib)") from None
    python = machine.probe(options.python, None)
    if python.numpy is None:
        raise Failed(f"{python.path} has no NumPy (on Debian: apt install python3-numpy)")
    vbtrace = traced.Vbtrace(options.library, options.tool)

    start = machine.manifest([python], {**asked_of(options), **versions(options)})
    rows = measured(options)
    found = findings.findings(rows)
    write_json(options.out / "results.json", rows)
    plots.draw(rows, found, options.out / "speedup.png")
    folder = options.out / "tour"
    folder.mkdir(exist_ok=True)
    size = QUICK_TOUR if options.quick else tour.size_for(options.python, folder, options.seed, found.sizes)
    stops = list(tour.Tour(options.python, vbtrace, folder, size, options.seed).stops(progress))
    (folder / "results.json").unlink()  # left by the last profiled run, whose times are meaningless
    progress("")
    (options.out / "profiler_tour.md").write_text(pages.tour(stops, size))
    (options.out / "README.md").write_text(pages.answers(rows, found, stops, size, machine.busy(start)))
    write_json(options.out / "manifest.json", {**start, "sizes": found.sizes, "tour_size": size})
    print("\n".join(pages.table(rows)))
    print(f"\nThe answers are in {options.out / 'README.md'}, the tour of profilers in profiler_tour.md beside it.")


def asked_of(options):
    """The options of the run, for the manifest."""
    counting = {"counted_elements": COUNTED_ELEMENTS, "counted_repeats": COUNTED_REPEATS}
    return {"seed": options.seed, "quick": options.quick, **counting}


def versions(options):
    """Versions of the tools involved; None for those that are missing."""
    ask = "import line_profiler; print(line_profiler.__version__)"
    return {
        "vbtrace": machine.version_of([options.tool, "--version"]),
        "line_profiler": machine.version_of([options.python, "-c", ask]),
        "perf": machine.version_of(["perf", "--version"]),
        "py_spy": machine.version_of(["py-spy", "--version"]),
    }


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n")


def measured(options):
    """The rows of results.json: those of bench_sum.py, with the counts of vbtrace added."""
    script = [options.python, tour.SCRIPT, "--seed", options.seed, *(["--quick"] if options.quick else [])]
    results, trace = options.out / "results.json", options.out / "bench_sum.vbt"
    progress("timing (by itself)")
    traced.run([*script, "--out", results], options.out)
    rows = json.loads(results.read_text())
    progress("counting (under vbtrace)")
    fixed = ["--elements", COUNTED_ELEMENTS, "--repeats", COUNTED_REPEATS, "--out", results]
    vbtrace = traced.Vbtrace(options.library, options.tool)
    vbtrace.run([*script, *fixed], options.out, trace)
    sections = vbtrace.sections(trace)
    return [{**row, **counts(sections[f"{row['op']} {row['size']}"], row)} for row in rows]


def counts(section, row):
    """The counts of a row's section. An iteration of the loop is an element, one of np.sum a
    call."""
    elements = section["iterations"] * (1 if row["op"] == "python_loop" else row["size"])
    each = section["per_iteration"]
    return {
        "iteration": "element" if row["op"] == "python_loop" else "call",
        "iterations": section["iterations"],
        "allocs": section["allocs"]["total"],
        "allocated_bytes": section["allocated_bytes"]["total"],
        "allocs_per_iteration": each["allocs"],
        "bytes_per_iteration": each["allocated_bytes"],
        "allocs_per_element": section["allocs"]["total"] / elements,
        "peak_bytes": section["high_bytes"]["max"],
        "traced_time_ns": section["time_ns"]["total"] * row["size"] / elements,
    }
