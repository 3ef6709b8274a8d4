"""vbtrace list: which processes left traces, and which of them is meant."""

import json

import vbt

PYTHON = "/usr/bin/python3"
CHILD = "x = [bytes(1000) for i in range(20000)]"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}], check=True)"
COUNTS = ("allocs", "frees", "allocated_bytes", "freed_bytes", "temporary_allocs", "inherited_blocks", "inherited_bytes", "live_blocks", "live_bytes", "peak_bytes", "max_rss_bytes", "lost_events")


def listed(*arguments):
    done = vbt.vbtrace("list", "--format", "json", *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)["processes"]


def folder_of(run):
    (folder,) = {path.parent for path in run.paths}
    return folder


def pair():
    return vbt.trace([PYTHON, "-c", PARENT])


def test_rows_are_what_the_reports_say():
    run = pair()
    rows = listed(folder_of(run))
    assert {row["trace"] for row in rows} == {str(path) for path in run.paths} and len(rows) == 2
    for report in run.reports:
        (row,) = [row for row in rows if row["pid"] == report.json["program"]["pid"]]
        assert {name: row[name] for name in COUNTS} == {name: report.totals[name] for name in COUNTS}
        program = report.json["program"]
        for name in ("command", "ppid", "host", "python", "started", "started_ns", "duration_ns"):
            assert row[name] == program[name]
        assert row["complete"] and row["end_reason"] == report.json["end_reason"] and not row["damaged"] and row["rank"] is None
    assert rows == listed(*sorted(run.paths)) == listed(*sorted(run.paths, reverse=True)) == listed(folder_of(run), *run.paths)


def test_the_root_is_first_though_its_child_allocates_more():
    rows = listed(folder_of(pair()))
    child, parent = sorted(rows, key=lambda row: row["ppid"] not in {row["pid"] for row in rows})
    assert child["ppid"] == parent["pid"] and child["allocated_bytes"] > parent["allocated_bytes"]
    assert parent["first"] and not child["first"]


def test_the_last_program_of_the_root_is_first(tmp_path):
    script = tmp_path / "goes_on.py"
    script.write_text(f"import os, sys, time; time.sleep(0.1); os.execv(sys.executable, ['python3', '-c', 'pass'])")
    rows = listed(folder_of(vbt.trace([PYTHON, script])))
    assert len({row["pid"] for row in rows}) == 1 and len(rows) == 2
    assert [row["first"] for row in sorted(rows, key=lambda row: row["started_ns"])] == [False, True]


def test_of_several_roots_the_one_that_allocated_most_is_first(tmp_path):
    few, many = (vbt.trace([PYTHON, "-c", code]).paths[0] for code in ("pass", CHILD))
    for order in ((few, many), (many, few)):
        assert [row["trace"] for row in listed(*order) if row["first"]] == [str(many)]


def test_run_names_the_same(tmp_path):
    done = vbt.run([vbt.ANALYZER, "run", "-o", f"{tmp_path}/traces/", PYTHON, "-c", PARENT], directory=tmp_path)
    (first,) = [row["trace"] for row in listed(tmp_path / "traces") if row["first"]]
    assert f"\nvbtrace: next: vbtrace report {first}\n" in done.stderr


def test_ranks(tmp_path):
    run = vbt.trace([PYTHON, "-c", "pass"], env={"PMI_RANK": "7"})
    assert [row["rank"] for row in listed(*run.paths)] == ["7"]


def test_text_fits_and_marks_the_first():
    folder = folder_of(pair())
    for width in (80, 120):
        done = vbt.vbtrace("list", f"{folder}/", env={"COLUMNS": str(width)})
        lines = done.stdout.splitlines()
        table = lines[lines.index("") + 1 :]
        assert max(map(len, table[:4])) <= width and lines[0] == f"2 traces in {folder}/"
        assert [line[0] for line in table[2:4]].count("→") == 1
        assert table[0].split()[:1] == ["Allocations"] and table[0].endswith("Trace")
    assert f"\nvbtrace report {folder}/" in done.stdout


def test_sorted_and_limited():
    run = pair()
    for key, name, reverse in (("allocs", "allocs", True), ("bytes", "allocated_bytes", True), ("peak", "peak_bytes", True), ("start", "started_ns", False), ("time", "duration_ns", True)):
        rows = [row[name] for row in listed("--sort", key, folder_of(run))]
        assert rows == sorted(rows, reverse=reverse)
    assert len(listed("--limit", "1", folder_of(run))) == 1


def test_csv_has_the_columns_of_json():
    folder = folder_of(pair())
    done = vbt.vbtrace("list", "--format", "csv", folder)
    titles, *rows = done.stdout.splitlines()
    assert titles.split(",") == list(listed(folder)[0]) and len(rows) == 2


def test_what_cannot_be_read(tmp_path):
    run = pair()
    empty = vbt.vbtrace("list", tmp_path)
    assert (empty.returncode, empty.stderr) == (2, f"vbtrace: {tmp_path}: is a folder without a trace; expected files named *.vbt in it\n")
    for path in run.paths:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "bad.vbt").write_bytes(b"")
    done = vbt.vbtrace("list", "--format", "json", tmp_path)
    assert (done.returncode, done.stderr) == (0, f"vbtrace: warning: {tmp_path}/bad.vbt: is empty; expected a trace; it is left out\n")
    assert len(json.loads(done.stdout)["processes"]) == 2
    done = vbt.vbtrace("list", run.paths[0], tmp_path / "bad.vbt")
    assert (done.returncode, done.stderr) == (2, f"vbtrace: {tmp_path}/bad.vbt: is empty; expected a trace\n")
    done = vbt.vbtrace("list", tmp_path / "none.vbt")
    assert (done.returncode, done.stderr) == (2, f"vbtrace: {tmp_path}/none.vbt: cannot be opened: No such file or directory\n")
