"""bench/run instructions: how many instructions vbtrace adds, counted by Valgrind's callgrind,
where times are too noisy to tell.

Each workload runs at size 0 and at a share of its size, untraced and traced; the count at size 0 is
subtracted. The counts hardly depend on other load on the machine. They do not include cache misses
or vbtrace's helper, which cannot run under Valgrind: its cost is limited by elapsed time,
not by the number of events.
"""

import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

from sidebyside import machine, measure, programs, workloads
from sidebyside.command_line import names_from, progress
from sidebyside.results import as_json, in_repository
from sidebyside.tools import Vbtrace

from . import subcommand
from .subcommand import Failed

OUT = subcommand.BENCH / "results" / "instructions.json"
SHARE, QUICK_SHARE = 20, 500  # the size is divided by this
ENOUGH = 1000  # events; added instructions are not divided by fewer than that
KNOWN = [*workloads.ALL, *programs.ALL]
USUAL = (
    "float32_loop float_list_loop objects_loop call_heavy depth50 startup loop-4 loop-12 loop-30 churn-12 sqlite python-json"
    " python-json-malloc perl lua cc1plus redis"
).split()
PYTHON = "/usr/bin/python3"
TOTAL = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Count:
    instructions: int
    events: int = 0

    def __sub__(self, other):
        return Count(self.instructions - other.instructions, self.events - other.events)


class Counter:
    """Counts the instructions of workloads, in its own directory."""

    def __init__(self, directory, python, options):
        self.launcher = measure.Launcher(directory)
        self.python, self.seed = python, options.seed
        self.tool = options.tool

    def once(self, workload, size, library):
        """The Count of one run; library is preloaded unless it is None."""
        with tempfile.TemporaryDirectory(dir=self.launcher.directory) as left_behind:
            command = workload.command(self.python, size, self.seed, self.launcher.directory)
            variables = {}
            if library is not None:
                command, variables = Vbtrace(library, self.tool).dress(command, self.python, left_behind)
            counts = pathlib.Path(left_behind) / "callgrind"
            command = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={counts}", *command]
            beside = workload.beside(size, self.seed, self.launcher.directory)
            self.launcher.run(command, {**variables, **workload.variables}, beside)
            total = TOTAL.search(counts.read_text())
            if total is None:
                raise Failed(f"callgrind: no total in its output for {workload.name}")
            return Count(int(total[1]), self.events(left_behind) if library is not None else 0)

    def events(self, left_behind):
        """Events of the program's trace; of several traces, that with the greatest process id, the
        last."""
        traces = sorted(pathlib.Path(left_behind).glob("*.vbt"), key=lambda path: int(path.stem))
        if not traces:
            raise Failed(self.launcher.last_said() or "left no trace")
        report = subprocess.run([self.tool, "report", "--format", "json", traces[-1]], capture_output=True, text=True)
        totals = json.loads(report.stdout)["totals"]
        return totals["allocs"] + totals["frees"]

    def work(self, workload, size, library):
        """The Count of the work alone, without start-up."""
        whole = self.once(workload, size, library)
        return whole - self.once(workload, 0, library) if workload.sized else whole


def row(counter, workload, share, libraries):
    """The row of a workload, to print and to write; libraries by the name of their column."""
    size = max(1, workload.size // share)
    made = {"workload": workload.name, "size": size if workload.sized else None, "status": "ok"}
    try:
        if why := workload.missing():
            return {**made, "status": f"skipped: {why}"}
        workload.prepare(counter.launcher.directory)
        progress(f"{workload.name}, untraced")
        untraced = counter.work(workload, size, None).instructions
        made["untraced"] = untraced
        for name, library in libraries.items():
            progress(f"{workload.name}, {name}")
            count = counter.work(workload, size, library)
            added = count.instructions - untraced
            made[name] = {
                "instructions": count.instructions,
                "ratio": count.instructions / untraced if workload.sized else None,
                "events": count.events,
                "added_an_event": added / count.events if count.events >= ENOUGH else None,
            }
    except Failed as failure:
        return {**made, "status": f"failed: {failure}"}
    return made


def lines(rows, names):
    """The lines of the table: workload, size, millions of instructions untraced, then what each
    library adds."""
    headings = ["workload", "size", "untraced", *(cell for name in names for cell in (name, "ratio", "an event"))]
    table = [headings]
    for one in rows:
        if one["status"] != "ok":
            table.append([one["workload"], one["status"]])
            continue
        cells = [one["workload"], "" if one["size"] is None else f"{one['size']:,}", f"{one['untraced'] / 1e6:,.1f} M"]
        for name in names:
            of = one[name]
            cells.append(f"{(of['instructions'] - one['untraced']) / 1e6:+,.1f} M")
            cells.append("" if of["ratio"] is None else f"{of['ratio']:.3f}")
            cells.append("" if of["added_an_event"] is None else f"{of['added_an_event']:.0f}")
        table.append(cells)
    widths = [max(len(cells[column]) for cells in table if len(cells) == len(headings)) for column in range(len(headings))]
    for cells in table:
        if len(cells) == len(headings):
            yield "  ".join([f"{cells[0]:<{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:]))]).rstrip()
        else:
            yield f"{cells[0]:<{widths[0]}}  {cells[1]}"


def parse(arguments):
    made = subcommand.parser("instructions", "Count the instructions that vbtrace adds, with Valgrind's callgrind.", OUT)
    add = made.add_argument
    add("--workloads", type=names_from(KNOWN), metavar="NAMES", help=f"some of those of bench/run overhead and bench/run native; default: {','.join(USUAL)}")
    add("--share", type=subcommand.whole_number(1), metavar="N", help=f"divide their sizes by N; default: {SHARE}")
    add("--against", type=pathlib.Path, metavar="PATH", help="another libvbtrace.so, to compare with")
    add("--python", default=PYTHON, metavar="PATH", help="default: %(default)s")
    add("--seed", type=subcommand.whole_number(0), default=1, help="of the workloads' random numbers; default: 1")
    options = subcommand.options_from(made, arguments)
    if options.against is not None and not options.against.is_file():
        made.error(f"--against: no file {options.against}")
    if shutil.which("valgrind") is None:
        raise Failed("no valgrind (on Debian: apt install valgrind)")
    return options


def main(arguments):
    options = parse(arguments)
    chosen = options.workloads or names_from(KNOWN)(",".join(USUAL))
    libraries = {"vbtrace": options.library}
    if options.against is not None:
        libraries["against"] = options.against.resolve()
    share = options.share or (QUICK_SHARE if options.quick else SHARE)
    with tempfile.TemporaryDirectory(prefix="vbtrace-instructions-") as directory:
        counter = Counter(directory, options.python, options)
        found = machine.probe(options.python, counter.launcher.environment)
        rows = [row(counter, workload, share, libraries) for workload in chosen]
    progress("")
    asked = {"share": share, "seed": options.seed, **{name: in_repository(path) for name, path in libraries.items()}}
    try:
        options.out.write_text(as_json({"manifest": machine.manifest([found], asked), "rows": rows}))
    except OSError as error:
        raise Failed(f"{options.out}: {error.strerror}") from None
    print("\n".join(lines(rows, libraries)))
    print("\nInstructions of the work: those of a run at size 0 are subtracted (except for startup, which has no size).")
    if any(one["status"].startswith("failed") for one in rows):
        raise Failed("some workloads failed")
