"""bench/run lab: its findings from made-up measurements, its options, and a whole quick run."""

import argparse
import json
import math
import subprocess
import sys

import pytest

import vbt
from driver import findings, flame, lab, pages, tour

BENCH = vbt.ROOT / "bench"


def run(*arguments):
    return subprocess.run([sys.executable, str(BENCH / "run"), *map(str, arguments)], capture_output=True, text=True)


def rows_of(loop, call):
    """Rows of results.json, from {size: nanoseconds} of each."""
    return [
        {"size": size, "op": op, "mean_time_ns": float(times[size])}
        for size in loop
        for op, times in (("python_loop", loop), ("np_sum", call))
    ]


SIZES = [2**k for k in range(4, 25)]
LINEAR = rows_of({n: 100 * n for n in SIZES}, {n: 6400 + n for n in SIZES})  # crossover where 100 n = 6400 + n


def test_findings_of_two_straight_lines():
    found = findings.findings(LINEAR)
    assert found.crossover == pytest.approx(6400 / 99, rel=0.01)  # interpolated between two sizes, so not exactly on the curve
    assert found.predicted_crossover == pytest.approx((6400 + 16) / 99, rel=0.001)
    assert found.plateau == pytest.approx(100, rel=0.01) and found.ceiling == pytest.approx(100, rel=0.001)
    assert found.plateau_sizes == (2**16, 2**24)
    assert found.plateau_range[0] == pytest.approx(100 * 2**16 / (6400 + 2**16)) and found.plateau_range[1] < 100
    assert found.last_gb_per_s == found.best_gb_per_s == pytest.approx(4, rel=0.001) and found.best_size == 2**24


def test_crossover_between_two_sizes():
    assert findings.crossover_of([10, 1000], [0.1, 10]) == pytest.approx(100)
    assert findings.crossover_of([16, 32, 64], [0.5, 1.0, 2.0]) == pytest.approx(32)
    assert findings.crossover_of([16, 32], [1.5, 3.0]) is None and findings.crossover_of([16, 32], [0.1, 0.9]) is None


def text_of(lines):
    return "\n".join(lines)


@pytest.mark.parametrize(
    "loop, call, says",
    [
        ({16: 800, 32: 3200}, {16: 1600, 32: 1600}, "At **23 elements**"),
        (
            {16: 3200, 32: 6400},
            {16: 1600, 32: 1600},
            "Below 16 elements, the smallest array measured: np.sum is already 2.00 times as fast",
        ),
        ({16: 100, 32: 200}, {16: 1600, 32: 1600}, "Nowhere up to 32 elements"),
    ],
)
def test_answer_to_where_the_crossover_is(loop, call, says):
    assert says in text_of(pages.crossover(findings.findings(rows_of(loop, call))))


def test_answer_to_why_the_ratio_saturates():
    assert "the additions themselves" in text_of(pages.saturation(findings.findings(LINEAR)))
    slower = rows_of({n: 100 * n for n in SIZES}, {n: 6400 + n * (2 if n == 2**24 else 1) for n in SIZES})
    found = findings.findings(slower)
    assert found.last_gb_per_s / found.best_gb_per_s == pytest.approx(0.5, rel=0.01)
    assert "memory's bandwidth is what bounds" in text_of(pages.saturation(found))


def test_times_and_sizes_are_readable():
    assert [pages.time(ns) for ns in (0.25, 999, 1500, 2e6, 3.5e9)] == ["0.25 ns", "999 ns", "1.5 µs", "2 ms", "3.5 s"]
    assert (pages.size(65536), pages.size(1000), pages.data(345), pages.data(3 * 2**20)) == ("2^16", "1,000", "345 B", "3 MiB")


PERF = """python3 1 1.0:  5 cpu-clock:
\t 12b25d malloc+0x16d (/usr/lib/libc.so.6)
\t 12b25d [unknown] (/usr/bin/python3.11)
\t 12b25d main+0x1 (/usr/bin/python3.11)

python3 1 1.1:  5 cpu-clock:
\t 12b25d operator<(a, b)+0x16d (/usr/lib/x.so)
\t 12b25d main+0x1 (/usr/bin/python3.11)
"""


def test_flame_graph_of_perf():
    stacks = list(flame.stacks(PERF))
    assert stacks == [("main", "[python3.11]", "malloc"), ("main", "operator<(a, b)")]
    root = flame.tree_of(stacks)
    assert root["count"] == root["calls"]["main"]["count"] == 2 and flame.height_of(root) == 4
    picture = flame.svg(root, "a & b")
    assert "operator&lt;(a, b): 1 samples, 50.0 %" in picture and "a &amp; b" in picture and 'width="600.0"' in picture


def test_tables_of_profilers():
    table = """Timer unit: 1e-06 s
Line #      Hits         Time  Per Hit   % Time  Line Contents
    80    131072      73520.2      0.6     53.7          for x in a:
    81    131071      63377.2      0.5     46.3              total += x
    87         2        229.2    114.6     95.6          total = np.sum(a)
"""
    facts = tour.line_profiler_facts(table)
    assert (facts["for_hits"], facts["add_hits"], facts["sum_hits"]) == (131072, 131071, 2) and facts["for_s"] == pytest.approx(
        0.0735202
    )
    memory = tour.memory_table(
        "Filename: x\n\nLine #    Mem usage\n====\n    71   38.223 MiB    0.281 MiB           1       make it\n\n\nmore"
    )
    assert (
        memory.endswith("make it") and tour.increment_of(memory, "make it") == 0.281 and tour.increment_of(memory, "no such") == 0
    )


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["tea"], "run: expected one of lab, ladder, c, overhead, native, real, instructions, memory, forks, views, many, table, not 'tea'"),
        ([], "run: expected one of lab"),
        (["lab", "--library", "/nowhere/libvbtrace.so"], "--library: no file /nowhere/libvbtrace.so; build vbtrace first"),
        (["lab", "--library", "/bin/sh", "--tool", "/bin/sh", "--out", "/dev/null/x"], "--out: cannot write /dev/null"),
        (["lab", "--seed", "x"], "'x' is not a whole number from 0 on"),
        (["overhead", "--rounds", "0"], "overhead: argument --rounds: '0' is not a whole number from 1 on"),
    ],
)
def test_bad_options_are_one_line(arguments, says):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and says in done.stderr


def test_help_names_the_subcommands():
    done = run("--help")
    assert done.returncode == 0 and all(f"bench/run {name}" in done.stdout for name in ("lab", "ladder", "c", "overhead", "native"))


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    pytest.importorskip("numpy")
    pytest.importorskip("matplotlib")
    out = tmp_path_factory.mktemp("lab") / "new"
    done = run("lab", "--quick", "--library", vbt.LIBRARY, "--tool", vbt.ANALYZER, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    return out, done.stdout


def test_every_deliverable_is_there(experiment):
    out, printed = experiment
    assert {path.name for path in out.iterdir()} == {
        "README.md", "profiler_tour.md", "results.json", "manifest.json", "speedup.png", "bench_sum.vbt", "tour"
    }  # fmt: skip
    assert (out / "speedup.png").read_bytes().startswith(b"\x89PNG") and (out / "speedup.png").stat().st_size > 20_000
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest.keys() >= {"date", "cpu", "kernel", "libc", "pythons", "seed", "sizes", "vbtrace", "perf", "tour_size"}
    assert "1,048,576" in printed and "README.md" in printed


def test_counts_of_the_lab(experiment):
    """The loop makes two per element and five per call; those of np.sum do not depend on the
    size."""
    rows = json.loads((experiment[0] / "results.json").read_text())
    assert [(row["size"], row["op"]) for row in rows] == [
        (size, op) for size in (16, 256, 4096, 65536, 1048576) for op in ("python_loop", "np_sum")
    ]
    for row in rows:
        assert row.keys() >= {"size", "op", "mean_time_ns", "std_time_ns", "n_repeats"}
        assert row["traced_time_ns"] > 0 and row["peak_bytes"] > 0
        if row["op"] == "python_loop":
            calls = row["iterations"] // row["size"]
            assert row["allocs"] == 2 * row["iterations"] + 5 * calls
            assert row["allocs_per_iteration"] == row["allocs_per_element"] == row["allocs"] / row["iterations"]
        else:
            assert math.isclose(row["allocs_per_element"], row["allocs_per_iteration"] / row["size"])
    calls = [row["allocs_per_iteration"] for row in rows if row["op"] == "np_sum"]
    assert min(calls) > 0 and max(calls) - min(calls) < 0.01


def test_a_second_run_counts_the_same(experiment, tmp_path):
    first = json.loads((experiment[0] / "results.json").read_text())
    options = argparse.Namespace(
        python="/usr/bin/python3", seed=0, quick=True, out=tmp_path, library=vbt.LIBRARY, tool=vbt.ANALYZER
    )
    counted = (
        "iterations",
        "allocs",
        "allocated_bytes",
        "allocs_per_iteration",
        "bytes_per_iteration",
        "allocs_per_element",
        "peak_bytes",
    )
    for before, after in zip(first, lab.measured(options)):
        assert {name: before[name] for name in counted} == {name: after[name] for name in counted}


def test_tour_has_every_profiler(experiment):
    page = (experiment[0] / "profiler_tour.md").read_text()
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == [
        "cProfile", "line_profiler", "memory_profiler", "py-spy", "perf", "vbtrace"
    ]  # fmt: skip
    assert "ncalls  tottime" in page and "Alloc/Hit  Line Contents" in page and "(python_loop)" in page and "$ LD_PRELOAD=libvbtrace.so" in page
    answers = (experiment[0] / "README.md").read_text()
    assert "makes **2.000 allocations** of 48.00 bytes" in answers and "{" not in answers


def test_example_in_the_course_is_that_of_its_results():
    rows = json.loads((BENCH / "example" / "results.json").read_text())
    page = (BENCH / "README.md").read_text()
    assert page.partition("<!-- lab: begin -->\n")[2].partition("<!-- lab: end -->")[0].splitlines() == list(pages.markdown_table(rows))


def test_pages_do_without_profilers_that_are_absent():
    facts = {
        "loop_allocs": 2005, "loop_bytes": 48_000, "loop_iterations": 1000, "loop_high": 297, "sum_allocs": 7, "sum_bytes": 1032, "trace_bytes": 9,
        "for_hits": 1001, "add_hits": 1000, "for_s": 0.1, "add_s": 0.2, "array_bytes": 4000,
    }  # fmt: skip
    absent = [tour.Stop(name, absent=f"no {name}") for name in ("cProfile", "line_profiler", "memory_profiler", "py-spy", "perf")]
    stops = [tour.Stop("by itself", wall_s=1.0), *absent, tour.Stop("vbtrace", "typed", "table", wall_s=1.5, facts=facts)]
    page = pages.tour(stops, 1000)
    assert all(f"no {name}" in page for name in ("line_profiler", "perf")) and "| vbtrace | 1.50 s | 1.50 |" in page and "2.005 allocations" in page
    printed = text_of(pages.blind_spots(stops, 1000))
    assert "**vbtrace** counted 2,005 allocations" in printed and "**perf**" not in printed and "not installed" in printed
