"""bench/run memory: what vbtrace itself takes, for each thing that it keeps.

Programs vary one thing at a time, untraced and traced; the resident set added, over the number of
things, is a line, and its slope is the cost of one. With these costs the resident set added to real
programs is predicted from the counts in their traces, and printed beside what was measured.
"""

import collections
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

from sidebyside import applications, machine, measure, programs
from sidebyside.command_line import progress
from sidebyside.markdown import made_on
from sidebyside.results import as_json

from . import subcommand
from .subcommand import Failed

OUT = subcommand.BENCH / "results" / "memory.json"
PYTHON = "/usr/bin/python3"
ROUNDS, QUICK_ROUNDS = 3, 1
BLOCK_BYTES = (24, 48, 100, 1000, 5000)
HEAP = 64 << 20  # bytes of blocks in the largest run
OF_NODE = re.compile(rb'"allocs": (\d+), "allocated_bytes": (\d+), "at_peak_bytes": (\d+),')
FEW = 4  # allocations that a call path can have before it takes more memory
COUNTED = ("paths", "often", "varied", "ways", "sites", "modules")
PARTS = ("start", *COUNTED, "blocks", "threads")  # of a prediction


class Meter:
    """Runs programs untraced and traced, in its own directory."""

    def __init__(self, directory, options, rounds):
        self.launcher = measure.Launcher(directory)
        self.directory, self.options, self.rounds = pathlib.Path(directory), options, rounds
        self.program = measure.build("memory", measure.WORKLOADS / "memory.c", directory, "-pthread")

    def added(self, command, variables=None):
        """Bytes added to the greatest resident set, and the counts in the trace. Of several rounds
        the least on each side: something else can only add."""
        untraced, traced, words = [], [], list(map(str, command))
        for _ in range(self.rounds):
            untraced.append(self.launcher.run(words, variables).max_rss_bytes)
            trace = self.directory / "trace.vbt"
            ours = {"LD_PRELOAD": self.options.library, "VBTRACE_OUTPUT": trace, "VBTRACE_QUIET": 1, **(variables or {})}
            traced.append(self.launcher.run(words, ours).max_rss_bytes)
        return min(traced) - min(untraced), self.counts(trace)

    def counts(self, trace):
        """What the model multiplies by."""
        info, report = (self.shown(name, trace) for name in ("info", "report"))
        made, totals = info["definitions"], report["totals"]
        shares, at_peak = self.paths_in(trace)
        often, varied = (round(share * made["counted_nodes"]) for share in shares)
        return {
            "counted": made["counted_nodes"],
            "paths": made["counted_nodes"] - often - varied,
            "often": often,
            "varied": varied,
            "ways": made["nodes"] - made["counted_nodes"],
            "sites": made["sites"],
            "modules": made["modules"],
            "threads": totals["threads"],
            "blocks_at_peak": at_peak,
        }

    def paths_in(self, trace):
        """The shares of the call paths with more than FEW requests, all of one size so far as the
        mean tells, and not; and how many blocks of which mean size were live at the peak."""
        every = often = varied = 0
        blocks = collections.Counter()
        command = [self.options.tool, "tree", "--format", "json", "--limit", "0", trace]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tree:
            for line in tree.stdout:
                if (found := OF_NODE.search(line)) and line.startswith(b' {"id"') and found[1] != b"0":
                    allocs, allocated, peak = map(int, found.groups())
                    every += 1
                    often += allocs > FEW and allocated % allocs == 0
                    varied += allocs > FEW and allocated % allocs != 0
                    if allocated and peak:
                        blocks[round(allocated / allocs)] += peak * allocs / allocated
        return (often / max(1, every), varied / max(1, every)), dict(blocks)

    def shown(self, command, trace):
        done = subprocess.run([self.options.tool, command, "--format", "json", trace], capture_output=True, text=True)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise Failed(f"vbtrace {command}: no JSON: {measure.last_line(done.stderr)}") from None

    def points(self, commands, what):
        """What was added by each of some programs: pairs of a number and bytes; what says which
        number in the trace, or is a list of them."""
        found = []
        for at, command in enumerate(commands):
            progress(" ".join(map(str, command[1:])))
            added, counts = self.added(command)
            found.append({"number": what[at] if isinstance(what, list) else counts[what], "added_bytes": added, **counts})
        return found

    def modules(self, most):
        """A folder with that many libraries."""
        folder = self.directory / "modules"
        folder.mkdir()
        made = measure.build("module.so", measure.WORKLOADS / "memory_module.c", self.directory, "-shared", "-fPIC")
        for number in range(most):
            shutil.copy(made, folder / f"{number}.so")
        return folder


def fitted(points):
    """The line through points by least squares: its slope, its value at 0, and how far the farthest
    point is from it, as a share of the range."""
    xs, ys = [point["number"] for point in points], [point["added_bytes"] for point in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / sum((x - mean_x) ** 2 for x in xs)
    start = mean_y - slope * mean_x
    off = max(abs(y - start - slope * x) for x, y in zip(xs, ys))
    return {"each_bytes": slope, "start_bytes": start, "off": off / max(1, abs(slope) * (max(xs) - min(xs)))}


def without(points, others, cost):
    """The points less what others of their things cost."""
    return [{**point, "added_bytes": point["added_bytes"] - cost * point[others]} for point in points]


def measured(meter, share):
    """{name: row}: each with the fit, its points and the thing it is about."""
    program, rows = meter.program, {}

    def row(name, thing, points):
        rows[name] = {"name": name, "thing": thing, **fitted(points), "points": points}
        return rows[name]["each_bytes"]

    steps = [1, 2, 3, 4]
    chains = [[program, "paths", 1024 // share, 16 * step, 1, 1] for step in steps]
    way = row("ways", "a node that only leads to others", meter.points(chains, "ways"))
    fans = [[program, "paths", 1024 // share * step, 0, 1, 1] for step in steps]
    path = row("paths", "a call path that was counted once", without(meter.points(fans, "counted"), "ways", way))
    fans = [[program, "paths", 1024 // share * step, 0, 1, FEW + 1] for step in steps]
    row("often", f"a call path that was counted {FEW + 1} times", without(meter.points(fans, "counted"), "ways", way))
    fans = [[program, "paths", 1024 // share * step, 0, FEW + 1, 1] for step in steps]
    row("varied", f"the same with {FEW + 1} sizes", without(meter.points(fans, "counted"), "ways", way))
    lines = [[PYTHON, measure.WORKLOADS / "memory_lines.py", 40000 // share * step] for step in steps]
    points = without(without(meter.points(lines, "sites"), "ways", way), "counted", path)
    row("sites", "a line of Python, besides its path", points)
    for size in BLOCK_BYTES:
        counts = [HEAP // share // size * step // 4 for step in steps]
        row(f"blocks-{size}", f"a live block of {size:,} bytes", meter.points([[program, "blocks", count, size] for count in counts], counts))
    counts = [12 * step for step in steps]
    row("threads", "a thread", meter.points([[program, "threads", count] for count in counts], counts))
    counts = [32 * step for step in steps]
    folder = meter.modules(max(counts))
    row("modules", "a loaded module, with a path", meter.points([[program, "modules", count, folder] for count in counts], counts))
    return rows


def of_block(rows, size):
    """Bytes for a live block of a size, between those that were measured."""
    known = [(each, rows[f"blocks-{each}"]["each_bytes"]) for each in BLOCK_BYTES]
    if size <= known[0][0]:
        return known[0][1]
    for (below, less), (above, more) in zip(known, known[1:]):
        if size <= above:
            return less + (more - less) * (size - below) / (above - below)
    return known[-1][1] * size / known[-1][0]


def predicted(rows, counts, start):
    """What the model says of a program with these counts: bytes by part."""
    parts = {name: max(0, rows[name]["each_bytes"]) * counts[name] for name in COUNTED}
    parts["threads"] = max(0, rows["threads"]["each_bytes"]) * (counts["threads"] - 1)
    parts["blocks"] = sum(count * of_block(rows, size) for size, count in counts["blocks_at_peak"].items())
    return {"start": start, **parts}


def real_programs(directory, quick):
    """Pairs of a name and a command."""
    by_name = {one.name: one for one in [*applications.ALL, *programs.ALL]}
    for name in ("ast",) if quick else ("ast", "import sklearn.ensemble"):
        if by_name[name].absent(PYTHON) is None:
            yield name, by_name[name].command(PYTHON, 0 if quick else 1, 0, directory)
    compiler = by_name["cc1plus"]
    if not quick and compiler.missing() is None:
        yield "cc1plus", compiler.command(None, compiler.size, 1, directory)


def lines(rows, predictions):
    yield f"{'what is kept':<36}{'bytes each':>12}  {'from':>9} {'to':>9}  {'off the line by at most':>24}"
    for row in rows.values():
        numbers = [point["number"] for point in row["points"]]
        yield f"{row['thing']:<36}{row['each_bytes']:>12,.1f}  {min(numbers):>9,} {max(numbers):>9,}  {row['off'] * 100:>23.1f}%"
    yield ""
    yield f"{'program':<24}" + "".join(f"{part:>8}" for part in PARTS) + f"{'predicted':>11}{'measured':>9}"
    for one in predictions:
        cells = "".join(f"{one['parts'][part] / 1e6:>8.1f}" for part in PARTS)
        yield f"{one['program']:<24}{cells}{one['predicted_bytes'] / 1e6:>11.1f}{one['added_bytes'] / 1e6:>9.1f}"
    yield ""
    yield "Predictions in MB of resident set added: numbers in the trace, times the costs above. often: call paths counted"
    yield f"more than {FEW} times; varied: those of them whose requests differ in size. ways: nodes that only lead to others."
    yield "blocks: of each path those at the peak, as blocks of its mean size. start: what a program that does nothing adds."


def markdown(results):
    """The tables for a page."""
    yield "| what is kept | bytes each | off the line by at most |"
    yield "|---|--:|--:|"
    for row in results["rows"]:
        yield f"| {row['thing']} | {row['each_bytes']:,.0f} | {row['off'] * 100:.1f}% |"
    yield ""
    yield "| program | " + " | ".join(PARTS) + " | predicted | measured |"
    yield "|---|" + "--:|" * (len(PARTS) + 2)
    for one in results["predictions"]:
        cells = [f"{one['parts'][part] / 1e6:.1f}" for part in PARTS]
        yield " | ".join([f"| {one['program']}", *cells, f"{one['predicted_bytes'] / 1e6:.1f}", f"{one['added_bytes'] / 1e6:.1f} |"])
    yield ""
    yield made_on(results["manifest"])


def main(arguments):
    made = subcommand.parser("memory", "Measure what vbtrace itself takes, for each thing that it keeps.", OUT)
    made.add_argument("--rounds", type=subcommand.whole_number(1), metavar="N", help=f"default: {ROUNDS}")
    options = subcommand.options_from(made, arguments)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    manifest = machine.manifest([], {"rounds": rounds, "quick": options.quick})
    with tempfile.TemporaryDirectory(prefix="vbtrace-memory-") as directory:
        meter = Meter(directory, options, rounds)
        rows = measured(meter, 8 if options.quick else 1)
        starts = {"python": meter.added([PYTHON, "-c", "pass"]), "native": meter.added([meter.program, "blocks", "1", "24"])}
        predictions = []
        for name, command in real_programs(directory, options.quick):
            progress(name)
            kind = "python" if command[0] == PYTHON else "native"
            added, counts = meter.added(command, {"HOME": directory, "PYTHONDONTWRITEBYTECODE": 1})
            beyond = {**counts, **{part: max(0, counts[part] - starts[kind][1][part]) for part in COUNTED}}
            parts = predicted(rows, beyond, starts[kind][0])
            predictions.append({"program": name, "added_bytes": added, "predicted_bytes": sum(parts.values()), "parts": parts, "counts": counts})
    progress("")
    options.out.write_text(as_json({"manifest": manifest, "rows": list(rows.values()), "predictions": predictions}))
    print("\n".join(lines(rows, predictions)))
    print()
    subcommand.end({}, [], manifest, f"{len(rows)} measurements in {options.out}")
