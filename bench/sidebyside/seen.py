"""What does a tool see? Runs each on two programs whose every allocation is known, in Python and in
C: n objects that die at once, from one line, and n that stay, from another. What it counts beyond a
small run is compared with those 2 n."""

import pathlib
import re
import subprocess
import tempfile
import time

from . import command_line, text_table
from .measure import WORKLOADS, Failed, last_line
from .workloads import Workload

N = 200_000
START = 1000  # the size of the run to compare with: what a program does besides is in both
OBJECT_BYTES = 40
SLOW = ("memory_profiler",)  # gets a twentieth
KNOWN = {
    "python": Workload("known", N, "known.py"),
    "native": Workload("known", N, "known.c"),
}


def marked_lines(program):
    """The lines that allocate: their comments say whether the objects die or stay."""
    text = (WORKLOADS / program).read_text().splitlines()
    return [number for number, line in enumerate(text, 1) if re.search(r"(//|#) (dies|stays)$", line)]


def look(tool, kind, python, launcher, n):
    """Run a tool on n objects that die and n that stay.

    Returns what it found, how many of the two lines its report names, the size of its files and the
    time of its report.
    """
    workload = KNOWN[kind]
    with tempfile.TemporaryDirectory(dir=launcher.directory) as left:
        command = workload.command(python.path if python else None, n, 0, launcher.directory)
        dressed, variables = tool.dress_to_see(command, python, left)
        launcher.run(dressed, variables)
        report, took = "", None
        if asked := tool.report_command(left, command, python):
            start = time.monotonic()
            done = subprocess.run(list(map(str, asked)), capture_output=True, text=True, errors="replace", env=launcher.environment)
            took = time.monotonic() - start
            report = done.stdout
            if done.returncode != 0:
                raise Failed(f"{pathlib.Path(asked[0]).name}: exit status {done.returncode}: {last_line(done.stderr)}")
        size = sum(file.stat().st_size for file in tool.files(left))
        lines = tool.named(left, report, workload.program, marked_lines(workload.program))
        return {"found": tool.found(left, report), "lines": lines, "trace_bytes": size or None, "report_wall_s": took}


def row_of(tool, kind, python, launcher, n):
    """The row of a tool and a kind of program, python or native."""
    row = {"tool": tool.name, "kind": kind, "nature": tool.nature, "status": "ok", "reason": None}
    if kind not in tool.sees:
        return {**row, "status": "skipped", "reason": f"not for {kind} programs"}
    if reason := tool.unusable(python, KNOWN[kind]):
        return {**row, "status": "skipped", "reason": reason}
    n = n // 20 if tool.name in SLOW else n
    try:
        small, whole = look(tool, kind, python, launcher, START), look(tool, kind, python, launcher, START + n)
    except Failed as failure:
        return {**row, "status": "failed", "reason": str(failure)}
    found = {what: round(value - small["found"].get(what, 0)) for what, value in whole["found"].items()}
    return {**row, **whole, "found": found, "known": {"allocs": 2 * n, "bytes": 2 * n * OBJECT_BYTES}}


def look_at_all(tools, python, launcher, quick):
    """The rows of every tool; python is the interpreter, or None if there is none."""
    KNOWN["native"].prepare(launcher.directory)
    rows = []
    for tool in tools:
        for kind in KNOWN:
            if kind == "python" and python is None:
                continue
            command_line.progress(f"what {tool.name} sees of {kind} code")
            rows.append(row_of(tool, kind, python if kind == "python" else None, launcher, N // (10 if quick else 1)))
    command_line.progress("")
    return rows


def counted(row):
    """`400,000 of 400,000`: what it counted of the whole."""
    if row["status"] != "ok":
        return "" if row["reason"].startswith("not for") else row["status"]
    if not row["found"]:
        return "no counts"
    ((what, number),) = row["found"].items()
    if what == "bytes":
        return f"{number / 1e6:.1f} of {row['known'][what] / 1e6:.1f} MB"
    return f"{number:,} of {row['known'][what]:,}" if number > 0 else f"none of {row['known'][what]:,}"  # negative: it samples


def wrong(row):
    """Whether its count is wrong."""
    return row["status"] == "failed" or row["status"] == "ok" and row["found"] != {"allocs": row["known"]["allocs"]}


def lines(rows):
    """The lines of a table for the terminal."""
    shape = "{:<16}  {:<22}  {:<6}  {:>22}  {:>5}  {:>9}  {:>12}"
    yield ""
    yield shape.format("what is seen", "by", "of", "counted", "lines", "file", "report takes")
    for row in rows:
        if row["status"] == "skipped":
            continue
        if row["status"] != "ok":
            yield f"{row['tool']:<16}  {row['nature']:<22}  {row['kind']:<6}  {row['status']}: {row['reason']}"
            continue
        size = "" if row["trace_bytes"] is None else text_table.size(row["trace_bytes"])
        took = "" if row["report_wall_s"] is None else text_table.seconds(row["report_wall_s"])
        yield shape.format(row["tool"], row["nature"], row["kind"], counted(row), f"{row['lines']}/2", size, took)
    yield ""
    yield (
        "counted: of as many objects that die at once as stay, what the tool counted. lines: on how many of the two lines its "
        "report says so."
    )
