"""The export as tables, read by SQLite; and that of counters over time."""

import json
import re
import shutil
import sqlite3
import subprocess

import pytest

import export_samples
import golden
import vbt


COUNTERS = "chrome: call stacks are left out: the format has counters only; --format perfetto has both\n"


def exported(path, *options, form="sqlite"):
    done = vbt.vbtrace("export", "--format", form, *options, path, check=True)
    assert done.stderr == (f"vbtrace: warning: {path}: {COUNTERS}" if form == "chrome" else "")
    return done.stdout


def database(path, *options):
    base = sqlite3.connect(":memory:")
    base.executescript(exported(path, *options))
    assert base.execute("pragma integrity_check").fetchall() == [("ok",)] and base.execute("pragma foreign_key_check").fetchall() == []
    return base


def report_of(path):
    return json.loads(vbt.vbtrace("report", "--format", "json", path, check=True).stdout)


@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_totals_are_ours(name):
    base, report = database(export_samples.trace_of(name)), report_of(export_samples.trace_of(name))
    for column in ("allocs", "allocated_bytes", "live_blocks", "live_bytes", "temporary_allocs"):
        assert base.execute(f"select sum({column}) from stat").fetchone()[0] == report["totals"][column], column
        assert base.execute(f"select {column} from run").fetchone()[0] == report["totals"][column], column
    assert base.execute("select sum(at_peak_bytes) from stat").fetchone()[0] == sum(line["at_peak_bytes"] for line in report["lines"])
    run = dict(zip((row[1] for row in base.execute("pragma table_info(run)")), base.execute("select * from run").fetchone()))
    assert run["command"] == report["program"]["command"] and run["duration_ns"] == report["program"]["duration_ns"]
    assert run["peak_bytes"] == report["totals"]["peak_bytes"] and run["complete"] == 1
    ticks = json.loads(vbt.vbtrace("timeline", "--format", "json", export_samples.trace_of(name), check=True).stdout)["timeline"]
    assert base.execute("select count(*), sum(rss_bytes) from tick").fetchone() == (len(ticks), sum(tick["rss_bytes"] for tick in ticks))


def test_stacks_are_those_of_collapsed_stacks():
    trace = golden.trace_of("cpp")
    folded = vbt.vbtrace("export", "--format", "collapsed", trace, check=True).stdout.splitlines()
    ours = sorted((len(line.rsplit(" ", 1)[0].split(";")), int(line.rsplit(" ", 1)[1])) for line in folded)
    base = database(trace)
    assert sorted(base.execute("select depth, allocated_bytes from stat join path on path.id = path")) == ours
    deepest = "with recursive up(id, n) as (select path, 0 from stat where allocs = 1291 union all select parent, n + 1 from path join up using(id) where parent) "
    frames = base.execute(deepest + "select function, line, inlined from up join path using(id) join frame on frame.id = frame order by n").fetchall()
    assert frames[0][0] == "operator new(unsigned long)" and frames[-1][0] == "_start"
    assert [(function.split("(")[0], line) for function, line, _ in frames if function.startswith(("index_words", "main"))] == [("index_words", 24), ("main", 37)]


def test_example_of_the_document():
    """The question in docs/formats.md, asked of another file."""
    (question,) = re.findall(r"```sql\n(.*?)```", (vbt.ROOT / "docs" / "formats.md").read_text(), re.DOTALL)
    base = database(golden.trace_of("cpp"))
    rows = {function.split("(")[0]: (allocs, size) for function, allocs, size in base.execute(question.replace("orders.py", "catalogue.cpp"))}
    assert rows["index_words"][0] == 1508 and rows["read_books"] == (5939, 796610) and rows["main"][0] == 11341


def test_odd_names_are_kept(tmp_path):
    (tmp_path / "it's \"odd\"; --.py").write_text("kept = [None] * 1000\n")
    trace = vbt.trace(["/usr/bin/python3", "-I", "it's \"odd\"; --.py"], directory=tmp_path).paths[0]
    files = {file for (file,) in database(trace).execute("select file from frame")}
    assert str(tmp_path / "it's \"odd\"; --.py") in files


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is not installed")
def test_sqlite3_reads_it(tmp_path):
    done = subprocess.run(["sqlite3", "-bail", str(tmp_path / "trace.db")], input=exported(golden.trace_of("numpy")), capture_output=True, text=True, timeout=vbt.TIMEOUT)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(["sqlite3", str(tmp_path / "trace.db"), "select sum(allocs) from stat"], capture_output=True, text=True, timeout=vbt.TIMEOUT)
    assert int(done.stdout) == report_of(golden.trace_of("numpy"))["totals"]["allocs"]


@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_chrome_has_every_tick(name):
    file = json.loads(exported(export_samples.trace_of(name), form="chrome"))
    ticks = json.loads(vbt.vbtrace("timeline", "--format", "json", export_samples.trace_of(name), check=True).stdout)["timeline"]
    name_event, *counters = file["traceEvents"]
    assert name_event["ph"] == "M" and name_event["args"]["name"] == report_of(export_samples.trace_of(name))["program"]["command"]
    found = {}
    for event in counters:
        assert event["ph"] == "C" and event["pid"] == name_event["pid"]
        found.setdefault(event["name"], []).append((round(event["ts"] * 1000), event["args"]["bytes"]))
    assert found.pop("of it Python's", []) in ([], [(tick["time_ns"], tick["python_bytes"]) for tick in ticks])
    heap = [(tick["time_ns"], tick["heap_bytes"] + tick["python_bytes"]) for tick in ticks]
    assert found["Resident set"] == [(tick["time_ns"], tick["rss_bytes"]) for tick in ticks]
    assert found["Live heap"] == heap


WORK = """
import time, vbtrace

held = []
for step in range(75):
    with vbtrace.section("fill", iterations=20):
        held.append([bytes(500) for _ in range(20)])
    if step % 10 == 9:
        del held[:5]
    time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def long_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history")
    (folder / "work.py").write_text(WORK)
    return vbt.trace(["/usr/bin/python3", "work.py"], directory=folder, python_paths=[vbt.MODULE_DIRECTORY]).paths[0]


def test_history_is_ours(long_run):
    """Until each moment what `report --to` says of it; over all of them what is in stat."""
    base = database(long_run)
    moments = base.execute("select id, time_ns from moment order by id").fetchall()
    assert len(moments) > 1 and [number for number, _ in moments] == list(range(1, len(moments) + 1))
    columns = ("allocs", "allocated_bytes", "temporary_allocs")
    whole = "select path, " + ", ".join(f"sum({column})" for column in columns) + " from change group by path order by path"
    stat = "select path, " + ", ".join(columns) + " from stat where allocs or allocated_bytes order by path"
    assert [row for row in base.execute(whole) if any(row[1:3])] == base.execute(stat).fetchall()
    for number, time in (moments[0], moments[len(moments) // 2], moments[-1]):
        totals = json.loads(vbt.vbtrace("report", "--format", "json", "--to", f"{time}ns", long_run, check=True).stdout)["totals"]
        fields = ("allocs", "allocated_bytes", "frees", "freed_bytes", "temporary_allocs")
        sums = base.execute("select " + ", ".join(f"sum({field})" for field in fields) + " from change where moment <= ?", (number,)).fetchone()
        assert sums == tuple(totals[field] for field in fields)


def test_sections_are_ours(long_run):
    base = database(long_run)
    (row,) = [row for row in json.loads(vbt.vbtrace("intervals", "--format", "json", long_run, check=True).stdout)["intervals"] if row["kind"] == "section"]
    (section,) = base.execute("select label, count, iterations, time_ns, allocs, allocated_bytes, frees, freed_bytes, id from section").fetchall()
    assert section[:3] == ("fill", 75, 1500) == (row["label"], row["count"], row["iterations"])
    sums = base.execute("select sum(allocs), sum(allocated_bytes), sum(frees), sum(freed_bytes) from section_stat where section = ?", section[8:]).fetchone()
    assert sums == section[4:8]


def test_groups_have_no_history():
    done = vbt.vbtrace("export", "--format", "sqlite", "--by", "thread", golden.trace_of("threads"), check=True)
    assert done.stderr.endswith("sqlite: moments and sections are left out: they are not known by group\n") and "insert into change" not in done.stdout
