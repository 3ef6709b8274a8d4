"""bench/run real: a quick run of applications that need no package, figures and tables from made-up
measurements, outputs that differ, packages that are missing, errors of one line."""

import json
import shutil
import subprocess
import sys
import types

import pytest

import vbt
from sidebyside import application_runs, application_tables, applications, machine, measure, tools

BENCH = vbt.ROOT / "bench"
pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
PYTHON = machine.Python("/usr/bin/python3", "CPython 3.11")
QUICK = types.SimpleNamespace(quick=True, seed=0)


def real(*arguments):
    build = ["--library", vbt.LIBRARY, "--tool", vbt.ANALYZER]
    return subprocess.run([sys.executable, *map(str, [BENCH / "run", "real", *build, *arguments])], capture_output=True, text=True)


def test_each_application_is_a_program_and_each_program_an_application():
    programs = {one.program for one in applications.ALL}
    assert programs == {path.name for path in (BENCH / "real").glob("*.py")}
    assert len(programs) >= 12 and len({one.name for one in applications.ALL}) == len(applications.ALL)


def test_a_run(tmp_path):
    out = tmp_path / "real.json"
    done = real("--quick", "--rows", "json,ast", "--tools", "vbtrace,vbtrace-full", "--against", vbt.LIBRARY, "--out", out)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    result = json.loads(out.read_text())
    rows = {(row["workload"], row["tool"]): row for row in result["rows"]}
    assert {tool for _, tool in rows} == {"untraced", "vbtrace", "against", "vbtrace-full", "against-full"}
    for name in ("json", "ast"):
        default, full = rows[name, "vbtrace"], rows[name, "vbtrace-full"]
        assert min(default["cpu_ratio"], full["cpu_ratio"]) > 0 and default["rss_added_bytes"] > 0 and default["report_wall_s"] > 0
        assert full["trace_bytes"] > default["trace_bytes"] > 0
        assert (default["events"], default["lost_events"]) == (rows[name, "against"]["events"], 0)  # as often as it is run
    assert result["means"]["vbtrace"]["applications"] == 2
    assert "geometric mean" in done.stdout and "vbtrace takes" in done.stdout and max(map(len, done.stdout.split("\n")[:-3])) <= 100


def test_stacks_are_verified(tmp_path):
    out = tmp_path / "real.json"
    done = real("--quick", "--rows", "json", "--verify", "50", "--out", out)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    verify = json.loads(out.read_text())["verify"]
    assert verify["compared"] > 1000 and verify["different"] == 0


@pytest.mark.parametrize("name", ["json", "ast"])
def test_output_is_the_same_each_time(tmp_path, name):
    launcher = measure.Launcher(tmp_path)
    (application,) = [one for one in applications.ALL if one.name == name]
    side = application_runs.ApplicationSide(application, PYTHON, tools.Tool(), QUICK)
    application_runs.prepare([[side]], launcher)
    assert side.status == "ok" and side.expected
    side.run_round(launcher)
    assert side.status == "ok" and len(side.rounds) == 1


class Changing(applications.Application):
    def command(self, python, size, seed, directory):
        return [python, "-c", "import os; print(os.getpid())"]


def test_another_output_is_a_failure(tmp_path):
    launcher = measure.Launcher(tmp_path)
    (application,) = [one for one in applications.ALL if one.name == "json"]
    side = application_runs.ApplicationSide(application, PYTHON, tools.Tool(), QUICK)
    side.workload = Changing("changes", 1, "", runs=1)
    application_runs.prepare([[side]], launcher)
    side.run_round(launcher)
    assert (side.status, side.reason) == ("failed", "its output is not that of the untraced run")


def test_a_missing_package_is_named():
    application = applications.Application("absent", 1, "absent.py", needs=(("json", "libpython3-stdlib"), ("no_such_module", "python3-absent")))
    applications.absent_modules.cache_clear()
    applications.ALL.append(application)
    try:
        side = application_runs.ApplicationSide(application, PYTHON, tools.Tool(), QUICK)
    finally:
        applications.ALL.remove(application)
        applications.absent_modules.cache_clear()
    assert (side.status, side.reason) == ("skipped", "not installed: python3-absent")


def made_up(workload, tool, ratio, added=0):
    row = {"workload": workload, "tool": tool, "status": "ok", "reason": None, "cpu_s": 2.0, "cpu_ratio": ratio, "least_cpu_ratio": ratio}
    return {**row, "max_rss_bytes": 100e6 + added, "rss_added_bytes": added, "events": None, "trace_bytes": None, "report_wall_s": None}


def test_means_and_the_worst():
    rows = [made_up("a", "untraced", None), made_up("a", "vbtrace", 1.5, 100e6), made_up("b", "untraced", None), made_up("b", "vbtrace", 6.0, 700e6)]
    rows.append({**made_up("b", "memray", 0), "status": "failed", "reason": "why"})
    mean = application_tables.means(rows)
    assert mean["vbtrace"]["cpu_ratio"] == pytest.approx(3.0) and mean["vbtrace"]["rss_ratio"] == pytest.approx(4.0)
    assert (mean["vbtrace"]["worst"], mean["vbtrace"]["worst_cpu_ratio"]) == ("b", 6.0) and "memray" not in mean
    text = "\n".join(application_tables.lines(rows))
    assert "vbtrace: 3.00 times the CPU over 2 applications; worst: b, 6.00" in text and "b, memray: failed: why" in text


def test_tables_for_pages():
    rows = [made_up("a", "untraced", None), made_up("a", "vbtrace", 1.5, 100e6), made_up("b", "untraced", None), made_up("b", "vbtrace", 6.0, 700e6)]
    manifest = {"date": "2026-01-02T03:04", "cpu": "a machine", "cpus": 2, "load_average": [0.1], "rounds": 5}
    page = list(application_tables.markdown({"manifest": manifest, "rows": rows}))
    assert page[:5] == ["| CPU | untraced | `vbtrace` |", "|---|--:|--:|", "| a | 2.00 s | 1.50 |", "| b | 2.00 s | **6.00** |", "| geometric mean |  | 3.00 |"]
    assert "| a | 100 | +100 |" in page and page[-1].startswith("Made 2026-01-02 on a machine")
    short = list(application_tables.short_markdown({"manifest": manifest, "rows": rows}))
    assert short[2] == "| `vbtrace` | 3.00 over 2 | b, 6.00 | +300% |"


def test_wide_tables_are_split():
    shown = [("one", ["1.00"] * 9), ("another", ["2.00"] * 9)]
    lines = list(application_tables.table("title", ("untraced", ["1 s", "2 s"]), [f"a-long-name-{n}" for n in range(9)], shown))
    assert max(map(len, lines)) <= 100 and sum(line.startswith("another") for line in lines) == 2
    assert "\n".join(lines).count("2.00") == 9


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--rows", "tea"], "'tea' is not one of pandas, "),
        (["--tools", "tea"], "'tea' is not one of vbtrace, "),
        (["--against", "/none"], "--against: no file /none"),
        (["--peers", "/none"], "--make-peers /none makes it"),
        (["--rounds", "0"], "'0' is not a whole number from 1 on"),
    ],
)
def test_bad_options_are_one_line(tmp_path, arguments, says):
    done = real("--out", tmp_path / "real.json", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("run real: ") and says in done.stderr
