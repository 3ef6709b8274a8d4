"""bench/run c: the allocations that the programs of bench/c state, to the byte."""

import json
import shutil
import subprocess
import sys

import pytest

import vbt
from driver import c, traced

BENCH = vbt.ROOT / "bench"


@pytest.mark.parametrize("program", c.all_programs(), ids=lambda program: program.name)
def test_every_statement_holds(tmp_path, program):
    if program.missing():
        pytest.skip(program.missing())
    assert program.stated and program.about
    rows = c.count(traced.Vbtrace(vbt.LIBRARY, vbt.ANALYZER), program, program.build(tmp_path), tmp_path)
    assert len(rows) == len(program.stated) * len(c.SIZES) and all(row["allocs"] > 0 for row in rows)
    assert c.unmet(rows) == []


def test_what_programs_state_is_read(tmp_path):
    source = tmp_path / "shape.c"
    source.write_text(
        "/* One thing, and another.\n *\n * expect one: allocs n; bytes 8 * n\n * expect other: allocs 1; bytes log2(n) + 1; "
        "each 0..1 */\n"
    )
    program = c.Program(source)
    assert program.about == "One thing, and another"
    assert program.stated == {
        "one": {"allocs": "n", "bytes": "8 * n"},
        "other": {"allocs": "1", "bytes": "log2(n) + 1", "each": [0, 1]},
    }
    assert program.expected("other", 1024) == {"allocs": 1, "bytes": 11}
    assert [c.doublings(30, enough) for enough in (16, 30, 31, 60, 61)] == [0, 0, 1, 1, 2]


def test_what_does_not_hold_is_reported():
    row = {
        "workload": "p", "variant": "v", "n": 8, "expression": {"allocs": "n", "bytes": "8 * n", "each": [1, 1]},
        "expected": {"allocs": 8, "bytes": 64}, "allocs": 8, "frees": 8, "allocated_bytes": 64, "net_bytes": 0, "each": [1, 1],
    }  # fmt: skip
    assert c.unmet([row]) == []
    assert c.unmet([{**row, "allocs": 9, "frees": 9}]) == ["p.v: allocs n, and a constant of at most 0: counted 9 at 8"]
    assert c.unmet([{**row, "frees": 7, "net_bytes": 8}]) == ["p.v at 8: 8 allocations and 7 frees, 8 bytes left"]
    assert c.unmet([{**row, "each": [0, 1]}]) == ["p.v at 8: an iteration allocates [0, 1] times (least, most), stated [1, 1]"]


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_a_run(tmp_path):
    out = tmp_path / "c.json"
    command = [BENCH / "run", "c", "--quick", "--library", vbt.LIBRARY, "--tool", vbt.ANALYZER, "--out", out]
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(out.read_text())
    (row,) = [row for row in result["rows"] if row["variant"] == "buffer_kept" and row["n"] == 8192]
    assert (row["allocs"], row["allocated_bytes"], row["each"], row["each_count"]) == (8, 64 * 36, [0, 1], 8192) and row[
        "time_ns"
    ] > 0
    assert (
        "marked_requests.buffer_kept: of 8,192 iterations marked one by one, the least made 0 allocations, the most 1."
        in done.stdout
    )


@pytest.mark.parametrize(
    "arguments, says",
    [
        ([], "expected: count N"),
        (["count"], "expected: count N"),
        (["count", "0"], "'0' is not a number"),
        (["time", "5"], "expected: "),
    ],
)
def test_programs_tell_what_they_expect(tmp_path, arguments, says):
    program = c.Program(c.PROGRAMS / "object_pool.c")
    if program.missing():
        pytest.skip(program.missing())
    done = subprocess.run([program.build(tmp_path), *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "") and says in done.stderr
