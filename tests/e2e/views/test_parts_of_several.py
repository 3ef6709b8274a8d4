"""--from, --to and --at of several traces: a part is what happened in all processes between two
moments on the wall, and parts add up to the whole."""

import collections
import random

import pytest
import vbt
from run_parts import SUMMED, add_details, shown, sums_by_line

PYTHON = "/usr/bin/python3"

# A process that starts three others, one after another; each works for some two seconds.
PROGRAM = """
import json, subprocess, sys, time
sys.path.insert(0, MODULES)
import vbtrace
kept = []
def work(number):
    kept.append([bytes(100 * number + i) for i in range(50)])
    if len(kept) > 20 * number: kept.clear()
    json.loads(json.dumps([str(number)] * 50))
    time.sleep(0.003)
number = int(sys.argv[1])
children = []
if number == 0:
    for child in (1, 2, 3):
        children.append(subprocess.Popen([sys.executable, __file__, str(child)]))
        time.sleep(0.3)
end = time.monotonic() + 2
with vbtrace.section(f"process {number}"):
    while time.monotonic() < end: work(number + 1)
for child in children: child.wait()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    directory = tmp_path_factory.mktemp("several")
    (directory / "all.py").write_text(PROGRAM.replace("MODULES", repr(str(vbt.MODULE_DIRECTORY))))
    done = vbt.run([vbt.ANALYZER, "run", "--quiet", "-o", f"{directory}/traces/", PYTHON, directory / "all.py", "0"], directory=directory)
    assert done.returncode == 0, done.stderr
    assert len(list((directory / "traces").glob("*.vbt"))) == 4
    return directory / "traces"


def span(traces):
    """When the first began, and how long until the last ended: (ns since 1970, ns)."""
    reports = [shown("report", trace) for trace in traces]
    begins = [report["program"]["started_ns"] for report in reports]
    ends = [begin + report["program"]["duration_ns"] for begin, report in zip(begins, reports)]
    return min(begins), max(ends) - min(begins), begins


def test_seven_parts_add_up_to_the_whole(folder):
    whole = shown("report", folder)
    draw = random.Random(3)
    _, duration, _ = span(sorted(folder.glob("*.vbt")))
    moments = [None, *sorted(draw.randrange(10**9, duration) for _ in range(6)), None]
    lines, details, totals, by_process = (collections.Counter() for _ in range(4))
    ends = set()
    for begin, end in zip(moments, moments[1:]):
        options = ([] if begin is None else ["--from", f"{begin}ns"]) + ([] if end is None else ["--to", f"{end}ns"])
        part = shown("report", folder, *options)
        lines += sums_by_line(part, "lines")
        add_details(details, part)
        for name in SUMMED:
            totals[name] += part["totals"][name]
            assert part["totals"][name] == sum(row[name] for row in part["lines"])
        assert part["totals"]["live_bytes"] == sum(row["live_bytes"] for row in part["lines"])
        for row in shown("functions", folder, "--by", "process", *options)["functions"]:
            by_process[row["function"]] += row["allocs"]
        ends.add(part["part"]["to_ns"])
    assert len(ends) >= 3
    assert lines == sums_by_line(whole, "lines")
    assert totals == collections.Counter({name: whole["totals"][name] for name in SUMMED})
    expected = collections.Counter()
    add_details(expected, whole)
    assert details == expected
    assert by_process == collections.Counter({row["function"]: row["allocs"] for row in shown("functions", folder, "--by", "process")["functions"]})


def test_a_part_is_that_of_each_process(folder):
    """The same moments, counted from the beginning of each, name the same states."""
    traces = sorted(folder.glob("*.vbt"))
    first, duration, begins = span(traces)
    draw = random.Random(4)
    for _ in range(6):
        begin, end = sorted(draw.randrange(duration) for _ in range(2))
        together = shown("report", folder, "--from", f"{begin}ns", "--to", f"{end}ns")["totals"]
        sums = collections.Counter()
        for trace, began in zip(traces, begins):
            length = shown("report", trace)["program"]["duration_ns"]
            since, until = (moment - (began - first) for moment in (begin, end))
            if until < 0:
                continue
            options = ["--from", f"{since}ns"] if since >= 0 else []
            options = ["--from", f"{length}ns"] if since > length else options
            options += ["--to", f"{until}ns"] if until <= length else []
            totals = shown("report", trace, *options)["totals"]
            for name in (*SUMMED, "live_bytes", "live_blocks"):
                sums[name] += totals[name]
        assert {name: together[name] for name in (*SUMMED, "live_bytes", "live_blocks")} == {name: sums[name] for name in (*SUMMED, "live_bytes", "live_blocks")}


def test_a_share_of_the_run_is_one_of_all_processes_together(folder):
    _, duration, _ = span(sorted(folder.glob("*.vbt")))
    half = duration // 2
    for name in ("50%", f"-{duration - half}ns"):
        assert shown("lines", folder, "--to", name)["part"] == shown("lines", folder, "--to", f"{half}ns")["part"]


def test_sections_of_several_processes(folder):
    """Each is in one process, and all of it is in its part."""
    for number in range(4):
        name = f"process {number}"
        part = shown("report", folder, "--from", name, "--to", name)
        assert [row["count"] for row in part["intervals"] if row["label"] == name] == [1]
    done = vbt.vbtrace("lines", "--from", "process 4", folder)
    assert done.returncode == 2 and 'there is no section "process 4" in the trace, but process 0, process 1, process 2, process 3' in done.stderr


def test_views_of_a_part_of_several(folder):
    whole = shown("report", folder, "--at", "60%")["totals"]
    for view, rows in (("lines", "lines"), ("functions", "functions"), ("tree", "calls")):
        found = shown(view, folder, "--at", "60%", *(["--by", "leaf"] if view == "lines" else []))
        assert sum(row["live_bytes"] for row in found[rows]) == whole["live_bytes"]
    leaks = shown("leaks", folder, "--at", "60%", "--ungroup")
    assert leaks["totals"]["own_live_bytes"] == sum(row["own_live_bytes"] for row in leaks["stacks"])
