"""What views say of a part of a run, in sums that parts of it must add up to."""

import collections
import json

import vbt

SUMMED = ("allocs", "frees", "allocated_bytes", "freed_bytes", "temporary_allocs")


def shown(view, trace, *options):
    done = vbt.vbtrace(view, "--format", "json", *options, trace)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def sums_by_line(report, rows):
    sums = collections.Counter()
    for row in report[rows]:
        for name in SUMMED:
            sums[row["file"], row["line"], row["function"], name] += row[name]
    return +sums


def temporary_by_stack(trace, *options):
    view = shown("temporary", trace, *options)
    frames = [(frame["file"], frame["line"], frame["function"]) for frame in view["frames"]]
    sums = collections.Counter()
    for row in view["stacks"]:
        sums[tuple(frames[i] for i in row["frames"])] += row["temporary_allocs"]
    return +sums


def add_details(sums, part):
    """What a report says of threads, intervals, counted lines and kinds of mapped memory."""
    for row in part["threads"]:
        for name in SUMMED:
            sums["thread", row["thread"], name] += row[name]
    for row in part["intervals"]:
        key = row["kind"], row["label"], row["from"]["line"], row["to"]["line"]
        sums[key] += row["count"]
        for name in ("time_ns", "allocs", "frees", "allocated_bytes", "freed_bytes", "net_bytes"):
            sums[*key, name] += row[name]["total"]
    for kind, counts in part["totals"]["domains"]["map"]["kinds"].items():
        for name in SUMMED:
            sums[kind, name] += counts[name]


def line_sums(sums, view):
    for function in view.get("line_profile", []):
        for line in function["lines"]:
            for name in ("hits", "entries", *SUMMED, "own_allocs", "own_allocated_bytes", "own_freed_bytes"):
                sums[function["file"], line["line"], name] += line[name]
