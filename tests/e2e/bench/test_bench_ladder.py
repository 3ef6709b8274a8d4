"""bench/run ladder: the allocations that every variant states, on every interpreter; growth; the
table and its options."""

import json
import subprocess
import sys

import pytest

import vbt
from driver import expectation, growth, ladder, native_modules, traced

BENCH = vbt.ROOT / "bench"
WITHOUT_NUMPY = ["list_building", "sorting", "strings"]


def run(*arguments):
    build = ["--library", vbt.LIBRARY, "--tool", vbt.ANALYZER]
    return subprocess.run(
        [sys.executable, *map(str, [BENCH / "run", "ladder", *build, *arguments])], capture_output=True, text=True
    )


def has_numpy(python):
    return subprocess.run([python.path, "-c", "import numpy"], capture_output=True).returncode == 0


def test_every_statement_holds(interpreter, tmp_path):
    """Exactly, at every size; without NumPy only those that do not need it."""
    numpy = has_numpy(interpreter)
    if numpy:
        native_modules.build(interpreter.path, tmp_path)
    result = ladder.count(traced.Vbtrace(vbt.LIBRARY, vbt.ANALYZER), interpreter.path, ladder.WORKLOADS, tmp_path)
    measured = {row["workload"] for row in result["rows"]}
    assert measured == set(ladder.WORKLOADS if numpy else WITHOUT_NUMPY)
    assert all(len(rows) == 4 for _, _, rows in ladder.groups(result["rows"]))
    assert expectation.unmet(result["rows"]) == []


def test_counts_are_the_same_again(tmp_path):
    vbtrace, python = traced.Vbtrace(vbt.LIBRARY, vbt.ANALYZER), vbt.interpreters()[-1].path
    first, second = (ladder.count(vbtrace, python, WITHOUT_NUMPY, tmp_path)["rows"] for _ in range(2))
    assert first == second and len(first) == 4 * 9


SIZES = [1000, 2000, 4000, 8000]


@pytest.mark.parametrize(
    "function, shape",
    [
        (lambda n: 7, "constant"),
        (lambda n: 7 + (n > 1000), "constant"),
        (lambda n: 100_000 + n // 100, "constant"),
        (lambda n: 2 * n + 5, "linear"),
        (lambda n: 4 * n * (n + 1) + 600 * n, "quadratic"),
        (lambda n: 3 * n * n - 2 * n, "quadratic"),
        (lambda n: 16 * n * (n.bit_length() - 1), "n log n"),
        (lambda n: 40 * n.bit_length(), "logarithmic"),
    ],
)
def test_growth_of_counts(function, shape):
    sizes = SIZES if shape != "n log n" else [32, 64, 128, 256]
    assert growth.of_counts(sizes, [function(n) for n in sizes]) == shape


def test_growth_of_times():
    assert growth.of_times(SIZES, [100, 130, 90, 110]) == "constant"
    assert growth.of_times(SIZES, [1.1 * n * (1 + n % 3 / 10) for n in SIZES]) == "linear"
    assert growth.of_times(SIZES, [0.3 * n * n + 50_000 for n in SIZES]) == "quadratic"
    assert growth.of_times(SIZES, [n**3 for n in SIZES]) == "cubic"


def rows_with(allocs, **expression):
    stated = {"allocs": "2 * n", "bytes": "0", **expression}
    return [
        {
            "workload": "w", "variant": "v", "n": n, "iterations": n, "time_ns": 100.0 * n, "expression": stated, "peak_bytes": 10,
            "expected": {"allocs": 2 * n, "bytes": 0}, "allocs": allocs(n), "allocated_bytes": 48,
        }
        for n in SIZES
    ]  # fmt: skip


def test_a_statement_that_does_not_hold_is_reported():
    assert expectation.unmet(rows_with(lambda n: 2 * n + 3)) == []
    (line,) = expectation.unmet(rows_with(lambda n: 2 * n + (n == 4000)))
    assert line.startswith(
        "w.v: allocs 2 * n, and a constant: counted 2,000 at 1000, 4,000 at 2000, 8,001 at 4000"
    ) and line.endswith("0, 0, 1, 0")
    (line,) = expectation.unmet(rows_with(lambda n: 2 * n + 401))
    assert "a constant of at most 400" in line


def test_table():
    lines = list(ladder.table(rows_with(lambda n: 2 * n - 3), {"w": "one thing against another"}))
    assert lines[2] == "w: one thing against another"
    assert lines[3].split() == [
        "v",
        "8000",
        "100",
        "ns",
        "1.0x",
        "2.000",
        "0.006",
        "B",
        "10",
        "B",
        "linear",
        "linear",
        "constant",
        "2",
        "*",
        "n",
        "-",
        "3",
    ]
    assert expectation.as_text(rows_with(lambda n: 2 * n)[0]) == "2 * n"


def test_a_run(tmp_path):
    out = tmp_path / "new" / "ladder.json"
    done = run("--quick", "--workloads", "strings,sorting", "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(out.read_text())
    assert result["manifest"]["quick"] is True and result["workloads"].keys() == {"strings", "sorting"}
    assert len(result["rows"]) == 4 * 6 and all(row["time_ns"] > 0 for row in result["rows"])
    (behind,) = [row for row in result["rows"] if row["variant"] == "behind" and row["n"] == 1000]
    assert behind["allocs"] == 1000 and behind["allocated_bytes"] > 4 * 1000 * 1001
    assert "quadratic" in done.stdout and str(out) in done.stdout


def test_bad_workload_is_one_line():
    done = run("--workloads", "strings,tea")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "'tea' is not one of broadcasting, " in done.stderr
