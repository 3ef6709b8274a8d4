"""The views of counted lines: nested code, source text and sums."""

import ast
import collections
import csv
import inspect
import io
import json
import os
import pathlib
import re

import pytest

import vbt

NESTED = '''
import asyncio, builtins
profile = getattr(builtins, "profile", lambda function: function)


def called(n):
    return n


@profile
def first(n):
    a = [
        str(i)
        for i in range(n)
        if i % 2
    ]
    b = [bytes(1000 + i) for i in range(n)]
    c = (bytes(2000 + i) for i in range(n))
    next(c)
    d = [
        {i: k for k in range(3)}
        for i in range(n)
    ]
    e = sum(
        called(i)
        for i in range(n)
    )
    return list(c), a, b, d, e


class Box:
    sizes = [n * 2 for n in range(10)]

    @profile
    def method(self):
        one = lambda: (
            1)
        two = lambda x: x + 1

        @profile
        def inner(n):
            total = 0
            for i in range(n):
                total += i
            return [two(i) for i in range(n)]

        class Local:
            def method(self):
                return 1

        def numbers():
            yield 1
            yield 2

        return one() + two(2), inner(3), inner(4), Local().method(), list(numbers())


@profile
async def waits():
    await asyncio.sleep(0)
    return [x for x in range(3)]


first(20)
Box().method()
Box().method()
asyncio.run(waits())
'''

ROW = re.compile(r"^ *(\d+) +[\d.]+ MiB +-?[\d.]+ MiB +(\d+) ", re.M)


def counted(interpreter, program, tmp_path, **options):
    trace = tmp_path / f"{program.stem}.vbt"
    run = vbt.vbtrace("run", "--quiet", "-o", trace, interpreter, program, env={"VBTRACE_LINES": "1"} | options)
    assert run.returncode == 0, run.stderr
    return trace


def written(tmp_path, name, text):
    program = tmp_path / name
    program.write_text(text)
    return program


def test_occurrences_are_those_of_memory_profiler(interpreter, tmp_path):
    """All code within a function: comprehensions, generators, lambdas, functions, classes."""
    found = vbt.run(["/usr/bin/python3", "-c", "import memory_profiler; print(memory_profiler.__file__)"]).stdout.strip()
    if not found:
        pytest.skip("needs memory_profiler (on Debian: apt install python3-memory-profiler)")
    theirs = tmp_path / "theirs"  # one copy for all interpreters, with a fake psutil
    theirs.mkdir()
    (theirs / "memory_profiler.py").write_bytes(pathlib.Path(found).read_bytes())
    written(theirs, "psutil.py", "class AccessDenied(Exception): pass\nclass Process:\n    def __init__(self, *_): pass\n    def memory_info(self): return 1, 2\n")
    text = NESTED if interpreter.v < (3, 12) else NESTED.partition("@profile\nasync")[0] + "first(20)\nBox().method()\nBox().method()\n"  # it crashes there
    program = written(tmp_path, "nested.py", text)
    theirs_printed = vbt.run([interpreter.path, "-m", "memory_profiler", program], env={"PYTHONPATH": str(theirs)}).stdout
    ours = vbt.vbtrace("lines", "--like", "memory_profiler", counted(interpreter.path, program, tmp_path)).stdout
    assert ROW.findall(ours) == ROW.findall(theirs_printed) and len(ROW.findall(ours)) > 30
    assert ours.count("Filename: ") == theirs_printed.count("Filename: ") > 1


def table(trace, *options):
    """{function: {line: [cells]}} of the combined table, with None for the module."""
    text = vbt.vbtrace("lines", *options, "--limit", "0", trace, env={"COLUMNS": "300"}).stdout
    found = {}
    for part in text.split("File: ")[1:]:
        function = re.search(r"Function: (\S+) at line", part)
        rows = re.findall(r"^ +(\d+)  +(\d.*?)(?:  |$)", part, re.M)
        found[function and function[1].rpartition(".")[2]] = {int(line): cells.split() for line, cells in rows}
    return found


def test_comprehensions_are_rows_of_their_function(interpreter, tmp_path):
    """With their executions, as from 3.12 on; and each line's cost is counted once."""
    program = written(tmp_path, "nested.py", NESTED)
    trace = counted(interpreter.path, program, tmp_path)
    found = table(trace)
    assert not [name for name in found if name in ("<listcomp>", "<dictcomp>")]
    rows = {line: int(cells[0]) for line, cells in found["first"].items() if cells[0].isdigit()}
    even = 10 if interpreter.v < (3, 12) else 20  # an inlined one reports the line of its result twice
    assert rows[13] == even and rows[15] == 20 and rows[14] in (21, 22)
    assert rows[17] >= 20 and rows[21] >= 60
    json = vbt.json.loads(vbt.vbtrace("lines", "--format", "json", trace).stdout)
    whole = {row["function"].rpartition(".")[2]: row for row in json["line_profile"]}["first"]["time_ns"]
    total = vbt.vbtrace("lines", trace).stdout.partition("Function: first")[2].partition("Total time: ")[2].split("\n")[0]
    assert total and float(total.split()[0]) * {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}[total.split()[1]] == pytest.approx(whole, rel=0.01)


def test_many_comprehensions_take_little_time(tmp_path):
    def function(i):  # all different, since Python's compiler compares equal ones
        return f"def f{i}(n):\n    a = [x + {i} for x in range(n)]\n    return sum(\n        x + {i}\n        for x in a)\nf{i}(3)"

    program = written(tmp_path, "many.py", "\n".join(map(function, range(20_000))))
    trace = counted("/usr/bin/python3", program, tmp_path)
    vbt.vbtrace("lines", trace, timeout=100)  # quadratic if all were compared with all; about a second


def test_a_source_that_was_changed_is_reported(tmp_path):
    """In the combined table; other layouts and data stay as they are."""
    program = written(tmp_path, "changed.py", "def f():\n    return [1, 2]\n\nf()\n")
    trace = tmp_path / "trace.vbt"
    vbt.vbtrace("run", "--quiet", "--no-symbolize", "--lines", "-o", trace, "/usr/bin/python3", program)
    views = [["--like", "memory_profiler"], ["--like", "line_profiler"], ["--format", "json"], ["--format", "csv"]]
    assert "was changed" not in vbt.vbtrace("lines", trace).stdout
    before = [vbt.vbtrace("lines", *view, trace) for view in views]
    assert not any(done.stderr for done in before)
    os.utime(program)
    message = f"{program} was changed after the trace began: the lines shown may not be those that ran.\n"
    assert vbt.vbtrace("lines", trace).stdout.endswith(f"\n\n{message}")
    after = [vbt.vbtrace("lines", *view, trace) for view in views]
    assert [done.stderr for done in after] == [f"vbtrace: warning: {message}"] * 4
    assert [done.stdout for done in after] == [done.stdout for done in before]


UNITS = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}

LEAF = """
def leaf(n):
    return n

def caller():
    for i in range(20000):
        leaf(i)

caller()
"""


def test_rows_add_up_to_the_total(interpreter, tmp_path):
    """A function's start is no hit, but takes time; line_profiler begins to count after it."""
    trace = counted(interpreter.path, written(tmp_path, "leaf.py", LEAF), tmp_path)
    for function in ("leaf", "caller"):
        text = vbt.vbtrace("lines", trace).stdout.partition(f"Function: {function} at")[2].partition("File: ")[0]
        total, unit = re.search(r"Total time: (\S+) (\S+)", text).groups()
        times = re.findall(r"^ +\d+ +(?:[\d,]+)? +(-?[\d.,]+) (ns|µs|ms|s) ", text, re.M)
        assert not [time for time, _ in times if time.startswith("-")]
        shown = sum(float(time.replace(",", "")) * UNITS[unit] for time, unit in times)
        assert shown == pytest.approx(float(total.replace(",", "")) * UNITS[unit], rel=0.02)
        text = vbt.vbtrace("lines", "--like", "line_profiler", trace).stdout.partition(f"Function: {function} at")[0].rpartition("Total time: ")[2]
        total = float(text.split()[0])
        text = vbt.vbtrace("lines", "--like", "line_profiler", trace).stdout.partition(f"Function: {function} at")[2].partition("Total time")[0]
        times = re.findall(r"^ +\d+ +\d+ +([\d.]+) ", text, re.M)
        assert sum(map(float, times)) / 1e6 == pytest.approx(total, rel=0.02, abs=1e-6) and times


def test_source_is_shown_whole_where_no_terminal_cuts_it(tmp_path):
    long = "    return " + " + ".join(["n"] * 60)
    trace = counted("/usr/bin/python3", written(tmp_path, "long.py", f"def f(n):\n{long}\n\nf(1)\n"), tmp_path)
    for done in (vbt.vbtrace("lines", trace), vbt.vbtrace("lines", "-o", "/dev/stdout", trace)):
        assert f"  {long}\n" in done.stdout
    cut = vbt.vbtrace("lines", trace, env={"COLUMNS": "120"}).stdout
    assert [len(line) for line in cut.splitlines() if "…" in line and not line.startswith("File: ")] == [120]


def test_source_cannot_steer_a_terminal(tmp_path):
    program = written(tmp_path, "escape.py", "def f():\n\treturn '\x1b[31m\u202e'\n\nf()\n")
    trace = counted("/usr/bin/python3", program, tmp_path)
    for view in ([], ["--like", "memory_profiler"], ["--like", "line_profiler"]):
        shown = vbt.vbtrace("lines", *view, trace).stdout
        assert "'\ufffd[31m\ufffd'" in shown and "\x1b" not in shown and ("\treturn" in shown) == bool(view)


def test_no_line_is_number_0(interpreter, tmp_path):
    """The interpreter reports line 0 for a module's start, from 3.11 on."""
    program = written(tmp_path, "module.py", "# first\n\nx = 1\n")
    trace = counted(interpreter.path, program, tmp_path)
    (module,) = vbt.json.loads(vbt.vbtrace("lines", "--format", "json", trace).stdout)["line_profile"]
    assert [row["line"] for row in module["lines"]] == ([1, 3] if interpreter.v >= (3, 10) else [3])
    assert sum(row["time_ns"] for row in module["lines"]) == module["time_ns"]


ENDS = '''
def profile(*_):
    return lambda function: function


def text(x):
    if x:
        return 1
#    commented = out
    sql = """
select 1
"""
    y = ("a"
# nothing
"b", '\\'', #"
)
    # the last of it

    # and this

# not this
def one(x): return x
def joined(x, \\
y=(1,
2)):
    return x
    z = 'a\\
b'


@profile(
    "two",
)
# between
@profile("three")

def decorated(x):
    return x
        # deeper
  # less deep
    def inner(): pass
x = [text(1), one(1), joined(1), decorated(1)]
class Box:
    async def waits(self):
        return 1
    # of the function

  # of the class
    def method(self):
        return 1
        if self:
            pass
    def last(self):
        return f"{1}" ''"#" """
    """
try:
    Box().waits().send(None)
except StopIteration:
    Box().method(), Box().last()
'''


def test_functions_end_where_inspect_says(tmp_path):
    program = written(tmp_path, "ends.py", ENDS)
    trace = counted("/usr/bin/python3", program, tmp_path)
    text = vbt.vbtrace("lines", "--like", "memory_profiler", trace).stdout
    found = [[int(line) for line in re.findall(r"^ *(\d+) ", part, re.M)] for part in text.split("Filename: ")[1:]]
    lines = ENDS.splitlines(keepends=True)
    named = {"profile": 2, "text": 6, "one": 22, "joined": 23, "decorated": 31, "Box": 43, "waits": 44, "method": 49, "last": 53}
    blocks = [list(range(first, first + len(inspect.getblock(lines[first - 1 :])))) for first in named.values()]
    assert found == blocks and [block[-1] for block in blocks[1:3]] == [19, 22]


@pytest.mark.parametrize(
    "head, coding, shown",
    [
        ("\ufeff", "utf-8", "é€"),
        ("# -*- coding: latin-1 -*-\n", "latin-1", "é¤"),
        ("#!/bin/sh\n# vim: set fileencoding=iso_8859_15 :\n", "iso-8859-15", "é€š"),
        ("\n# coding: cp1252\n", "cp1252", "é€”"),
        ("x = 1\n# coding: latin-1\n", "utf-8", "é€"),
        ("# coding: latin3\n", "latin3", "\ufffd"),
    ],
)
def test_sources_in_other_encodings(head, coding, shown, tmp_path):
    """Read as Python does, without a byte order mark; an unknown encoding is shown undecoded."""
    program = tmp_path / "coded.py"
    program.write_bytes(f"{head}def f(): return '{shown if coding != 'latin3' else 'é'}'\nf()\n".encode(coding))
    trace = counted("/usr/bin/python3", program, tmp_path)
    number = head.count("\n") + 1
    (line,) = re.findall(rf"^ +{number} .*?(\S*def f.*)", vbt.vbtrace("lines", trace).stdout.partition("Function")[2], re.M)
    assert line == f"def f(): return '{shown}'"
    rows = vbt.json.loads(vbt.vbtrace("lines", "--format", "json", trace).stdout)["line_profile"]
    assert [row["source"] for row in rows[-1]["lines"]] == [line]


def test_a_layout_without_functions_says_why(tmp_path):
    """And does not become a second table."""
    trace = counted("/usr/bin/python3", written(tmp_path, "module.py", "x = [1, 2]\n"), tmp_path)
    for view in (["--like", "memory_profiler"], ["--like", "line_profiler"], ["--own"]):
        done = vbt.vbtrace("lines", *view, "--filter", "nosuch", trace)
        assert done.stderr == f"vbtrace: warning: {trace}: no line that was counted passes --filter\n" and "total" not in done.stdout
        done = vbt.vbtrace("lines", *view, trace)
        assert ("no lines of functions were counted" in done.stderr) == (view != ["--own"]) == ("x = [1" not in done.stdout)


EXPRESSIONS = """
import sys

def f(n):
    a = [i * 1000 for i in range(n)]
    b = {i for i in a}
    c = sum(x for x in a)
    d = {x: [y for y in a[:2]] for x in a}
    return sum(
        x
        for x in a
    ), any(x < 0
           for x in b)

hits = {}

def trace(frame, event, argument):
    if event == "line" and frame.f_code.co_filename == __file__ and 5 <= frame.f_lineno <= 13:
        hits[frame.f_lineno] = hits.get(frame.f_lineno, 0) + 1
    return trace

if len(sys.argv) > 1:
    sys.settrace(trace)
f(10)
f(3)
sys.settrace(None)
print(sorted(hits.items()))
"""


def test_hits_are_those_of_settrace_in_every_format(interpreter, tmp_path):
    """Of comprehensions and generator expressions, too, whether they are functions of their own or
    not."""
    program = written(tmp_path, "expressions.py", EXPRESSIONS)
    truth = ast.literal_eval(vbt.run([interpreter.path, program, "settrace"]).stdout)
    trace = counted(interpreter.path, program, tmp_path)
    found = {"json": [], "csv": [], "text": []}
    for function in vbt.json.loads(vbt.vbtrace("lines", "--format", "json", trace).stdout)["line_profile"]:
        found["json"] += [(line["line"], line["hits"]) for line in function["lines"] if line["hits"]]
    rows = csv.DictReader(vbt.vbtrace("lines", "--format", "csv", trace).stdout.splitlines())
    found["csv"] = [(int(row["line"]), int(row["hits"])) for row in rows if row["hits"] != "0"]
    for line in vbt.vbtrace("lines", trace).stdout.splitlines():
        words = re.match(r" +(\d+) +(\d+) +\S+ \S?s ", line)
        found["text"] += [(int(words[1]), int(words[2]))] if words else []
    for format, hits in found.items():
        sums = collections.Counter()
        for line, count in hits:
            sums[line] += count if 5 <= line <= 13 else 0
        assert sorted((+sums).items()) == truth, format
    assert dict(found["csv"])[6] == dict(truth)[6] and dict(found["csv"])[7] == dict(truth)[7]


OCCURRENCES = """
def f(n):
    kept = []
    for i in range(n):
        kept.append([bytes(1000 + k) for k in range(2)])
    return kept

f(50)
f(25)
"""


def test_occurrences_in_the_report(tmp_path):
    """As in memory_profiler, once lines are counted: including a comprehension's steps, up to
    3.11."""
    program = tmp_path / "occurrences.py"
    program.write_text(OCCURRENCES)
    for lines, hits, shown in [("1", 75, rf" {75 + 75 * 3} +[\d.]+ MiB"), ("0", None, "")]:
        run = vbt.trace(["/usr/bin/python3", program], env={"VBTRACE_LINES": lines})
        assert [row["hits"] for row in run.report.json["user_lines"] if (row["function"], row["line"]) == ("f", 5)] == [hits]
        text = vbt.vbtrace("report", run.paths[0]).stdout
        assert vbt.re.search(rf"^ +5 .*{shown} +kept\.append", text, vbt.re.MULTILINE), text
        assert ("Occurrences" in text) == ("Mem usage" in text) == (lines == "1")


def test_filters_select_counted_lines(tmp_path):
    """Those of functions that match: a counted line has no call stack, and no domain."""
    text = "def f(n):\n    kept = []\n    for i in range(n):\n        kept.append(str(i))\n    return kept\n\ndef g():\n    return f(10)\n\ng()\n"
    program = written(tmp_path, "two.py", text)
    trace = counted("/usr/bin/python3", program, tmp_path)
    every = table(trace)
    assert set(every) == {None, "f", "g"}
    assert set(table(trace, "--filter", "function=^f$")) == {"f"}
    assert table(trace, "--filter", "function=^f$")["f"][4][0] == every["f"][4][0] == "10"
    assert set(table(trace, "--filter", "function!=^f$")) == {None, "g"}
    assert set(table(trace, "--filter", "file=two.py", "--filter", "function!=module")) == {"f", "g"}
    assert set(table(trace, "--filter", "file=elsewhere")) == set()
    for options in ((), ("--own",), ("--like", "line_profiler"), ("--format", "csv")):
        done = vbt.vbtrace("lines", *options, "--filter", "domain=heap", trace)
        said = "vbtrace: lines: counted lines do not know their domain: --filter domain=... needs --sort or --by leaf\n"
        assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    assert vbt.vbtrace("lines", "--by", "leaf", "--filter", "domain=heap", trace).returncode == 0
    rows = json.loads(vbt.vbtrace("lines", "--format", "json", "--filter", "function=^g$", trace).stdout)["line_profile"]
    assert {row["function"] for row in rows} == {"g"}


def test_counted_lines_of_so_many_functions(tmp_path):
    """--limit in every format; --user chooses none of them, and is refused."""
    trace = counted("/usr/bin/python3", written(tmp_path, "several.py", "".join(f"def f{n}():\n    return [0] * {n}\nf{n}()\n" for n in range(1, 6))), tmp_path)
    view = lambda *options: vbt.vbtrace("lines", *options, trace).stdout
    for limit, shown in (("2", 2), ("0", 6), ("9", 6)):
        assert view("--limit", limit).count("File: ") == shown
        rows = csv.DictReader(io.StringIO(view("--limit", limit, "--format", "csv")))
        assert len({row["function"] for row in rows}) == shown
        assert len(json.loads(view("--limit", limit, "--format", "json"))["line_profile"]) == shown
    done = vbt.vbtrace("lines", "--user", "*", trace)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "vbtrace: lines: --user has no effect on counted lines, which were chosen when they ran; it needs --sort\n"
    assert vbt.vbtrace("lines", "--user", "*", "--sort", "bytes", trace).returncode == 0
