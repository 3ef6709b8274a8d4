"""--from, --to and --measure of each export: what it holds of a part of the run is what the report
says of that part."""

import csv
import io
import json
import sqlite3

import pytest

import perfetto_reader
import pprof_reader
import vbt

WORK = """
import time

held = []
for step in range(80):
    held.append([bytes(500) for _ in range(50)])
    if step % 10 == 9:
        del held[:5]
    time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    """(trace, options, totals) of a part of a run between two of the moments that the trace
    keeps."""
    folder = tmp_path_factory.mktemp("parts")
    (folder / "work.py").write_text(WORK)
    trace = vbt.trace(["/usr/bin/python3", "-I", "work.py"], directory=folder).paths[0]
    history = sqlite3.connect(":memory:")
    history.executescript(vbt.vbtrace("export", "--format", "sqlite", trace, check=True).stdout)
    times = [time for (time,) in history.execute("select time_ns from moment order by id")]
    assert len(times) > 3
    options = ["--from", f"{times[len(times) // 3]}ns", "--to", f"{times[-2]}ns"]
    totals = json.loads(vbt.vbtrace("report", "--format", "json", *options, trace, check=True).stdout)["totals"]
    assert 0 < totals["allocs"] and totals["live_bytes"] > 0
    return trace, options, totals


def exported(part, form, *more):
    trace, options, _ = part
    done = vbt.vbtrace("export", "--format", form, *options, *more, trace, text=False, check=True)
    assert b"the latest ticks in the trace until --from" in done.stderr
    return done.stdout


def test_pprof(part):
    totals = pprof_reader.Profile(exported(part, "pprof", "--measure", "temporary")).totals()
    ours = part[2]
    expected = (ours["allocs"], ours["allocated_bytes"], ours["live_blocks"], ours["live_bytes"], ours["temporary_allocs"])
    assert tuple(totals[name] for name in ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space", "temporary_objects")) == expected


def test_collapsed(part):
    for measure, field in (("bytes", "allocated_bytes"), ("allocs", "allocs"), ("leaks", "live_bytes"), ("temporary", "temporary_allocs")):
        lines = exported(part, "collapsed", "--measure", measure).decode().splitlines()
        assert sum(int(line.rsplit(" ", 1)[1]) for line in lines) == part[2][field]


def test_callgrind(part):
    lines = dict(line.split(": ", 1) for line in exported(part, "callgrind", "--measure", "allocs").decode().splitlines() if ": " in line)
    sums = dict(zip(lines["events"].split(), map(int, lines["totals"].split())))
    assert (sums["Allocs"], sums["Bytes"], sums["LiveBytes"]) == (part[2]["allocs"], part[2]["allocated_bytes"], part[2]["live_bytes"])
    assert lines["events"].startswith("Allocs ")


def test_speedscope(part):
    profiles = {profile["name"]: profile["endValue"] for profile in json.loads(exported(part, "speedscope"))["profiles"]}
    expected = (part[2]["allocated_bytes"], part[2]["allocs"], part[2]["live_bytes"])
    assert tuple(profiles[name] for name in ("Bytes allocated", "Allocations", "Bytes live at the end")) == expected


def test_massif_and_heaptrack(part):
    text = exported(part, "massif").decode()
    assert int(text.rsplit("mem_heap_B=", 1)[1].split("\n")[0]) == part[2]["live_bytes"]
    sizes, live = [], 0
    for line in exported(part, "heaptrack").decode().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "a":
            sizes.append(int(rest.split()[0], 16))
        elif kind in "+-":
            live += sizes[int(rest, 16)] * (1 if kind == "+" else -1)
    assert live == part[2]["live_bytes"]


def test_dhat(part):
    stacks = json.loads(exported(part, "dhat"))["pps"]
    assert (sum(stack["tbk"] for stack in stacks), sum(stack["tb"] for stack in stacks)) == (part[2]["allocs"], part[2]["allocated_bytes"])


def test_tables(part):
    base = sqlite3.connect(":memory:")
    base.executescript(exported(part, "sqlite").decode())
    fields = ("allocs", "allocated_bytes", "live_blocks", "live_bytes", "temporary_allocs")
    expected = tuple(part[2][field] for field in fields)
    assert base.execute("select " + ", ".join(f"sum({field})" for field in fields) + " from stat").fetchone() == expected
    assert base.execute("select sum(allocs), sum(frees) from change").fetchone() == (part[2]["allocs"], part[2]["frees"])
    rows = list(csv.DictReader(io.StringIO(exported(part, "csv").decode())))
    assert tuple(sum(int(row[field]) for row in rows) for field in fields) == expected


def test_perfetto(part):
    trace = perfetto_reader.Trace(exported(part, "perfetto"))
    begin = min(time for _, time, *_ in trace.deltas)
    allocs, allocated, frees, freed = trace.totals()
    live = trace.totals(until=begin)
    assert (allocs - live[0], allocated - live[1], frees) == (part[2]["allocs"], part[2]["allocated_bytes"], part[2]["frees"])
    assert allocated - freed == part[2]["live_bytes"]


@pytest.mark.parametrize("form", ["mprof", "chrome"])
def test_counters(part, form):
    """Those ticks that lie in the part."""
    trace, options, _ = part
    ticks = json.loads(vbt.vbtrace("timeline", "--format", "json", *options, trace, check=True).stdout)["timeline"]
    text = exported(part, form).decode()
    if form == "mprof":
        assert [float(line.split()[1]) for line in text.splitlines()[1:]] == [round(tick["rss_bytes"] / 2**20, 6) for tick in ticks]
    else:
        events = [event for event in json.loads(text)["traceEvents"] if event["name"] == "Resident set"]
        assert [event["args"]["bytes"] for event in events] == [tick["rss_bytes"] for tick in ticks]
