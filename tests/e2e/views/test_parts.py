"""--from, --to and --at: a part of a run is what happened then, and parts add up to the whole."""

import collections
import json
import os
import random
import signal

import pytest
import trace_reader
import vbt
from run_parts import SUMMED, add_details, line_sums, shown, sums_by_line, temporary_by_stack

PYTHON = "/usr/bin/python3"


def tool(name, source):
    """Compiles a C program without a build system."""
    path = os.path.join(vbt._scratch(), name)
    vbt.run(["gcc", "-g", "-O1", "-pthread", f"-I{vbt.HEADER_DIRECTORY}", "-o", path, source], check=True)
    return path


WORK = {
    "json": "json.loads(json.dumps([{'a': i, 'b': [str(i)] * 5} for i in range(300)]))",
    "lists": "kept.append([bytes(i) for i in range(300)]); len(kept) > 40 and kept.clear()",
    "regular expressions": "re.compile(str(step) + '(a|b)*c').sub('x', 'abc' * 500)",
    "a database": "db.execute('insert into t values (?, ?)', (step, 'x' * 300)); db.execute('select count(*) from t where b like ?', ('%y%',)).fetchone()",
    "classes": "kept.append(type('T%d' % step, (), {'a': step})); len(kept) > 50 and kept.clear()",
    "threads": "t = [threading.Thread(target=lambda: [bytes(500) for i in range(200)]) for i in range(3)]; [x.start() for x in t]; [x.join() for x in t]",
    "recursion": "deep(200)",
    "exceptions": "[deep(i) if i < 50 else fail() for i in range(60)]",
}
PROGRAM = """
import json, re, sqlite3, sys, threading, time
kept, db = [], sqlite3.connect(":memory:")
db.execute("create table t (a, b)")
def deep(n): return [n] + deep(n - 1) if n else []
def fail():
    try: raise ValueError(bytes(100))
    except ValueError as e: return str(e)
end = time.monotonic() + 2
step = 0
while time.monotonic() < end:
    step += 1
    WORK
    time.sleep(0.002)
"""


@pytest.mark.parametrize("work", WORK)
def test_parts_of_a_python_program_add_up(work):
    parts_add_up(vbt.trace([PYTHON, "-c", PROGRAM.replace("WORK", WORK[work])]).report)


def test_parts_of_threads_sections_and_counted_lines_add_up(tmp_path):
    work = WORK["lists"] + "\n    with vbtrace.section('step'): " + WORK["json"] + "\n    " + WORK["threads"]
    program = PROGRAM.replace("import json", "import vbtrace, json").replace("WORK", work)
    (tmp_path / "every.py").write_text(program)
    run = vbt.trace([PYTHON, tmp_path / "every.py"], env={"PYTHONPATH": str(vbt.MODULE_DIRECTORY), "VBTRACE_LINES": "1"})
    assert run.report.json["intervals"] and len(run.report.json["threads"]) > 60
    assert "line_profile" in shown("lines", run.report.path, "--by", "leaf")
    parts_add_up(run.report)


def test_parts_of_a_native_program_add_up(tmp_path):
    run = held_blocks(tmp_path)
    parts_add_up(run.report)


def test_parts_of_a_killed_program_add_up():
    killed = PROGRAM.replace("WORK", WORK["lists"]) + "\nimport os; os.kill(os.getpid(), 9)"
    run = vbt.trace([PYTHON, "-c", killed], status=-signal.SIGKILL)
    parts_add_up(run.report)


def parts_add_up(report):
    """At any six moments after the first second, in which nothing is written yet."""
    draw = random.Random(1)
    duration = report.json["program"]["duration_ns"]
    moments = [None, *sorted(draw.randrange(10**9, duration) for _ in range(6)), None]
    lines, user_lines, stacks, totals, ticks, details, counted = (collections.Counter() for _ in range(7))
    for begin, end in zip(moments, moments[1:]):
        options = ([] if begin is None else ["--from", f"{begin}ns"]) + ([] if end is None else ["--to", f"{end}ns"])
        part = shown("report", report.path, *options)
        lines += sums_by_line(part, "lines")
        user_lines += sums_by_line(part, "user_lines")
        stacks += temporary_by_stack(report.path, *options)
        add_details(details, part)
        done = vbt.vbtrace("lines", "--format", "json", "--by", "leaf", *options, report.path)
        assert done.returncode == 0 and (not done.stderr or "no line was counted in this part" in done.stderr), done.stderr
        line_sums(counted, json.loads(done.stdout))
        by_thread = shown("functions", report.path, "--by", "thread", *options)["functions"]
        assert sum(row["allocs"] for row in by_thread) == part["totals"]["allocs"]
        for name in SUMMED:
            totals[name] += part["totals"][name]
            assert part["totals"][name] == sum(row[name] for row in part["lines"])
        assert part["totals"]["live_bytes"] == sum(row["live_bytes"] for row in part["lines"])
        ticks[part["part"]["to_ns"]] += 1
    assert len(ticks) >= 2
    assert lines == sums_by_line(report.json, "lines")
    assert user_lines == sums_by_line(report.json, "user_lines")
    assert stacks == temporary_by_stack(report.path)
    whole, whole_counted = collections.Counter(), collections.Counter()
    add_details(whole, report.json)
    line_sums(whole_counted, shown("lines", report.path, "--by", "leaf"))
    assert details == whole and counted == whole_counted
    assert totals == +collections.Counter({name: report.totals[name] for name in SUMMED})
    last = shown("report", report.path, "--from", f"{moments[-2]}ns")
    assert last["totals"]["live_bytes"] == report.totals["live_bytes"]


def held_blocks(directory):
    path = directory / "held.vbt"
    return vbt.trace([tool("held_blocks", vbt.program("held_blocks.c")), path], directory, env={"VBTRACE_OUTPUT": str(path)})


def test_what_was_live_at_a_moment_is_what_the_program_held_then(tmp_path):
    run = held_blocks(tmp_path)
    report, line = run.report, vbt.line_of(vbt.program("held_blocks.c"), "// held")
    steps = [tuple(map(int, text.split())) for text in run.stdout.splitlines()]
    assert len(steps) == 6
    times = [time - report.json["program"]["started_ns"] for time, _, _ in steps]
    for time, (_, allocs, live) in zip(times, steps):
        (row,) = [row for row in shown("lines", report.path, "--by", "leaf", "--at", f"{time}ns")["lines"] if row["line"] == line]
        assert (row["allocs"], row["live_blocks"], row["live_bytes"]) == (allocs, live, 100 * live)
        stacks = shown("leaks", report.path, "--at", f"{time}ns")
        held = [row for row in stacks["stacks"] if stacks["frames"][row["frames"][0]]["line"] == line]
        assert sum(row["live_bytes"] for row in held) == 100 * live
    # From one step to the next.
    for i in range(1, len(steps)):
        part = shown("lines", report.path, "--by", "leaf", "--from", f"{times[i - 1]}ns", "--to", f"{times[i]}ns")
        (row,) = [row for row in part["lines"] if row["line"] == line]
        assert row["allocs"] == steps[i][1] - steps[i - 1][1]
        assert row["allocs"] - row["frees"] == steps[i][2] - steps[i - 1][2]
        assert part["part"]["from_ns"] <= times[i - 1] < part["part"]["to_ns"] <= times[i]
    # The same by the names of the sections.
    for i in range(len(steps)):
        before = steps[i - 1] if i > 0 else (0, 0, 0)
        part = shown("lines", report.path, "--by", "leaf", "--from", f"step#{i + 1}", "--to", f"step#{i + 1}")
        rows = [row for row in part["lines"] if row["line"] == line]
        assert sum(row["allocs"] for row in rows) == steps[i][1] - before[1]
        assert sum(row["allocs"] - row["frees"] for row in rows) == steps[i][2] - before[2]
        (row,) = [row for row in shown("lines", report.path, "--by", "leaf", "--at", f"step#{i + 1}")["lines"] if row["line"] == line]
        assert (row["allocs"], row["live_blocks"]) == (steps[i][1], steps[i][2])
    whole = shown("lines", report.path, "--by", "leaf", "--from", "step", "--to", "step")
    assert sum(row["allocs"] for row in whole["lines"] if row["line"] == line) == steps[-1][1]
    # The peak until then: of the second step, not of the fourth.
    peak = shown("peak", report.path, "--at", f"{times[2]}ns")
    assert max(row["at_peak_bytes"] for row in peak["stacks"]) == 70000


def test_a_trace_says_when_sections_ran(tmp_path):
    """As the program itself says it, on the same clock."""
    program = """
import time, vbtrace
now = time.monotonic_ns
for i in range(300):
    before = now()
    with vbtrace.section("turn"):
        inside = now()
    if i in (0, 40, 63, 236, 299): print(i + 1, before, inside, now())
vbtrace.section("never ends").__enter__()
"""
    run = vbt.trace([PYTHON, "-c", program], env={"PYTHONPATH": str(vbt.ROOT / "python")})
    trace = trace_reader.Trace(run.report.path)
    count, runs = trace.section_times["turn"]
    assert (count, trace.section_runs_unnamed) == (300, 0)
    assert sorted(runs) == [*range(1, 65), *range(237, 301)]
    starts = []  # the earliest and the latest time at which the trace's clock can have been 0
    for number, before, inside, after in (map(int, line.split()) for line in run.stdout.splitlines()):
        begun, ended = runs[number]
        starts += (before - begun, inside - begun), (inside - ended, after - ended)
    assert len(starts) == 10 and max(first for first, _ in starts) <= min(last for _, last in starts)
    assert [ended for _, ended in trace.section_times["never ends"][1].values()] == [None]
    done = vbt.vbtrace("lines", "--from", "turn#100", run.report.path)
    assert done.returncode == 2 and "of the 300 runs of section \"turn\" the trace keeps the times of the first 64 and the last 64" in done.stderr
