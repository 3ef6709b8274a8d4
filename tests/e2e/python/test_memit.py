"""vbtrace run --memit: the memory of one statement, with known answers."""

import re

import pytest

import vbt

NUMBER = r"(-?[\d,]+)"
SAID = re.compile(
    r"peak memory: (\d+\.\d\d) MiB, increment: (\d+\.\d\d) MiB\n"
    rf"peak heap: {NUMBER} B, increment: {NUMBER} B, kept: {NUMBER} B\n"
    rf"allocations: {NUMBER} of {NUMBER} B, freed: {NUMBER} of {NUMBER} B\n"
    rf"(?:not counted: {NUMBER} allocations of {NUMBER} B in other threads\n)?"
)
NAMES = "peak rss_increment peak_heap increment kept allocs allocated frees freed other_allocs other_allocated".split()


def memit(statement, *options, directory, printed="", python="/usr/bin/python3", **more):
    """What is printed for a statement, and the report of its trace."""
    done = vbt.vbtrace("run", "--memit", statement, *options, "--python", python, "-o", directory / "memit.vbt", directory=directory, **more)
    assert (done.returncode, done.stderr) == (0, ""), (done.returncode, done.stdout, done.stderr)
    assert done.stdout.startswith(printed)
    reported = SAID.fullmatch(done.stdout[len(printed) :])
    assert reported, done.stdout
    found = [float(text) if i < 2 else text and int(text.replace(",", "")) for i, text in enumerate(reported.groups())]
    return dict(zip(NAMES, found)), vbt.Report(directory / "memit.vbt")


@pytest.mark.parametrize("statement, status", [("b'x'", 0), ("1 / 0", 1), ("import os; os.fork()", 0), ("import os; os.kill(os.getpid(), 9)", -9)])
def test_no_trace_stays_unless_asked_for(statement, status, tmp_path):
    """Neither where it runs nor among the temporary files."""
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    done = vbt.vbtrace("run", "--memit", statement, "--python", "/usr/bin/python3", directory=here, env={"TMPDIR": str(temporary)})
    assert done.returncode == status and ("peak heap: " in done.stdout) == (status == 0)
    assert list(here.iterdir()) == list(temporary.iterdir()) == []


def counts(reported):
    return tuple(reported[name] for name in ("increment", "kept", "allocs", "allocated", "frees", "freed"))


def size_of(python, expression):
    return int(vbt.run([python, "-c", f"import sys; print(sys.getsizeof({expression}))"]).stdout)


def test_nothing_costs_nothing(interpreter, tmp_path):
    reported, _ = memit("pass", directory=tmp_path, python=interpreter.path)
    assert counts(reported) == (0, 0, 0, 0, 0, 0)


def test_memory_that_is_touched(interpreter, tmp_path):
    """One block of 50 MB, allocated and freed: the peak of the whole process, in its resident set
    and in its heap."""
    n = 50_000_000
    reported, report = memit("b'x' * n", "--setup", f"n = {n}", directory=tmp_path, python=interpreter.path)
    size = n + size_of(interpreter.path, "b''")
    assert counts(reported) == (size, 0, 1, size, 1, size)
    assert n / 2**20 - 1 < reported["rss_increment"] < n / 2**20 + 2  # the kernel's count lags by dozens of pages; vbtrace uses some
    own = sum(row["at_peak_bytes"] for row in report.json["lines"] if "vbtrace" in row["file"] + row["function"])
    assert reported["peak_heap"] == report.totals["peak_bytes"] - own


def test_what_stays_and_what_goes(interpreter, tmp_path):
    """Two lines each of setup and statement: 100 blocks of 1000 bytes and their list's array are
    freed; then one block and an array are allocated."""
    setup = ["--setup", "data = [bytes(1000)", "--setup", "        for _ in range(100)]"]
    reported, _ = memit("data.clear()", "--memit", "data.append(b)", *setup, "--setup", "b = None", directory=tmp_path, python=interpreter.path)
    array = size_of(interpreter.path, "[0 for _ in range(100)]") - size_of(interpreter.path, "[]")
    gone, come = array + 100 * (1000 + size_of(interpreter.path, "b''")), 4 * 8
    assert counts(reported) == (0, come - gone, 1, come, 101, gone)


def test_the_statement_prints_and_imports(tmp_path):
    (tmp_path / "helper.py").write_text("def f():\n    return 'imported'\n")
    memit("print(helper.f(), __name__, sys.argv)", "--setup", "import helper, sys", directory=tmp_path, printed="imported __main__ ['-c']\n")


def test_other_threads_are_counted_separately(tmp_path):
    start = "import threading; work = lambda: b'x' * n; n = 10_000_000"
    reported, _ = memit("t = threading.Thread(target=work); t.start(); t.join()", "--setup", start, directory=tmp_path)
    assert reported["increment"] < 100_000 and reported["other_allocs"] >= 1 and reported["other_allocated"] >= 10_000_000


def test_lines_of_the_statement_can_be_counted(tmp_path):
    _, report = memit("adds(100)", "--setup", "def adds(n):\n    for _ in range(n):\n        n += 1", "--functions", "adds", directory=tmp_path)
    hits = [row["hits"] for row in report.trace.line_counts.values()]
    assert sorted(hits) == [0, 100, 101]


@pytest.mark.parametrize(
    "arguments, status, said",
    [
        (["--memit", "1 / 0"], 1, "ZeroDivisionError: division by zero"),
        (["--memit", "1 +"], 1, "SyntaxError: invalid syntax"),
        (["--memit", "import sys; sys.exit(3)"], 3, ""),
        (["--memit", "import os; os._exit(0)"], 2, "vbtrace: run: the statement ended the interpreter, so there is nothing to report"),
        (["--memit", "pass", "program.py"], 2, "vbtrace: run: program.py: expected no program with --memit; --python says what runs the statement"),
        (["--memit", "pass", "--no-symbolize"], 2, "vbtrace: run: --no-symbolize: expected -o with --memit, which keeps no trace otherwise"),
        (["--memit", "pass", "--lines"], 2, "vbtrace: run: counted lines: expected -o with --memit, which keeps no trace otherwise"),
        (["--setup", "pass", "program.py"], 2, "vbtrace: run: --setup: expected --memit, too"),
        (["--python", "python3", "true"], 2, "vbtrace: run: --python: expected a script, -m, -c or --memit, too"),
        (["--memit", "pass", "-m", "json.tool"], 2, "vbtrace: run: -m: expected no program with --memit"),
        (["--memit", "pass", "-c", "pass"], 2, "vbtrace: run: -c: expected no program with --memit"),
        (["--memit", "pass", "--python", "/nowhere/python3"], 2, "vbtrace: run: /nowhere/python3: No such file or directory"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_statements_that_cannot_be_measured(arguments, status, said, tmp_path):
    done = vbt.vbtrace("run", *arguments, directory=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.strip().endswith(said) and (status != 2 or done.stderr.count("\n") == 1), done.stderr
