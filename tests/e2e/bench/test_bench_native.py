"""bench/run native: the synthetic program, the Debian programs that are installed, and whole runs
with tiny sizes."""

import json
import shutil
import subprocess
import sys

import pytest

import vbt
from driver import native as native_bench
from sidebyside import measure, programs, tools

BENCH = vbt.ROOT / "bench"
pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


def native(*arguments):
    build = ["--library", vbt.LIBRARY, "--tool", vbt.ANALYZER]
    return subprocess.run([sys.executable, *map(str, [BENCH / "run", "native", *build, *arguments])], capture_output=True, text=True)


def test_every_combination_is_there():
    pairs = [one for one in programs.ALL if isinstance(one, programs.Synthetic)]
    assert {(one.variant, one.depth, one.threads) for one in pairs} == {
        (variant, depth, threads) for variant in ("loop", "churn") for depth in (4, 12, 30) for threads in (1, 2, 8)
    } | {("anew", 12, 1)}
    assert all(one.size == 20_000_000 for one in pairs)
    assert len({one.name for one in programs.ALL}) == len(programs.ALL)


@pytest.mark.parametrize("variant", ["loop", "anew", "churn"])
@pytest.mark.parametrize("threads", [1, 3])
def test_pairs_are_as_many_as_asked_for(tmp_path, variant, threads):
    """Counted by vbtrace, minus those of a run of size 0; everything is freed."""
    (workload, *_) = [one for one in programs.ALL if isinstance(one, programs.Synthetic) and one.variant == variant]
    workload.prepare(tmp_path)
    for size in (0, 10_000):
        command = [tmp_path / "pairs", variant, 12, threads, size, 1]
        vbt.trace(command, directory=tmp_path, env={"VBTRACE_OUTPUT": f"{size}.vbt"})
    none, many = (vbt.Report(tmp_path / f"{size}.vbt").totals for size in (0, 10_000))
    assert (many["allocs"] - none["allocs"], many["frees"] - none["frees"]) == (10_000, 10_000)


@pytest.mark.parametrize("workload", [one for one in programs.ALL if isinstance(one, programs.Program)], ids=lambda one: one.name)
def test_programs_run_at_any_size(tmp_path, workload):
    if reason := workload.missing():
        pytest.skip(reason)
    launcher = measure.Launcher(tmp_path)
    workload.prepare(tmp_path)
    for size in (0, 1, 50) if workload.name != "cc1plus" else (0, 1):
        command = workload.command(None, size, 1, tmp_path)
        assert launcher.run(command, workload.variables, workload.beside(size, 1, tmp_path)).wall_s > 0
        assert launcher.last_said() == ""


def test_what_is_not_installed_is_skipped_with_its_package():
    absent = programs.Program("absent", 1, arguments=("no-such-program",), package="some-package")
    assert absent.missing() == "no no-such-program (on Debian: apt install some-package)"


def test_load_that_fails_is_the_workloads_failure(tmp_path):
    launcher = measure.Launcher(tmp_path)
    with pytest.raises(measure.Failed, match="^sh: why$"):
        launcher.run(["true"], {}, ["/bin/sh", "-c", "echo why >&2; exit 3"])


def ran(workload, tool, ratio, status="ok"):
    return {"workload": workload, "tool": tool, "status": status, "cpu_ratio": ratio}


def test_advantage_over_heaptrack():
    rows = [ran("a", "untraced", None), ran("a", "vbtrace", 1.2), ran("a", "heaptrack", 3.0)]
    rows += [ran("sqlite", "vbtrace", 0.9), ran("sqlite", "heaptrack", 1.5)]  # noise does not lead to a division by zero
    rows += [ran("b", "vbtrace", 1.1), ran("b", "heaptrack", None, "failed")]
    found = native_bench.advantage(rows)
    assert found == {"a": pytest.approx(10), "sqlite": pytest.approx(50)}
    more, lines, failed = native_bench.compare_overheads(rows, None)
    assert more["advantage"]["geometric_mean"]["all"] == pytest.approx(500**0.5) and not failed
    assert lines[-1] == "heaptrack's overhead is 22.4 times that of vbtrace: geometric mean over 2 rows (all)"


def test_verification_is_summed():
    row = {"workload": "a", "tool": "vbtrace", "status": "ok"}
    good = {**row, "rounds": [{"verify": {"compared": 70, "different": 0}, "zero_verify": {"compared": 5, "different": 0}}]}
    bad = {**row, "workload": "b", "rounds": [{"verify": {"compared": 10, "different": 2}}]}
    more, lines, failed = native_bench.verified([good], None)
    assert (more["verify"], failed) == ({"compared": 75, "different": 0}, False)
    more, lines, failed = native_bench.verified([good, bad], None)
    assert (more["verify"], failed) == ({"compared": 85, "different": 2}, True)
    assert lines[-1].split() == ["all", "85", "2"]
    assert native_bench.verified([], None)[2]  # without comparisons the verification fails


def test_a_run(tmp_path):
    out = tmp_path / "native.json"
    done = native("--quick", "--rounds", "1", "--workloads", "loop-4,sqlite", "--without-peers", "--seed", "3", "--out", out)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    result = json.loads(out.read_text())
    assert (result["manifest"]["seed"], result["manifest"]["native"]) == (3, tools.NATIVE)
    rows = {(row["workload"], row["tool"]): row for row in result["rows"]}
    pairs = rows["loop-4", "vbtrace"]
    assert pairs["events"] == pytest.approx(4_000_000, rel=1e-4) and pairs["cpu_ratio"] > 0 and pairs["ns_per_pair"] is not None
    assert rows["sqlite", "untraced"]["status"] == ("ok" if shutil.which("sqlite3") else "skipped")
    assert "ns/pair" in done.stdout and str(out) in done.stdout


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--workloads", "tea"], "'tea' is not one of loop-4, "),
        (["--native", "half"], "invalid choice: 'half'"),
        (["--verify", "0"], "'0' is not a whole number from 1 on"),
    ],
)
def test_bad_options_are_one_line(arguments, says):
    done = native(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("run native: ") and says in done.stderr
