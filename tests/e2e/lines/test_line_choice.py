"""What line mode counts: decorators, including those of other packages, functions by name, and what
is no line of Python."""

import pytest

import vbt
from line_counts import counted, traced

SHIMS = """
import sys
from memory_profiler import profile as mp
from line_profiler import profile as lp
import line_profiler

def plain():
    return 1

@profile
def marked():
    x = 1
    return x

@mp(precision=4)
def measured():
    return 2

@lp
def timed():
    return 3

class Box:
    @profile
    def method(self):
        return 4

    @staticmethod
    @profile
    def free():
        return 5

def generated():
    yield 6

with profile:
    pass
print(plain(), marked(), measured(), timed(), Box().method(), Box.free(), next(profile(generated)()), profile.runcall(plain))
line_profiler.LineProfiler(plain).print_stats()
"""


def test_decorators_of_others(interpreter, tmp_path):
    """Scripts with @profile run unchanged without the packages, and are counted."""
    program = tmp_path / "shims.py"
    program.write_text(SHIMS)
    flags = ["-S"] if vbt.run([interpreter.path, "-c", "import memory_profiler, line_profiler"]).returncode == 0 else []
    run = vbt.trace([interpreter.path, *flags, program], env={"VBTRACE_LINES": "profile"})
    assert run.stdout == "1 1 2 3 4 5 6 1\n"
    rows = {key: row for key, row in counted(run.report.trace).items() if key[0] == "shims.py"}
    assert {key[1] for key, row in rows.items() if row["hits"]} == {"marked", "measured", "timed", "method", "free", "generated", "plain"}
    assert all(row["flags"] for row in rows.values())


OPTIONAL = """
import importlib.util
found = importlib.util.find_spec("memory_profiler")
try: import memory_profiler
except ImportError: memory_profiler = None
try:
    import line_profiler
    from line_profiler import LineProfiler
except ImportError:
    line_profiler = None
try:
    from memory_profiler import profile
except ImportError:
    profile = None
print(found, memory_profiler, line_profiler, profile is not None)
"""


def test_packages_that_a_program_can_do_without(interpreter, tmp_path):
    program = tmp_path / "optional.py"
    program.write_text(OPTIONAL)
    flags = ["-S"] if vbt.run([interpreter.path, "-c", "import memory_profiler, line_profiler"]).returncode == 0 else []
    run = vbt.trace([interpreter.path, *flags, program], env={"VBTRACE_LINES": "1"})
    assert run.stdout == "None None None True\n"


INSTALLED = {
    "memory_profiler": """
from memory_profiler import profile, LineProfiler, memory_usage
import memory_profiler

@profile(precision=4)
def first(n):
    return [0] * n

@memory_profiler.profile
def second(n):
    yield n

def third(n):
    return n

print(len(first(1000)), *second(2), profile is memory_profiler.profile, LineProfiler.__module__, memory_usage(-1) != [])
""",
    "line_profiler": """
from line_profiler import LineProfiler
from line_profiler import profile
import line_profiler

@profile
def first(n):
    return [0] * n

@line_profiler.profile
def second(n):
    yield n

def third(n):
    return n

print(len(first(1000)), *second(2), profile is line_profiler.profile, LineProfiler.__module__.partition(".")[0], callable(line_profiler.load_ipython_extension))
""",
}


STREAM = """
import io, memory_profiler
from memory_profiler import profile
stream = io.StringIO()

@profile(stream=stream, precision=6)
def first(n):
    kept = bytearray(n)
    return kept

@memory_profiler.profile(None, stream)
def second(n):
    return n

def third(n):
    return n

@profile(precision=6)
def fourth(n):
    return n

profile(third, stream)(first(10) and second(4) and fourth(5))
print(stream.getvalue().count("Line Contents"), [name for name in "first second third fourth".split() if f"def {name}" in stream.getvalue()], first.__name__)
"""

# What the package does, as far as it matters.
PACKAGE = """
import functools, inspect

def profile(func=None, stream=None, precision=1, backend="psutil"):
    if func is None:
        return lambda f: profile(f, stream=stream, precision=precision, backend=backend)
    @functools.wraps(func)
    def wrapper(*arguments):
        result = func(*arguments)
        stream.write("Line #   Line Contents\\n" + inspect.getsource(func))
        return result
    return wrapper
"""


@pytest.mark.parametrize("package", ["real", "fake"])
def test_a_stream_of_the_programs(interpreter, tmp_path, package):
    """Is written to by memory_profiler itself: the program may read it."""
    if package == "fake":
        (tmp_path / "memory_profiler.py").write_text(PACKAGE)
    elif vbt.run([interpreter.path, "-c", "import memory_profiler"]).returncode != 0:
        pytest.skip("needs memory_profiler (on Debian: apt install python3-memory-profiler)")
    program = tmp_path / "streams.py"
    program.write_text(STREAM)
    run, rows = traced(program, interpreter, silent=False)
    assert run.stdout == "3 ['first', 'second', 'third'] first\n"
    if package == "fake":
        assert [row["hits"] for (_, function, _, line), row in rows.items() if function == "first" and line == 8] == [1]


THEIRS = """
import sys
if len(sys.argv) > 1:
    profile = __import__(sys.argv[1]).LineProfiler()
@profile
def first():
    x = 1
    return x
first()
"""


@pytest.mark.parametrize("package", INSTALLED)
def test_decorators_of_installed_packages(package, tmp_path):
    """Their profile is vbtrace's and the rest of the package theirs; all of it is theirs when the
    program needs more, or when they start it."""
    python = "/usr/bin/python3"
    if vbt.run([python, "-c", f"import {package}"]).returncode != 0:
        pytest.skip(f"needs {package} (on Debian: apt install python3-{package.replace('_', '-')})")
    program = tmp_path / "installed.py"
    program.write_text(INSTALLED[package])
    run, rows = traced(program, next(found for found in vbt.interpreters() if found.path == python))
    assert run.stdout == f"1000 2 True {package} True\n"
    decorated = {(function, line): row["hits"] for (file, function, _, line), row in rows.items() if file == program.name and row["flags"] and row["hits"]}
    assert decorated == {("first", 7): 1, ("second", 11): 1} or decorated == {("first", 8): 1, ("second", 12): 1}
    program.write_text(THEIRS)
    starter = ["-m", "memory_profiler"] if package == "memory_profiler" else ["-m", "kernprof", "-l", "-v", "-o", tmp_path / "lprof"]
    for how in [*starter, program], [program, package]:
        theirs = vbt.trace([python, *how], env={"VBTRACE_LINES": "profile"}, silent=False, directory=tmp_path)
        assert theirs.done.stderr.count("sets a trace function of its own") == 1
        assert how[-1] == package or vbt.re.search(r" 8 .* 1 +return x\n| 8 +1 .* return x\n", theirs.stdout)


def test_chosen_by_name(interpreter, tmp_path):
    program = tmp_path / "names.py"
    program.write_text("import json\n\ndef a1(): return 1\n\ndef a2(): return 2\n\nclass B:\n    def c(self): return 3\n\na1(), a2(), B().c(), json.loads('1')\n")

    def functions(**choice):
        run = vbt.trace([interpreter.path, program], env=choice)
        return {key[1] for key, row in counted(run.report.trace).items() if row["hits"]}

    assert functions(VBTRACE_LINES="1") == {"<module>", "a1", "a2", "B", "c"}
    assert functions(VBTRACE_FUNCTIONS="a?,loads") == {"a1", "a2", "loads"}
    assert functions(VBTRACE_FUNCTIONS="B.*", VBTRACE_FILES="names.py") == {"c"} if interpreter.v >= (3, 11) else True
    assert functions(VBTRACE_FILES="*/json/__init__.py") == {"<module>", "loads"}


PARTS = """
def other():
    return [
        x
        for x in range(3)]

def first(n):
    a = [
        [y
         for y in range(x)]
        for x in range(n)]
    def inner(x):
        return (lambda: (
            x))()
    class Local:
        value = {
            x
            for x in a[0]}
    return sum(
        inner(x)
        for x in range(n))

def late(n):
    return list(
        map(lambda x:
            x + 1, range(n)))

late(4)
late = profile(late)
other(), profile(first)(5), late(4)
"""


def test_code_within_chosen_code(interpreter, tmp_path):
    """With @profile all of it is counted; with a pattern its expressions."""
    program = tmp_path / "parts.py"

    def hits(text, **choice):
        program.write_text(text)
        rows = counted(vbt.trace([interpreter.path, program], env=choice).report.trace)
        return {key[1:]: row["hits"] for key, row in rows.items() if row["hits"]}, {key[1] for key, row in rows.items() if row["flags"]}

    undecorated = PARTS.replace("profile", "")
    everything, none = hits(undecorated, VBTRACE_LINES="1")
    decorated, marked = hits(PARTS, VBTRACE_LINES="profile")
    named, _ = hits(undecorated, VBTRACE_FUNCTIONS="first")
    first = {key: count for key, count in everything.items() if 7 <= key[1] <= 21 and key[0] != "<module>"}
    assert {key: count for key, count in decorated.items() if key[1] <= 21} == first and len(first) > 12
    assert decorated["<lambda>", 25, 26] == 4 and everything["<lambda>", 25, 26] == 8
    assert marked == {"first", "late"} and none == set()
    assert named == {key: count for key, count in first.items() if key[0] == "first" or (key[0][0] == "<" and not 12 <= key[1] <= 18)}


def test_a_choice_that_matches_nothing_is_reported(interpreter, tmp_path):
    """Wherever lines are shown: at the end of the run, in the table, in the other tools' layouts,
    in the report."""
    program, trace = tmp_path / "names.py", tmp_path / "names.vbt"
    program.write_text("def apply(): return 1\n\nclass Table:\n    def put(self): return 2\n\napply(), Table().put()\n")

    def warning(*choice, like=2):
        done = vbt.vbtrace("run", "-o", trace, *choice[:-1], interpreter.path, *choice[-1])
        (said,) = vbt.re.findall("^vbtrace: ((?!next|names).*)", done.stderr, vbt.re.M) or [None]
        for view, status, warning in [(["lines"], 0, "warning: "), (["lines", "--like", "memory_profiler"], like, "warning: " * (like == 0))]:
            shown = vbt.vbtrace(*view, trace)
            assert (shown.returncode, shown.stderr) == (status, f"vbtrace: {warning}{trace}: {said}\n" if said else "")
        notes = [note for note in vbt.Report(trace).json["notes"] if note.startswith("Line mode: ")]
        assert notes == ([f"Line mode: {said}."] if said else [])
        return said

    assert warning("--functions", "apply", [program], like=0) is None
    assert warning("--functions", "nosuch", [program]) == "no line was counted: no function that ran is called 'nosuch' (VBTRACE_FUNCTIONS)"
    assert warning("--functions", "no,apply,such?,p.*q", [program], like=0).startswith("no function that ran is called 'no', 'such?' or 'p.*q' (")
    said = warning("--functions", "Table.*", [program], like=2 if interpreter.v < (3, 11) else 0)
    assert (said is None) == (interpreter.v >= (3, 11)) and (said is None or "put, not Table.put" in said)
    assert warning("--files", "other.py", [program]) == "no line was counted: no file that ran is called 'other.py' (VBTRACE_FILES)"
    assert warning("--files", "other.py", "--functions", "apply", [program]).endswith(
        "no function that is called 'apply' (VBTRACE_FUNCTIONS) ran in a file that is called 'other.py' (VBTRACE_FILES)"
    )
    assert "VBTRACE_FILES='<string>'" in warning("--lines", ["-c", "print()"])
    assert warning("--lines", "--files", "<string>", ["-c", "def f(): pass\nf()"], like=0) is None
    assert "carries @profile" in vbt.vbtrace("run", "-o", trace, interpreter.path, program, env={"VBTRACE_LINES": "profile"}).stderr


def test_lines_are_pythons(tmp_path):
    done = vbt.vbtrace("run", "--lines", "-o", tmp_path / "trace.vbt", "ls")
    assert "vbtrace: no line was counted: lines are counted in Python programs only\n" in done.stderr


def test_nothing_without_line_mode(interpreter, tmp_path):
    program = tmp_path / "plain.py"
    program.write_text("import sys\nprint(sys.gettrace(), hasattr(__builtins__, 'profile'), len(sys.meta_path))\n")
    untraced = vbt.run([interpreter.path, program]).stdout
    run = vbt.trace([interpreter.path, program])
    assert run.stdout == untraced
    assert run.report.trace.line_counts == {}
    assert "[vbtrace line events]" not in run.report.trace.strings
    done = vbt.vbtrace("lines", "--like", "memory_profiler", run.paths[0])
    assert done.returncode == 2 and "VBTRACE_LINES=1" in done.stderr
