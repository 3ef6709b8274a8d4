"""The export as Massif writes it, read back by our own reader and by ms_print."""

import json
import re
import shutil
import sqlite3
import subprocess

import pytest

import export_samples
import golden
import vbt


def exported(path, *options):
    done = vbt.vbtrace("export", "--format", "massif", *options, path, check=True)
    assert done.stderr.startswith(f"vbtrace: warning: {path}: massif: call stacks are those of the peak and of the end")
    return done.stdout


def snapshots(text):
    """[(time, bytes, kind, tree)], where a node of a tree is (bytes, label, [nodes])."""
    head, *parts = re.split(r"^#-+\nsnapshot=\d+\n#-+\n", text, flags=re.MULTILINE)
    assert re.fullmatch(r"desc: .+\ncmd: .+\ntime_unit: ms\n", head)
    found = []
    for part in parts:
        lines = iter(part.splitlines())
        values = dict(next(lines).split("=") for _ in range(5))
        assert values["mem_heap_extra_B"] == values["mem_stacks_B"] == "0"
        tree = None if values["heap_tree"] == "empty" else node(lines, 0)
        assert next(lines, None) is None
        found.append((float(values["time"]), int(values["mem_heap_B"]), values["heap_tree"], tree))
    return found


def node(lines, depth):
    indent, children, size, label = re.fullmatch(r"( *)n(\d+): (\d+) (.*)", next(lines)).groups()
    assert len(indent) == depth
    below = [node(lines, depth + 1) for _ in range(int(children))]
    assert sum(child[0] for child in below) <= int(size)
    return int(size), label, below


@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_totals_are_ours(name):
    found = snapshots(exported(export_samples.trace_of(name)))
    report = json.loads(vbt.vbtrace("report", "--format", "json", export_samples.trace_of(name), check=True).stdout)
    times = [time for time, *_ in found]
    assert times == sorted(times) and times[-1] == pytest.approx(report["program"]["duration_ns"] / 1e6, abs=0.001)
    ((_, size, _, tree),) = [each for each in found if each[2] == "peak"]
    assert tree[0] == sum(line["at_peak_bytes"] for line in report["lines"]) and size == max(tree[0], report["totals"]["peak_bytes"])
    assert size == max(size for _, size, *_ in found)
    _, size, kind, tree = found[-1]
    assert kind == "detailed" and tree[0] == size == report["totals"]["live_bytes"]


def test_trees_go_outwards():
    """From where it was allocated to main, of a program whose counts are known: catalogue.cpp."""
    *_, (size, label, places) = snapshots(exported(golden.trace_of("cpp")))[-1]
    assert label == "(heap allocation functions) malloc/new/new[], --alloc-fns, etc." and size == 644090
    assert sum(place[0] for place in places) == size
    (new,) = [place for place in places if "operator new" in place[1]]
    stack, at = [], new
    while at:
        stack.append(at[1])
        at = next(iter(at[2]), None)
    assert re.fullmatch(r"0x0: main .*\(/tmp/vbtrace-samples/catalogue.cpp:37\)", stack[stack.index(next(s for s in stack if "main " in s))])
    assert any(s.startswith("0x0: read_books ") for s in stack)


def test_options():
    done = vbt.vbtrace("export", "--format", "massif", "--measure", "allocs", golden.trace_of("cpp"))
    said = "vbtrace: export --format massif does not take --measure: it holds what is live, at the peak and at the end\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    *_, tree = snapshots(exported(golden.trace_of("threads"), "--by", "thread"))[-1]
    assert "producer (thread 2)" in repr(tree)
    *_, tree = snapshots(exported(golden.trace_of("cpp"), "--filter", "function=read_books"))[-1]
    assert tree[0] == 567290


@pytest.mark.skipif(shutil.which("ms_print") is None, reason="ms_print, of valgrind, is not installed")
@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_ms_print_reads_it(name, tmp_path):
    path = tmp_path / "massif.out"
    path.write_text(exported(export_samples.trace_of(name)))
    done = subprocess.run(["ms_print", "--threshold=0", str(path)], capture_output=True, text=True, timeout=vbt.TIMEOUT)
    assert (done.returncode, done.stderr) == (0, "")
    found = snapshots(path.read_text())
    rows = re.findall(r"^ *(\d+) +[\d,.]+ +([\d,]+) +([\d,]+) +0 +0$", done.stdout, re.MULTILINE)
    assert [int(total.replace(",", "")) for _, total, _ in rows] == [size for _, size, *_ in found]
    shown = [f"{number} (peak)" if each[2] == "peak" else str(number) for number, each in enumerate(found) if each[2] != "empty"]
    (listed,) = re.findall(r"^ Detailed snapshots: \[(.*)\]$", done.stdout, re.MULTILINE)
    assert listed.split(", ") == shown


WORK = """
import time

held = []
for step in range(75):
    held.append([bytes(500) for _ in range(20)])
    if step % 10 == 9:
        del held[:5]
    time.sleep(0.02)
"""


def test_moments_between_have_trees(tmp_path):
    """Those that the trace keeps, with what was live then."""
    (tmp_path / "work.py").write_text(WORK)
    trace = vbt.trace(["/usr/bin/python3", "-I", "work.py"], directory=tmp_path).paths[0]
    done = vbt.vbtrace("export", "--format", "massif", trace, check=True)
    found = [each for each in snapshots(done.stdout)[:-1] if each[2] == "detailed"]
    assert f"and of {len(found)} moment" in done.stderr and 1 <= len(found) <= 10
    history = sqlite3.connect(":memory:")
    history.executescript(vbt.vbtrace("export", "--format", "sqlite", trace, check=True).stdout)
    for time, size, _, tree in found:
        assert tree[0] == size
        ((moment,),) = history.execute("select time_ns from moment where abs(time_ns / 1e6 - ?) < 0.0006", (time,)).fetchall()
        totals = json.loads(vbt.vbtrace("report", "--format", "json", "--at", f"{moment}ns", trace, check=True).stdout)["totals"]
        assert size == totals["live_bytes"]
