"""Line mode: hits against other line counters, costs against known answers."""

import collections
import json

import pytest

import vbt
from line_counts import counted, differences, traced, wrong_marks

CORPUS = vbt.program("line_corpus.py")


def corpus_hits(interpreter, quantity="hits"):
    run, rows = traced(CORPUS, interpreter)
    assert run.report.totals["lost_events"] == 0
    return {key[1:]: row[quantity] for key, row in rows.items() if key[0] == CORPUS.name and row[quantity]}


def expected_hits(interpreter, how):
    done = vbt.run([interpreter.path, CORPUS, how])
    assert done.returncode == 0, done.stderr
    return {(name, first, line): hits for name, first, line, hits in json.loads(done.stdout)}


@pytest.mark.parametrize("quantity", ["hits", "entries"])
def test_hits_are_those_of_settrace(interpreter, quantity):
    """And entries are its calls."""
    theirs = expected_hits(interpreter, {"hits": "settrace"}.get(quantity, quantity))
    ours = {key: hits for key, hits in corpus_hits(interpreter, quantity).items() if (key[0], key[1]) in {key[:2] for key in theirs}}
    ours = {key: hits for key, hits in ours.items() if key[0] not in ("<module>", "main", "by_settrace")}
    theirs = {key: hits for key, hits in theirs.items() if key[0] not in ("main", "by_settrace")}
    assert len({key[:2] for key in theirs}) > 50
    assert differences(ours, theirs) == {}


def test_hits_are_those_of_line_profiler():
    debian = [python for python in vbt.interpreters() if python.path == "/usr/bin/python3"]
    if not debian or vbt.run([debian[0].path, "-c", "import line_profiler"]).returncode != 0:
        pytest.skip("needs line_profiler (on Debian: apt install python3-line-profiler)")
    theirs = expected_hits(debian[0], "line_profiler")
    theirs = {key: hits for key, hits in theirs.items() if key[0] not in ("main", "by_line_profiler", "by_settrace")}
    functions = {key[:2] for key in theirs}
    ours = {key: hits for key, hits in corpus_hits(debian[0]).items() if key[:2] in functions}
    assert len(functions) > 35
    assert differences(ours, theirs) == {}


def test_costs_of_lines(interpreter):
    program = vbt.program("line_costs.py")
    run, rows = traced(program, interpreter)
    B, generator = map(int, run.stdout.split())
    wrong = wrong_marks(program, rows, n=100, B=B, v=interpreter.v, i=int(interpreter.v < (3, 14)), g=generator * (interpreter.v >= (3, 12)))
    assert not wrong, f"\n{wrong}"


CALLED = """
import sys

def other(n):
    block = bytes(n)
    last = bytes(2000)
    del block

def between(n):
    block = bytes(n)
    inner(n)
    block = bytes(n)

def inner(n):
    block = bytes(10_000)

def made(n):
    return bytes(n)

class Number:
    def __add__(self, n):
        block = bytes(n)
        return made(n)

def chosen(n):
    number = Number()
    block = bytes(n)
    other(n)
    between(n)
    kept = number + n
    any(map(other, (n, n)))
    block = bytes(n); other(n)

other(1); between(1); Number() + 1
chosen(1000)
"""


def test_what_other_functions_do_was_called(interpreter, tmp_path):
    """Functions that are not followed, called in every way; and a followed one, called by one that
    is not."""
    program = tmp_path / "called.py"
    program.write_text(CALLED)
    run = vbt.trace([interpreter.path, program], env={"VBTRACE_FUNCTIONS": "chosen,inner"})
    names = [f"{part}_{name}" for name in ("allocs", "allocated_bytes", "frees") for part in ("own", "called")]
    rows = {line: tuple(row[name] for name in names) for (_, function, _, line), row in counted(run.report.trace).items() if function == "chosen"}
    head = int(vbt.run([interpreter.path, "-c", "import sys; print(sys.getsizeof(b''))"]).stdout)
    assert rows[27] == (1, 0, 1000 + head, 0, 0, 0)
    assert rows[28] == (0, 2, 0, 3000 + 2 * head, 1, 1)  # locals of a function die after it has returned
    assert (rows[29][1], rows[29][3]) == (3, 12_000 + 3 * head)
    assert (rows[30][1], rows[30][3]) == (2, 2000 + 2 * head)
    assert (rows[31][1], rows[31][3]) == (4, 2 * (3000 + 2 * head))
    assert rows[32] == (1, 2, 1000 + head, 3000 + 2 * head, 2, 1)


def counts_of_lines(program, interpreter, turns, lines):
    """The requests of each of the program's lines and how many of them were temporary, by call
    stacks. Without class statements: they make an int of an address, whose size depends on the
    address."""
    run = vbt.trace([interpreter.path, program, str(turns)], env={"VBTRACE_LINES": lines, "PYTHONHASHSEED": "0"})
    reported = json.loads(vbt.vbtrace("lines", "--by", "leaf", "--format", "json", run.paths[0]).stdout)
    found = collections.Counter()
    for row in reported["lines"]:
        if row["file"] == str(program) and not (row["source"] or "").startswith("class "):
            found.update({(row["line"], name): row[name] for name in ("allocs", "frees", "allocated_bytes", "temporary_allocs")})
    return found


def test_counting_lines_adds_nothing(interpreter):
    """Each further turn costs each line the same, counted or not: what the interpreter allocates to
    report events is in no line."""
    program = vbt.program("line_idioms.py")
    few, many = 300, 1300
    steps = []
    for lines in ("0", "1"):
        step = counts_of_lines(program, interpreter, many, lines)
        step.subtract(counts_of_lines(program, interpreter, few, lines))
        steps.append(step)
    assert len({line for line, _ in steps[0]}) > 40
    assert differences(steps[1], steps[0]) == {}


@pytest.mark.parametrize("name", ["line_parts.py", "line_corpus.py"])
def test_extremes_are_those_of_executions(interpreter, name):
    """A line executed once changed the heap by the same at least, at most and in all."""
    _, rows = traced(vbt.program(name), interpreter)
    once = {key: row for key, row in rows.items() if key[0] == name and row["hits"] == 1}
    change = {key: sum(row[f"{part}_allocated_bytes"] - row[f"{part}_freed_bytes"] for part in ("own", "called")) for key, row in once.items()}
    assert len(once) > 20 and sum(value != 0 for value in change.values()) > 10
    assert {key: (row["net_min_bytes"], row["net_max_bytes"]) for key, row in once.items()} == {key: (value, value) for key, value in change.items()}


def test_sorts(interpreter):
    program = vbt.program("line_sorts.py")
    wrong = wrong_marks(program, traced(program, interpreter)[1])
    assert not wrong, f"\n{wrong}"


def test_exact_objects(interpreter):
    """One float per step, whatever the free lists do; versions that cannot count it say so."""
    program = vbt.program("line_objects.py")
    run, rows = traced(program, interpreter, objects="1", silent=interpreter.v >= (3, 10))
    objects = {line: row["own_objects"] for (file, function, _, line), row in rows.items() if file == program.name and function in ("add_up", "with_lists", "with_tuples", "with_dicts")}
    notes = " ".join(run.report.json["notes"])
    if interpreter.v >= (3, 13):
        for numbers_of_a_loop in (12, 18, 25):
            del objects[numbers_of_a_loop]
        expected = {4: 0, 5: 0, 6: 1, 7: 10_000, 8: 0, 11: 0, 13: 10_000, 14: 0, 17: 0, 19: 10_000, 20: 20_000, 21: 20_000}
        assert objects == expected | {24: 0, 26: 10_000, 27: 10_000, 28: 0}
        assert run.report.trace.state[111] == 1
    elif interpreter.v >= (3, 10):
        assert [objects[line] for line in (6, 7, 19, 20, 21)] == [1, 10_000, 10_000, 20_000, 20_000] and run.report.trace.state[111] == 2
        assert (objects[13], objects[14]) == (10_000, 0)  # a list's array is not an object
        assert (objects[26], objects[27], objects[28]) == (20_000, 10_000, 0)  # a dict's key table counts
        assert "those that Python's allocator for objects served" in notes and "Slices, " in notes
    else:
        assert set(objects.values()) == {0} and 111 not in run.report.trace.state
        assert "Exact objects cannot be counted" in notes and "cannot be seen" in run.done.stderr


RESIDENT = """
import mmap

def first():
    a = [1] * 10 ** 6
    b = [2] * (2 * 10 ** 7)
    del b
    return a

def second():
    x = 1
    m = mmap.mmap(-1, 64 << 20)
    m[:] = bytes(64 << 20)
    m.close()
    return x

first()
second()
"""


def test_resident_set_at_the_end_of_each_line(interpreter, tmp_path):
    """Not a value from the middle of a line, nor from an earlier one, whenever the clock ticks;
    vbtrace's own part grows a little."""
    program = tmp_path / "resident.py"
    program.write_text(RESIDENT)
    mib = 1 << 20
    for _ in range(5):
        _, rows = traced(program, interpreter)
        rss = {line: row["max_rss_bytes"] for (_, function, _, line), row in rows.items() if function in ("first", "second") and row["hits"]}
        before = rss[5]
        assert before > 0 and abs(rss[6] - before - 160_000_000) < 2 * mib, rss
        assert all(abs(rss[line] - before) < 2 * mib for line in (7, 8)), rss
        assert all(-10 * mib < rss[line] - before < 2 * mib for line in (11, 12)), rss
        assert rss[13] - rss[12] > 62 * mib and abs(rss[14] - rss[12]) < 2 * mib and abs(rss[15] - rss[12]) < 2 * mib, rss
