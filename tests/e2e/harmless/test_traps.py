"""What commonly breaks allocation tracers: small and foreign stacks, signals, libraries that come
and go. And the bench, traced."""

import json

import pytest

import vbt
from conservation import check_laws

SOURCE = vbt.program("traps.c")


def traced(*arguments):
    return vbt.trace([vbt.compiled(SOURCE.name, "-O1", "-fno-builtin"), *arguments])


@pytest.mark.parametrize(
    "trap, comment, allocs",
    [
        ("small-stack", "N on a small stack", 1000),
        ("signals", "100 * N between signals", 100_000),
        ("fibre", "N in a fibre", 1000),
        ("alternate-stack", "1 in a handler on another stack", 1),
    ],
)
def test_trap(trap, comment, allocs):
    report = traced(trap).report
    assert report.blocks_at(SOURCE, comment)[0] == allocs
    check_laws(report)


def test_contents_of_blocks():
    """Usable sizes are also the same as without vbtrace."""
    program = vbt.compiled(SOURCE.name, "-O1", "-fno-builtin")
    assert traced("contents").stdout == vbt.run([program, "contents"]).stdout


def test_libraries_at_the_same_address():
    """Each of two plugins is loaded ten times and allocates its own number of blocks each time."""
    flags = ["-shared", "-fPIC", "-O1", "-fno-builtin"]
    plugins = [vbt.compiled("plugin.c", *flags, f"-DBLOCKS={blocks}", f"-DNAME={name}") for blocks, name in ((100, "first"), (7, "second"))]
    report = traced("libraries", *plugins).report
    found = {}
    for row in report.json["lines"]:
        if row["file"].endswith("plugin.c") or "plugin" in (row.get("module") or ""):
            found[row["function"]] = found.get(row["function"], 0) + row["allocs"]
    assert found == {"first": 1000, "second": 70}
    check_laws(report)


def test_script_by_a_relative_path(interpreter, tmp_path):
    """Its lines have their source text wherever the report is made; 3.8 knows such a script only by
    its relative path."""
    (tmp_path / "script.py").write_text("kept = [None] * 1000\nfor i in range(1000):\n    kept[i] = str(i) * 10  # here\n")
    report = vbt.trace([interpreter.path, "script.py"], directory=tmp_path).report
    rows = [row for row in report.json["user_lines"] if row["file"].endswith("script.py") and row["line"] == 3]
    assert [row["source"].strip() for row in rows] == ["kept[i] = str(i) * 10  # here"] and rows[0]["allocs"] >= 2000


def test_source_of_every_line(interpreter):
    """The source text of each row is that line of the program's file."""
    program = vbt.program("ground_truth_objects.py")
    source = program.read_text().splitlines()
    rows = [row for row in vbt.traced_python(program.name, interpreter).report.json["lines"] if row["file"] == str(program) and row["line"]]
    assert len(rows) > 40
    for row in rows:
        assert row["source"].strip() == source[row["line"] - 1].strip()


def test_shells_are_followed_if_asked():
    run = vbt.trace(["sh", "-c", "/bin/echo one; :"], env={"VBTRACE_FOLLOW": "all"})
    assert run.stdout == "one\n" and len(run.paths) == 2


def test_bench_sum(tmp_path):
    """The Python loop: 2 allocations and 48 bytes per iteration, and a few per call for the
    iterator and the call itself."""
    pytest.importorskip("numpy")
    sizes = (64, 1024, 8192)
    command = ["/usr/bin/python3", vbt.ROOT / "bench" / "bench_sum.py", "--sizes", ",".join(map(str, sizes))]
    command += ["--elements", "16384", "--repeats", "3", "--out", tmp_path / "results.json"]
    report = vbt.trace(command, python_paths=[vbt.MODULE_DIRECTORY], silent=False).report
    assert len(json.loads((tmp_path / "results.json").read_text())) == 2 * len(sizes)
    for size in sizes:
        (loop,) = report.intervals(label=f"python_loop {size}")
        assert (loop["count"], loop["iterations"]) == (3, 3 * 16384)
        assert 2 <= loop["per_iteration"]["allocs"] <= 2 + 6 / size
        assert 48 <= loop["per_iteration"]["allocated_bytes"] <= 48 + 600 / size
        (by_numpy,) = report.intervals(label=f"np_sum {size}")
        assert by_numpy["iterations"] == 3 * 16384 // size
    check_laws(report)
