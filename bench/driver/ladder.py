"""bench/run ladder: the workloads of bench/ladder, timed and counted by vbtrace, in one table.

An interpreter runs them twice: untraced for the times, and under vbtrace for the counts. The counts
are compared with what each variant states; where they differ, the table says so, and the run fails.
"""

import argparse
import itertools
import json
import pathlib
import tempfile

from sidebyside import machine
from sidebyside.command_line import progress
from sidebyside.results import as_json

from . import expectation, growth, native_modules, pages, subcommand, traced

LADDER = subcommand.BENCH / "ladder"
OUT = subcommand.BENCH / "results" / "ladder.json"
HELPERS = ("__main__", "needs_numpy", "variants")
WORKLOADS = sorted(path.stem for path in LADDER.glob("*.py") if path.stem not in HELPERS)
TARGET_MS, QUICK_TARGET_MS = 20, 1


def names_from(text):
    for name in text.split(","):
        if name not in WORKLOADS:
            raise argparse.ArgumentTypeError(f"'{name}' is not one of {', '.join(WORKLOADS)}")
    return text.split(",")


def main(arguments):
    made = subcommand.parser("ladder", "Naive code against better code, by time and by allocations, and how both grow.", OUT)
    made.add_argument("--workloads", type=names_from, metavar="NAMES", help=f"some of {', '.join(WORKLOADS)}; default: all")
    made.add_argument("--python", default="/usr/bin/python3", metavar="PATH", help="interpreter; default: %(default)s")
    options = subcommand.options_from(made, arguments)
    python = machine.probe(options.python, None)
    with tempfile.TemporaryDirectory(prefix="vbtrace-ladder-") as directory:
        rows, about, absent = climb(options, directory)
    manifest = machine.manifest([python], {"quick": options.quick, "vbtrace": machine.version_of([options.tool, "--version"])})
    options.out.write_text(as_json({"manifest": manifest, "workloads": about, "absent": absent, "rows": rows}))
    print("\n".join(table(rows, about)))
    subcommand.end(absent, expectation.unmet(rows), manifest, f"{len(rows)} measurements on {python.version} in {options.out}")


def count(vbtrace, python, workloads, directory):
    """The interpreter's rows of the workloads, with the counts added."""
    trace = pathlib.Path(directory) / "ladder.vbt"
    result = json.loads(vbtrace.run([python, LADDER, "count", *workloads, "--native", directory], directory, trace)[0])
    sections = vbtrace.sections(trace)
    for row in result["rows"]:
        row.update(traced.cost(sections[row.pop("label")]))
    return result


def climb(options, directory):
    """Measures; returns the rows, {workload: what it compares} and {what was skipped: why}."""
    workloads = options.workloads or WORKLOADS
    progress("building the compiled variants")
    not_built = native_modules.build(options.python, directory) if "cosine" in workloads else {}
    target = QUICK_TARGET_MS if options.quick else TARGET_MS
    progress("timing (by itself)")
    timing = [options.python, LADDER, "time", *workloads, "--native", directory, "--target-ms", target]
    timed = json.loads(traced.run(timing, directory)[0])
    progress("counting (under vbtrace)")
    counted = count(traced.Vbtrace(options.library, options.tool), options.python, workloads, directory)
    progress("")
    times = {(row["workload"], row["variant"], row["n"]): row["time_ns"] for row in timed["rows"]}
    rows = [{**row, "time_ns": times[row["workload"], row["variant"], row["n"]]} for row in counted["rows"]]
    absent = {name: not_built.get(name.partition(".")[2], why) for name, why in counted["absent"].items()}
    return rows, counted["workloads"], absent


def groups(rows):
    """(workload, variant, its rows by n), in order."""
    for (workload, variant), chosen in itertools.groupby(rows, key=lambda row: (row["workload"], row["variant"])):
        yield workload, variant, sorted(chosen, key=lambda row: row["n"])


def table(rows, about):
    """The lines of the table: each variant at its largest n, and how it grows."""
    heading = (
        "",
        "n",
        "time/iter",
        "faster",
        "allocs/iter",
        "bytes/iter",
        "peak",
        "time grows",
        "allocs grow",
        "bytes grow",
        "allocations",
    )
    shape = "  {:<18} {:>6} {:>9} {:>7} {:>11} {:>10} {:>9}   {:<10} {:<11} {:<11} {}"
    yield shape.format(*heading)
    first = {}
    for workload, variant, chosen in groups(rows):
        if workload not in first:
            first[workload] = chosen
            yield ""
            yield f"{workload}: {about[workload]}"
        last, sizes = chosen[-1], [row["n"] for row in chosen]
        iterations = last["iterations"]
        yield shape.format(
            variant,
            last["n"],
            pages.time(last["time_ns"] / iterations),
            f"{first[workload][-1]['time_ns'] / last['time_ns']:.1f}x",
            f"{last['allocs'] / iterations:.3f}",
            pages.data(last["allocated_bytes"] / iterations),
            pages.data(last["peak_bytes"]),
            growth.of_times(sizes, [row["time_ns"] for row in chosen]),
            growth.of_counts(sizes, [row["allocs"] for row in chosen]),
            growth.of_counts(sizes, [row["allocated_bytes"] for row in chosen]),
            expectation.as_text(last),
        ).rstrip()
    yield ""
    yield (
        "Each variant at its largest n; an iteration is one of the n elements, or pairs where there are n * n. faster: than "
        "the first. peak: above the"
    )
    yield "start. allocations: what the variant states, and the constant that was measured."
