"""Intervals between clock readings, and marked sections: the counts of each, in C and in Python."""

import math
import re

import pytest

import vbt
from conservation import check_laws

C, PYTHON = vbt.program("clocks.c"), vbt.program("clocks.py")


def line_of(program, comment):
    lines = program.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if re.search(rf"(//|#) {comment}( -- .*)?$", line))


@pytest.fixture(scope="module", params=["-O0", "-O2"])
def in_c(request):
    return vbt.trace([vbt.compiled(C.name, request.param, "-fno-builtin")]).report


def between(report, program, begin, end):
    (row,) = report.intervals(start=(program, line_of(program, begin)), end=(program, line_of(program, end)))
    assert row["kind"] == "clock" and row["label"] is None
    return row


def section(report, label):
    """All intervals with a label, which may be at more than one place."""
    rows = report.intervals(label=label)
    assert rows and all(row["kind"] == "section" for row in rows)
    return rows


def flows(row, which="total"):
    return tuple(row[name][which] for name in ("allocs", "frees", "allocated_bytes", "freed_bytes", "net_bytes", "high_bytes"))


CLOCKS = ["clock_gettime", "gettimeofday", "time", "clock", "times", "timespec_get", "getrusage"]


@pytest.mark.parametrize("number, clock", list(enumerate(CLOCKS, 1)))
def test_clocks_of_c(in_c, number, clock):
    """100 blocks of 10 bytes between the readings of the first clock, 200 of the second, ..."""
    row = between(in_c, C, f"{clock} begins", f"{clock} ends")
    n = 100 * number
    assert row["count"] == 1 and flows(row) == (n, 0, 10 * n, 0, 10 * n, 10 * n)
    assert 0 < row["time_ns"]["min"] == row["time_ns"]["max"] == row["time_ns"]["total"] and row["time_ns"]["std"] == 0
    assert [(site["function"], site["allocs"], site["allocated_bytes"]) for site in row["sites"]] == [("allocate", n, 10 * n)]


def test_consecutive_readings(in_c):
    """The end of one interval is the beginning of the next."""
    row = between(in_c, C, "clock_gettime ends", "clock_gettime again")
    assert flows(row) == (0, 100, 0, 1000, -1000, 0)


def test_repetitions(in_c):
    row = between(in_c, C, "repeated begins", "repeated ends")
    assert row["count"] == 5
    assert row["allocs"] == {"min": 10, "mean": 30, "max": 50, "total": 150}
    assert row["frees"] == {"min": 5, "mean": 15, "max": 25, "total": 75}
    assert flows(row) == (150, 75, 15_000, 7_500, 7_500, 15_000)
    assert flows(row, "max") == (50, 25, 5_000, 2_500, 2_500, 5_000)
    time = row["time_ns"]
    assert 0 < time["min"] <= time["mean"] <= time["max"] and math.isclose(time["mean"], time["total"] / 5)
    spread = time["max"] - time["min"]
    assert spread / math.sqrt(2 * 5) * 0.999 <= time["std"] <= spread / 2 * 1.001  # bounds for any five numbers


def test_sections_of_c(in_c):
    (outer,), (inner,) = section(in_c, "outer"), section(in_c, "inner")
    assert (outer["count"], outer["iterations"]) == (1, 10) and flows(outer)[:2] == (130, 30)
    assert outer["per_iteration"]["allocs"] == 13 and flows(outer)[4:] == (800, 960)
    assert (inner["count"], inner["iterations"]) == (3, 15) and flows(inner) == (30, 30, 480, 480, 0, 480)
    assert inner["per_iteration"]["allocs"] == 2 and inner["per_iteration"]["allocated_bytes"] == 32
    (empty,) = section(in_c, "empty")
    assert empty["count"] == 1 and flows(empty) == (0, 0, 0, 0, 0, 0)


def test_end_of_an_outer_section_ends_the_inner(in_c):
    for label in ("left open", "closed by the outer"):
        (row,) = section(in_c, label)
        assert row["count"] == 1 and row["allocs"]["total"] == 7
    assert in_c.intervals(label="never begun") == []


def test_recursive_section(in_c):
    rows = section(in_c, "recursive")
    assert sum(row["count"] for row in rows) == 5 and sum(row["allocs"]["total"] for row in rows) == 15
    assert min(row["allocs"]["min"] for row in rows) == 1 and max(row["allocs"]["max"] for row in rows) == 5


def test_sections_of_threads(in_c):
    (row,) = section(in_c, "in a thread")
    assert (row["count"], row["iterations"]) == (4, 4000)
    assert flows(row) == (4000, 4000, 128_000, 128_000, 0, 128_000)
    assert in_c.intervals(label="left by a thread") == []  # never ended
    (row,) = in_c.json["unended_sections"]
    assert (row["label"], row["count"], row["from"]["function"]) == ("left by a thread", 4, "in_thread")


def test_place_of_a_section_in_c(in_c):
    """Where the program calls vbtrace_begin and vbtrace_end."""
    lines = C.read_text().splitlines()
    (row,) = section(in_c, "outer")
    for place, call in ((row["from"], 'vbtrace_begin("outer"'), (row["to"], 'vbtrace_end("outer")')):
        assert place["file"] == str(C) and call in lines[place["line"] - 1]


def test_laws_of_c(in_c):
    check_laws(in_c)


@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_sections_without_vbtrace(level):
    """The header's functions do nothing without the library."""
    assert vbt.run([vbt.compiled(C.name, level, "-fno-builtin")]).returncode == 0


@pytest.fixture
def in_python(interpreter):
    run = vbt.traced_python(PYTHON.name, interpreter)
    return run.report, run.printed


PYTHON_CLOCKS = ["perf_counter", "perf_counter_ns", "time", "time_ns", "monotonic", "process_time", "thread_time", "datetime"]


def test_clocks_of_python(in_python):
    """The floats, the iterator, and the result of the first reading, which is made after it."""
    report, printed = in_python
    for clock in PYTHON_CLOCKS:
        row = between(report, PYTHON, f"{clock} begins", f"{clock} ends")
        if clock == "datetime":
            assert row["allocs"]["total"] - row["frees"]["total"] == printed["N"] + 1, clock
        else:
            assert (row["count"], *flows(row)[:2]) == (1, printed["N"] + 2, 1), clock
        sites = [(site["allocs"], site["allocated_bytes"]) for site in row["sites"] if site["function"] == "fill"]
        assert (printed["N"], printed["N"] * printed["float_size"]) in sites, clock


def test_readings_of_libraries_break_nothing(in_python):
    """logging, threading and importlib read clocks, too."""
    row = between(in_python[0], PYTHON, "libraries begin", "libraries end")
    assert row["count"] == 1 and row["allocs"]["total"] > in_python[1]["N"]


def test_readings_are_the_users(in_python):
    """Only the program's lines, and those of timed statements, begin or end an interval."""
    report, _ = in_python
    files = {row[end]["file"] for row in report.json["intervals"] for end in ("from", "to")}
    assert files <= {str(PYTHON), "<timeit-src>"}, files


def test_repetitions_in_python(in_python):
    """10, 20, ... 50 texts; two iterators and the result of the first reading."""
    row = between(in_python[0], PYTHON, "repeated begins", "repeated ends")
    assert row["count"] == 5
    assert row["allocs"] == {"min": 13, "mean": 33, "max": 53, "total": 165}
    assert row["frees"]["min"] == 7 and row["frees"]["max"] >= 27


def test_empty_section(in_python):
    report, _ = in_python
    (empty,), (by_calls,) = section(report, "empty"), section(report, "empty by calls")
    assert (empty["count"], empty["iterations"], flows(empty)) == (3, 3, (0,) * 6)
    assert empty["per_iteration"]["allocs"] == 0
    assert (by_calls["count"], by_calls["allocs"]["total"], by_calls["allocated_bytes"]["total"]) == (1, 0, 0)


def test_nested_sections(in_python):
    report, printed = in_python
    n = printed["N"]
    (inner,), (outer,) = section(report, "inner"), section(report, "outer")
    assert inner["allocs"]["total"] == n + 1 and inner["iterations"] == n  # the iterator
    assert inner["net_bytes"]["total"] == n * printed["float_size"]
    assert inner["high_bytes"]["total"] == n * printed["float_size"] + printed["iterator"]
    assert outer["allocs"]["total"] == n + 1 + printed["with_binds"]  # and the method that ends the inner section
    assert inner["per_iteration"]["allocs"] == pytest.approx(1.001)


def test_recursive_section_in_python(in_python):
    rows = section(in_python[0], "recursive")
    assert sum(row["count"] for row in rows) == 5 and sum(row["iterations"] for row in rows) == 5
    assert sum(row["allocs"]["total"] for row in rows) == 15
    assert min(row["allocs"]["min"] for row in rows) == 1 and max(row["allocs"]["max"] for row in rows) == 5


def test_sections_of_python_threads(in_python):
    report, printed = in_python
    (row,) = section(report, "in a thread")
    assert (row["count"], row["iterations"]) == (4, 4 * printed["N"])
    assert printed["N"] <= row["allocs"]["min"] <= row["allocs"]["max"] <= printed["N"] + 1  # a float may come from the free list


def test_timeit(in_python):
    """By vbtrace.timeit as a section with its number, and by timeit itself as an interval."""
    report, printed = in_python
    (row,) = section(report, "timeit")
    assert (row["count"], row["iterations"]) == (1, printed["N"])
    assert row["per_iteration"]["allocs"] == pytest.approx(1, abs=0.05)  # an int each, and the list grows
    clocks = [row for row in report.json["intervals"] if row["kind"] == "clock"]
    plain = [row for row in clocks if row["from"]["file"] == row["to"]["file"] == "<timeit-src>"]
    assert len(plain) == 1 and plain[0]["allocs"]["total"] == pytest.approx(printed["N"], abs=50)


def test_laws_of_python(in_python):
    check_laws(in_python[0])
