"""C and C++ programs whose every line has a known cost, at -O0 and -O2; and Valgrind's counts, if
it is installed."""

import json
import re
import shutil

import pytest

import vbt
from conservation import check_by_second_reader, check_laws

NAMES = {
    "heap_calls.c": {"N": 1000, "PVALLOC": 100},
    "cross_threads.c": {"PAIRS": 4, "BLOCKS": 20000, "SHORT": 1000},
    "life.c": {},
    "thread_locals.cpp": {"N": 50, "THREADS": 20},
    "peaks.c": {"TEETH": sum(range(31)) + sum(range(20))},  # heights 0 to 30 and 19 to 1, in blocks
}
LEVELS = ["-O0", "-O2"]
UNDER_ALLOCATORS = ["heap_calls.c", "cross_threads.c", "life.c", "peaks.c"]
_runs = {}


def traced(source, level, *flags, preload=()):
    key = source, level, flags, tuple(preload)
    if key not in _runs:
        _runs[key] = vbt.trace([vbt.compiled(source, level, *flags)], preload=preload)
    return _runs[key]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("source", NAMES)
def test_every_line(source, level):
    report = traced(source, level, "-fno-builtin").report
    program = vbt.program(source)
    wrong = vbt.wrong_lines(report.by_line(), program, vbt.truths(program, **NAMES[source]))
    assert not wrong, f"\n{wrong}"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("source", NAMES)
def test_laws(source, level):
    report = traced(source, level, "-fno-builtin").report
    check_laws(report)
    check_by_second_reader(report)
    assert report.json["program"]["python"] is None
    assert report.totals["unknown_frees"] == {"heap": 0, "python": 0, "map": 0}


def test_peak_of_a_saw():
    """30 blocks of 1,000 bytes, whatever else is live."""
    report = traced("peaks.c", "-O0", "-fno-builtin").report
    others = report.totals["live_bytes"]  # the C library's own; none is left of the program's
    assert report.totals["peak_bytes"] == 30 * 1000 + others
    (line,) = [row for row in report.json["lines"] if row["at_peak_bytes"] == 30_000]
    assert line["allocs"] == 655


def test_histogram_of_sizes():
    """Powers of two: 0; 1; 2 and 3; 4 to 7; ..."""
    trace = traced("peaks.c", "-O0", "-fno-builtin").report.trace
    (row,) = [row for row in trace.counters.values() if row["allocs"] == 2000]
    assert row["sizes"] == {0: 1, **{k: 2 ** (k - 1) for k in range(1, 11)}, 11: 2000 - 1024}
    assert (row["min_bytes"], row["max_bytes"]) == (0, 1999)


@pytest.mark.parametrize("allocator", vbt.ALLOCATORS)
@pytest.mark.parametrize("source", UNDER_ALLOCATORS)
def test_lines_with_another_allocator(source, allocator):
    """Preloaded after vbtrace: the program's requests are the same, whichever allocator serves
    them."""
    vbt.needs_library(allocator)
    if (source, allocator) == ("heap_calls.c", "libmimalloc.so.2"):
        pytest.skip("mimalloc's realloc(block, 0) gives a block, which the program does not expect")
    report = traced(source, "-O0", "-fno-builtin", preload=[allocator]).report
    program = vbt.program(source)
    wrong = vbt.wrong_lines(report.by_line(), program, vbt.truths(program, **NAMES[source]))
    assert not wrong, f"\n{wrong}"
    check_laws(report)


@pytest.mark.parametrize("source", ["life.c", "peaks.c", "cross_threads.c"])
def test_totals_are_those_of_valgrind(source):
    """Programs that do not realloc blocks of other allocators, which Valgrind counts
    differently."""
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    program = vbt.compiled(source, "-O0", "-fno-builtin")
    done = vbt.run(["valgrind", "--run-libc-freeres=no", "--run-cxx-freeres=no", program])
    counted = re.search(r"total heap usage: ([\d,]+) allocs, ([\d,]+) frees, ([\d,]+) bytes", done.stderr)
    allocs, frees, size = (int(number.replace(",", "")) for number in counted.groups())
    report = traced(source, "-O0", "-fno-builtin").report
    totals = report.totals
    # The C library keeps 16 bytes in each thread's table for each library with thread-local
    # variables: libvbtrace and libunwind.
    functions = json.loads(vbt.vbtrace("functions", "--format", "json", report.path).stdout)["functions"]
    tables = sum(row["cumulative_allocs"] for row in functions if row["function"] == "allocate_dtv")
    assert (totals["allocs"], totals["frees"], totals["allocated_bytes"] - 32 * tables) == (allocs, frees, size)


def sections(report):
    return {row["label"]: row for row in report.json["intervals"] if row["label"]}


def test_calls_of_the_library():
    found = sections(traced("library_calls.c", "-O2").report)

    def counted(label):
        row = found[label]
        return [row[name]["total"] for name in ("allocs", "frees", "allocated_bytes", "freed_bytes")]

    assert counted("empty") == [0, 0, 0, 0]
    assert counted("strdup") == [1000, 0, 6000, 0] and found["strdup"]["per_iteration"]["allocs"] == 1
    assert counted("free") == [0, 1000, 0, 6000]
    assert counted("strndup") == [1000, 0, 3000, 0]
    assert found["asprintf"]["net_bytes"]["total"] == 11 * 1000 and found["asprintf"]["count"] == 1000
    assert counted("getline")[:2] == [2, 0]


def test_new_and_delete():
    found = sections(traced("new_delete.cpp", "-O0").report)

    def counted(label):
        row = found[label]
        return [row[name]["total"] for name in ("allocs", "frees", "allocated_bytes")]

    assert counted("new") == [1000, 0, 16_000] and counted("delete") == [0, 1000, 0]
    assert counted("new[]") == [1000, 0, 40_000] and counted("delete[]") == [0, 1000, 0]
    assert counted("aligned new") == [1000, 0, 256_000] and counted("aligned delete") == [0, 1000, 0]
    assert counted("nothrow new") == [1000, 0, 4_000]
    assert counted("exception")[:2] == [1000, 1000] and counted("too much")[0] == counted("too much")[1]
    assert counted("vector") == [11, 10, 4 * 2047]


@pytest.mark.parametrize("level", LEVELS)
def test_errno_is_kept(level):
    program = vbt.compiled("errno_kept.c", level)
    untraced = vbt.run([program])
    assert untraced.returncode == 0 and untraced.stdout.count("errno") > 100
    assert vbt.trace([program]).stdout == untraced.stdout
