"""Line mode: hits against others who count lines, costs against known answers."""

import collections
import json

import pytest

import vbt

CORPUS = vbt.PROGRAMS / "line_corpus.py"


def counted(trace):
    """{(file, function, its first line, line): row} of the trace's counted lines; functions by the last part of their name."""
    found = {}
    for site, row in trace.line_counts.items():
        _, code, line = trace.sites[site]
        file, name, first, _ = trace.codes[code]
        key = trace.strings[file].rpartition("/")[2], trace.strings[name].rpartition(".")[2], first, line
        before = found.setdefault(key, dict.fromkeys(row, 0))
        found[key] = {name: before[name] + value for name, value in row.items()}  # two comprehensions may stand in one line
    return found


def traced(program, interpreter, *arguments, objects="0", **options):
    run = vbt.trace([interpreter.path, program, *arguments], env={"VBTRACE_LINES": "1", "VBTRACE_OBJECTS": objects}, **options)
    return run, counted(run.report.trace)


def differences(ours, theirs):
    return {key: (ours.get(key), theirs.get(key)) for key in sorted(ours.keys() | theirs.keys()) if ours.get(key) != theirs.get(key)}


def corpus_hits(interpreter, quantity="hits"):
    run, rows = traced(CORPUS, interpreter)
    assert run.report.totals["lost_events"] == 0
    return {key[1:]: row[quantity] for key, row in rows.items() if key[0] == CORPUS.name and row[quantity]}


def told_hits(interpreter, how):
    done = vbt.run([interpreter.path, CORPUS, how])
    assert done.returncode == 0, done.stderr
    return {(name, first, line): hits for name, first, line, hits in json.loads(done.stdout)}


@pytest.mark.parametrize("quantity", ["hits", "entries"])
def test_hits_are_those_of_settrace(interpreter, quantity):
    """And entries are its calls."""
    theirs = told_hits(interpreter, {"hits": "settrace"}.get(quantity, quantity))
    ours = {key: hits for key, hits in corpus_hits(interpreter, quantity).items() if (key[0], key[1]) in {key[:2] for key in theirs}}
    ours = {key: hits for key, hits in ours.items() if key[0] not in ("<module>", "main", "by_settrace")}
    theirs = {key: hits for key, hits in theirs.items() if key[0] not in ("main", "by_settrace")}
    assert len({key[:2] for key in theirs}) > 50
    assert differences(ours, theirs) == {}


def test_hits_are_those_of_line_profiler():
    debian = [python for python in vbt.interpreters() if python.path == "/usr/bin/python3"]
    if not debian or vbt.run([debian[0].path, "-c", "import line_profiler"]).returncode != 0:
        pytest.skip("needs line_profiler (on Debian: apt install python3-line-profiler)")
    theirs = told_hits(debian[0], "line_profiler")
    theirs = {key: hits for key, hits in theirs.items() if key[0] not in ("main", "by_line_profiler", "by_settrace")}
    functions = {key[:2] for key in theirs}
    ours = {key: hits for key, hits in corpus_hits(debian[0]).items() if key[:2] in functions}
    assert len(functions) > 35
    assert differences(ours, theirs) == {}


def marks(program):
    """{line: {quantity: expression}} of a program's marks."""
    found = {}
    for number, text in enumerate(program.read_text().splitlines(), 1):
        _, mark, told = text.partition("  #= ")
        if mark:
            found[number] = dict(part.split(" ", 1) for part in told.split("; "))
    return found


def quantities(row, before):
    """What marks can name, of a line and the one before it."""
    found = {"hits": row["hits"], "least": row["net_min_bytes"], "most": row["net_max_bytes"]}
    for part in ("own", "called"):
        found[f"{part}_net"] = row[f"{part}_allocated_bytes"] - row[f"{part}_freed_bytes"]
        found |= {f"{part}_{name}": row[f"{part}_{name}"] for name in ("allocs", "frees", "temporary_allocs")}
    found |= {name: found[f"own_{name}"] + found[f"called_{name}"] for name in ("allocs", "frees", "net")}
    found["rises"] = row["high_bytes"] - before["high_bytes"] if before else None
    return found


def wrong_marks(program, rows, **names):
    by_line = {}
    for (file, function, _, line), row in rows.items():
        if file == program.name and not function.startswith("<"):
            by_line.setdefault(line, row)
    wrong = []
    for line, mark in marks(program).items():
        found = quantities(by_line.get(line) or dict.fromkeys(next(iter(rows.values())), 0), by_line.get(line - 1))
        for name, expression in mark.items():
            if found[name] != eval(expression, dict(names)):
                wrong.append(f"{line}: {name} {found[name]} instead of {expression}")
    return "\n".join(wrong)


def test_costs_of_lines(interpreter):
    program = vbt.PROGRAMS / "line_costs.py"
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
    """Functions that are not followed, called in every way; and one that is, below one that is not."""
    program = tmp_path / "called.py"
    program.write_text(CALLED)
    run = vbt.trace([interpreter.path, program], env={"VBTRACE_FUNCTIONS": "chosen,inner"})
    names = [f"{part}_{name}" for name in ("allocs", "allocated_bytes", "frees") for part in ("own", "called")]
    rows = {line: tuple(row[name] for name in names) for (_, function, _, line), row in counted(run.report.trace).items() if function == "chosen"}
    head = int(vbt.run([interpreter.path, "-c", "import sys; print(sys.getsizeof(b''))"]).stdout)
    assert rows[27] == (1, 0, 1000 + head, 0, 0, 0)
    assert rows[28] == (0, 2, 0, 3000 + 2 * head, 1, 1)  # what is local to a function dies when it has ended
    assert (rows[29][1], rows[29][3]) == (3, 12_000 + 3 * head)
    assert (rows[30][1], rows[30][3]) == (2, 2000 + 2 * head)
    assert (rows[31][1], rows[31][3]) == (4, 2 * (3000 + 2 * head))
    assert rows[32] == (1, 2, 1000 + head, 3000 + 2 * head, 2, 1)


def counts_of_lines(program, interpreter, turns, lines):
    """What each of the program's lines asked for and how much of that ended at once, by the stacks of the requests. But for class
    statements: they make an int of an address, whose size depends on where the memory is."""
    run = vbt.trace([interpreter.path, program, str(turns)], env={"VBTRACE_LINES": lines, "PYTHONHASHSEED": "0"})
    told = json.loads(vbt.vbtrace("lines", "--by", "leaf", "--format", "json", run.paths[0]).stdout)
    found = collections.Counter()
    for row in told["lines"]:
        if row["file"] == str(program) and not (row["source"] or "").startswith("class "):
            found.update({(row["line"], name): row[name] for name in ("allocs", "frees", "allocated_bytes", "temporary_allocs")})
    return found


def test_counting_lines_adds_nothing(interpreter):
    """Each further turn costs each line the same, counted or not: what the interpreter makes to tell of events is in no line."""
    program = vbt.PROGRAMS / "line_idioms.py"
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
    """What was executed once changed the heap by as much at least, at most, and in all."""
    _, rows = traced(vbt.PROGRAMS / name, interpreter)
    once = {key: row for key, row in rows.items() if key[0] == name and row["hits"] == 1}
    change = {key: sum(row[f"{part}_allocated_bytes"] - row[f"{part}_freed_bytes"] for part in ("own", "called")) for key, row in once.items()}
    assert len(once) > 20 and sum(value != 0 for value in change.values()) > 10
    assert {key: (row["net_min_bytes"], row["net_max_bytes"]) for key, row in once.items()} == {key: (value, value) for key, value in change.items()}


def test_sorts(interpreter):
    program = vbt.PROGRAMS / "line_sorts.py"
    wrong = wrong_marks(program, traced(program, interpreter)[1])
    assert not wrong, f"\n{wrong}"


def test_exact_objects(interpreter):
    """One float a step, whatever the free lists do; where a version cannot tell, it says so."""
    program = vbt.PROGRAMS / "line_objects.py"
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
        assert (objects[13], objects[14]) == (10_000, 0)  # of a list the array is no object
        assert (objects[26], objects[27], objects[28]) == (20_000, 10_000, 0)  # of a dict the key table counts
        assert "what Python's allocator for objects served" in notes and "Slices, " in notes
    else:
        assert set(objects.values()) == {0} and 111 not in run.report.trace.state
        assert "Exact objects cannot be had" in notes and "cannot be seen" in run.done.stderr


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
    """Their profile is vbtrace's, all else is theirs; and all is when the program asks for more than that, or they start it."""
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


def test_a_choice_that_matches_nothing_is_told(interpreter, tmp_path):
    """Wherever the lines are looked for: at the end of the run, in the table, in the layouts of others, in the report."""
    program, trace = tmp_path / "names.py", tmp_path / "names.vbt"
    program.write_text("def apply(): return 1\n\nclass Table:\n    def put(self): return 2\n\napply(), Table().put()\n")

    def told(*choice, like=2):
        done = vbt.vbtrace("run", "-o", trace, *choice[:-1], interpreter.path, *choice[-1])
        (said,) = vbt.re.findall("^vbtrace: ((?!next|names).*)", done.stderr, vbt.re.M) or [None]
        for view, status, warning in [(["lines"], 0, "warning: "), (["lines", "--like", "memory_profiler"], like, "warning: " * (like == 0))]:
            shown = vbt.vbtrace(*view, trace)
            assert (shown.returncode, shown.stderr) == (status, f"vbtrace: {warning}{trace}: {said}\n" if said else "")
        notes = [note for note in vbt.Report(trace).json["notes"] if note.startswith("Line mode: ")]
        assert notes == ([f"Line mode: {said}."] if said else [])
        return said

    assert told("--functions", "apply", [program], like=0) is None
    assert told("--functions", "nosuch", [program]) == "no line was counted: no function that ran is called 'nosuch' (VBTRACE_FUNCTIONS)"
    assert told("--functions", "no,apply,such?,p.*q", [program], like=0).startswith("no function that ran is called 'no', 'such?' or 'p.*q' (")
    said = told("--functions", "Table.*", [program], like=2 if interpreter.v < (3, 11) else 0)
    assert (said is None) == (interpreter.v >= (3, 11)) and (said is None or "put instead of Table.put" in said)
    assert told("--files", "other.py", [program]) == "no line was counted: no file that ran is called 'other.py' (VBTRACE_FILES)"
    assert told("--files", "other.py", "--functions", "apply", [program]).endswith(
        "no function that is called 'apply' (VBTRACE_FUNCTIONS) ran in a file that is called 'other.py' (VBTRACE_FILES)"
    )
    assert "VBTRACE_FILES='<string>'" in told("--lines", ["-c", "print()"])
    assert told("--lines", "--files", "<string>", ["-c", "def f(): pass\nf()"], like=0) is None
    assert "carries @profile" in vbt.vbtrace("run", "-o", trace, interpreter.path, program, env={"VBTRACE_LINES": "profile"}).stderr


def test_lines_are_pythons(tmp_path):
    done = vbt.vbtrace("run", "--lines", "-o", tmp_path / "trace.vbt", "ls")
    assert "vbtrace: no line was counted: that is for Python, which this program is not\n" in done.stderr


THREADS = """
import threading

def work(n):
    total = 0
    for i in range(n):
        total += i
    return total

class Worker(threading.Thread):
    def run(self):
        work(100)
        work(100)

threads = [threading.Thread(target=work, args=(1000,)) for _ in range(4)] + [Worker()]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_lines_of_all_threads(interpreter, tmp_path):
    program = tmp_path / "threads.py"
    program.write_text(THREADS)
    _, rows = traced(program, interpreter)
    hits = {line: row["hits"] for (file, function, _, line), row in rows.items() if file == "threads.py" and function in ("work", "run")}
    assert hits == {4: 0, 5: 6, 6: 4206, 7: 4200, 8: 6, 11: 0, 12: 1, 13: 1}


RAW_THREADS = """
import _thread, threading

def work(n):
    total = 0
    for i in range(n):
        total += i
    done.release()

done = _thread.allocate_lock()
done.acquire()
_thread.start_new_thread(work, (1000,))
done.acquire()
print(threading._trace_hook)
"""


def test_threads_that_nobody_knows_of(interpreter, tmp_path):
    """Those started below the module threading, in which we leave no trace."""
    program = tmp_path / "raw_threads.py"
    program.write_text(RAW_THREADS)
    run, rows = traced(program, interpreter)
    assert run.stdout == "None\n"
    assert {line: row["hits"] for (_, function, _, line), row in rows.items() if function == "work"} == {4: 0, 5: 1, 6: 1001, 7: 1000, 8: 1}


DEBUGGER = """
import sys

def tracer(frame, event, argument):
    seen.append((event, frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno))
    return tracer

def stop():
    frame = sys._getframe().f_back
    while frame is not None:
        frame.f_trace = tracer
        frame = frame.f_back
    sys.settrace(tracer)

def numbers():
    yield 1
    yield 2
    yield 3

def outer():
    generator = numbers()
    next(generator)
    inner(generator)
    a = 1
    next(generator)
    b = 2

def inner(generator):
    stop()
    next(generator)
    c = 1

seen = []
outer()
sys.settrace(None)
print(seen)
"""


def test_debuggers_see_what_is_under_way(interpreter, tmp_path):
    """Functions that line mode does not follow tell whoever comes later of each line, those included that run already."""
    program = tmp_path / "debugger.py"
    program.write_text(DEBUGGER)
    run = vbt.trace([interpreter.path, program], env={"VBTRACE_FUNCTIONS": "nothing"}, silent=False)
    assert run.stdout == vbt.run([interpreter.path, program]).stdout
    assert run.stdout.count("'line', 'outer'") == 3 and run.stdout.count("'line', 'inner'") == 2


def test_switched_stacks(interpreter):
    """greenlet's, which tell nobody when a function goes on."""
    if vbt.run([interpreter.path, "-c", "import greenlet"]).returncode != 0:
        pytest.skip(f"{interpreter} has no greenlet (on Debian: apt install python3-greenlet)")
    program = vbt.PROGRAMS / "greenlets.py"
    run = vbt.trace([interpreter.path, program], env={"VBTRACE_FUNCTIONS": "chosen*,worker,killed"})
    assert run.stdout == "1012 True\n"
    wrong = wrong_marks(program, counted(run.report.trace), n=10)
    assert not wrong, f"\n{wrong}"


DEEP = """
import sys, threading

def chosen(n):
    return other(n - 1) if n > 0 else 0

def other(n):
    return chosen(n)

def count(n):
    try:
        return count(n + 1)
    except RecursionError:
        return n

def deep(n):
    chosen(n)
    threading.stack_size(256 * 1024)
    thread = threading.Thread(target=chosen, args=(200,))
    thread.start()
    thread.join()

print(count(0))
sys.setrecursionlimit(20000)
deep(int(sys.argv[1]))
"""


def test_deep_recursion(interpreter, tmp_path):
    """In 3.11 recursion in Python takes no C stack; line mode, whose calls do, finds room elsewhere."""
    program = tmp_path / "deep.py"
    program.write_text(DEEP)
    n = 6000 if interpreter.v == (3, 11) else 400
    run = vbt.trace([interpreter.path, program, n], env={"VBTRACE_FUNCTIONS": "chosen"})
    assert run.stdout == vbt.run([interpreter.path, program, n]).stdout
    (row,) = (row for (_, function, _, line), row in counted(run.report.trace).items() if (function, line) == ("chosen", 5))
    assert row["hits"] == n + 1 + 201


OTHERS = """
import sys

def counted():
    x = 1
    return x

def debugger(frame, event, argument):
    seen.append(event)
    return debugger

seen = []
counted()
sys.settrace(debugger)
counted()
sys.settrace(None)
counted()
counted()
print(sys.gettrace(), seen.count("line"))
"""


def test_trace_functions_of_others(interpreter, tmp_path):
    """They work as ever. Up to 3.11 line mode steps aside meanwhile, and says so."""
    program = tmp_path / "others.py"
    program.write_text(OTHERS)
    run, rows = traced(program, interpreter, silent=False)
    assert run.stdout == "None 2\n"
    (hits,) = (row["hits"] for (_, function, _, line), row in rows.items() if function == "counted" and line == 5)
    if interpreter.v >= (3, 12):
        assert (hits, run.done.stderr) == (4, "")
    else:
        assert hits == 3
        assert run.done.stderr.count("sets a trace function of its own") == 1
        assert "set a trace function of its own" in " ".join(run.report.json["notes"])


FORMER_TRACERS = """
import ctypes, sys, threading

def work(n):
    sys.settrace(lambda *arguments: None)
    sys.settrace(None)
    total = 0
    for i in range(n):
        total += i

def work_with_c(n):
    sys.settrace(lambda *arguments: None)
    ctypes.pythonapi.PyEval_SetTrace(None, None)
    helper()
    for i in range(n):
        total = i

def helper():
    pass

def in_a_thread(function, n):
    thread = threading.Thread(target=function, args=(n,))
    thread.start()
    thread.join()

for function in work, work_with_c:
    function(100)
    in_a_thread(function, 100)
print(sys.gettrace(), sys.settrace, type(sys.settrace), sys.settrace.__self__, sys.settrace.__module__, sys.settrace.__doc__, dir(sys))
"""


def test_after_trace_functions_of_others(interpreter, tmp_path):
    """Once they are gone, their thread's lines are counted again, whichever thread it is."""
    program = tmp_path / "former.py"
    program.write_text(FORMER_TRACERS)
    run = vbt.trace([interpreter.path, program], env={"VBTRACE_FUNCTIONS": "work*"}, silent=False)
    assert run.stdout == vbt.run([interpreter.path, program]).stdout
    hits = {line: row["hits"] for (_, function, _, line), row in counted(run.report.trace).items() if function.startswith("work")}
    assert {line: hits[line] for line in (8, 9, 15, 16)} == {8: 202, 9: 200, 15: 202, 16: 200}


TOOLS = """
import sys

def other(n):
    return n

def work(n):
    total = 0
    for i in range(n):
        total += other(i)
    return total

def generator(n):
    for i in range(n):
        yield i

def taking(numbers):
    for number in numbers:
        assert monitoring.get_tool(number) is None
        monitoring.use_tool_id(number, "mine")
        assert monitoring.get_tool(number) == "mine"
    after = 1
    return after

def started(code, offset):
    names.append(code.co_name)
    return monitoring.DISABLE

monitoring, names = sys.monitoring, []
running = generator(10)
work(10)
next(running)
taking(eval(sys.argv[1]))
monitoring.register_callback(4, monitoring.events.PY_START, started)
monitoring.register_callback(4, monitoring.events.LINE, lambda code, line: names.append(line))
monitoring.set_events(4, monitoring.events.PY_START)
work(10)
print(list(running), names, monitoring.use_tool_id, monitoring.get_tool(4))
try:
    monitoring.use_tool_id(4, "again")
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize("numbers, counts", [([4], True), ([4, 3, 2], True), ([0, 1, 2, 3, 4], True), ([0, 1, 2, 3, 4, 5], False)])
def test_tools_of_others(interpreter, numbers, counts, tmp_path):
    """A program that uses sys.monitoring gets every number that it asks for, and hears what it hears untraced."""
    if interpreter.v < (3, 12):
        pytest.skip("sys.monitoring begins with 3.12")
    program = tmp_path / "tools.py"
    program.write_text(TOOLS)
    run = vbt.trace([interpreter.path, program, numbers], env={"VBTRACE_FUNCTIONS": "work,generator,taking"}, silent=counts)
    assert run.stdout == vbt.run([interpreter.path, program, numbers]).stdout
    rows = {line: row["hits"] for (_, _, _, line), row in counted(run.report.trace).items()}
    if counts:
        assert [rows[line] for line in (8, 9, 10, 11, 14, 15, 22, 23)] == [2, 22, 20, 2, 11, 10, 1, 1]
    else:
        assert [rows[line] for line in (8, 9, 10, 11, 14, 15)] == [1, 11, 10, 1, 1, 1]
        assert "takes every number" in run.done.stderr and "took every number" in " ".join(run.report.json["notes"])


FORKS = """
import os

def work(n):
    for _ in range(n):
        pass

work(10)
if os.fork() == 0:
    work(3)
    os._exit(0)
os.wait()
"""


def test_a_child_counts_for_itself(interpreter, tmp_path):
    program = tmp_path / "forks.py"
    program.write_text(FORKS)
    run = vbt.trace([interpreter.path, program], env={"VBTRACE_LINES": "1"})
    hits = sorted(counted(report.trace)["forks.py", "work", 4, 6]["hits"] for report in run.reports)
    assert hits == [3, 10]


ONE_AFTER_THE_OTHER = """
def work(n):
    total = 0.0
    for i in range(n):
        total = float(i)
    return total

print(work(10))
"""


@pytest.mark.parametrize("objects", ["0", "1"])
def test_one_interpreter_after_the_other(interpreter, objects):
    """Each in the same process: the lines of all are counted, and nothing of one is touched that has ended."""
    ask = "import os, sys, sysconfig as c; print(os.path.join(c.get_config_var('LIBDIR'), c.get_config_var('INSTSONAME')), sys.base_prefix)"
    library, home = vbt.run([interpreter.path, "-c", ask]).stdout.split()
    if not vbt.os.path.exists(library) or ".so" not in library:
        pytest.skip(f"{interpreter} has no shared library")
    program = vbt.compiled("embedding.c", "-ldl")
    env = {"PYTHONHOME": home, "VBTRACE_FUNCTIONS": "work", "VBTRACE_OBJECTS": objects}
    run = vbt.trace([program, library, ONE_AFTER_THE_OTHER, "3"], env=env, silent=objects == "0" or interpreter.v >= (3, 10))
    assert run.stdout == "9.0\n" * 3
    rows = {line: row for (_, function, _, line), row in counted(run.report.trace).items() if function == "work"}
    assert {line: row["hits"] for line, row in rows.items()} == {2: 0, 3: 3, 4: 33, 5: 30, 6: 3}
    if objects == "1" and interpreter.v >= (3, 10):
        assert rows[5]["own_objects"] == 30
        assert not any("cannot be had" in note for note in run.report.json["notes"])


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
    """As memory_profiler has them, once lines are counted: a comprehension's own steps included, up to 3.11."""
    program = tmp_path / "occurrences.py"
    program.write_text(OCCURRENCES)
    for lines, hits, shown in [("1", 75, str(75 + 75 * 3)), ("0", None, "")]:
        run = vbt.trace(["/usr/bin/python3", program], env={"VBTRACE_LINES": lines})
        assert [row["hits"] for row in run.report.json["user_lines"] if (row["function"], row["line"]) == ("f", 5)] == [hits]
        text = vbt.vbtrace("report", run.paths[0]).stdout
        assert vbt.re.search(rf" +5 +[\d.]+ MiB +[\d.]+ MiB +{shown} +kept\.append", text), text


def test_export_for_mprof(tmp_path):
    """Debian's mprof finds the peak that the trace has."""
    run = vbt.trace(["/usr/bin/python3", "-c", "a = bytearray(50 << 20); import time; time.sleep(0.3)"])
    out = tmp_path / "mprofile_20260101000000.dat"
    assert vbt.vbtrace("export", "--format", "mprof", "-o", out, run.paths[0]).returncode == 0
    first, *rows = out.read_text().splitlines()
    assert first.startswith("CMDLINE /usr/bin/python3 -c ")
    samples = [(float(mib), float(when)) for _, mib, when in map(str.split, rows)]
    started = float(run.report.trace.told("started")[0]) / 1e9
    assert samples == sorted(samples, key=lambda sample: sample[1]) and abs(samples[0][1] - started) < 60
    peak = max(mib for mib, _ in samples)
    assert peak > 50
    mprof = vbt.shutil.which("python3-mprof") or vbt.shutil.which("mprof")
    if mprof is None:
        pytest.skip("needs mprof (on Debian: apt install python3-memory-profiler)")
    said = vbt.run([mprof, "peak", out], directory=tmp_path).stdout
    assert said.split() == [str(out), f"{peak:.3f}", "MiB"]
    if vbt.run(["/usr/bin/python3", "-c", "import matplotlib"]).returncode != 0:
        pytest.skip("mprof plot needs matplotlib (on Debian: apt install python3-matplotlib)")
    drawn = vbt.run([mprof, "plot", "--backend", "svg", "-o", "plot.svg", out], directory=tmp_path)
    assert drawn.returncode == 0, drawn.stderr
    picture = (tmp_path / "plot.svg").read_text()
    assert "memory used (in MiB)" in picture and "bytearray(50 << 20)" in picture.replace("&lt;", "<")
    (_, marks), *_ = collections.Counter(vbt.re.findall(r'<use xlink:href="#(m\w+)"', picture)).most_common(1)
    assert marks == len(samples) + 1  # a cross each, and one in the legend


LAYOUT = """
import builtins
profile = getattr(builtins, "profile", None) or __import__("line_profiler").LineProfiler()


@profile
def first(n):
    a = [1] * (1 << 16)
    for _ in range(n):
        b = list(a)

    if n < 0:
        return None
    return b


@profile
def second():
    return 1


first(3)
second()
"""


def layout(text):
    """Rows with all numbers but line numbers and counts as #, headers as they are."""
    return [vbt.re.sub(r"-?\d+\.\d+(e-\d+)?", lambda found: "#" * len(found[0]), line) for line in text.splitlines()]


@pytest.mark.parametrize("tool", ["memory_profiler", "line_profiler"])
def test_layouts_of_others(tool, tmp_path):
    """Line for line what the tool itself prints of the same program, but for the times and the bytes."""
    python = "/usr/bin/python3"
    if vbt.run([python, "-c", f"import {tool}"]).returncode != 0:
        pytest.skip(f"needs {tool} (on Debian: apt install python3-{tool.replace('_', '-')})")
    program = tmp_path / "layout.py"
    program.write_text(LAYOUT)
    how = ["-m", "memory_profiler"] if tool == "memory_profiler" else ["-m", "kernprof", "-l", "-v", "-o", tmp_path / "lprof"]
    theirs = vbt.run([python, *how, program], directory=tmp_path).stdout
    run = vbt.trace([python, program], env={"VBTRACE_LINES": "profile"})
    ours = vbt.vbtrace("lines", "--like", tool, run.paths[0]).stdout

    def rows(text):
        found = [line for line in layout(text) if vbt.re.match(r" {4,}\d+ |Line #|=====|Function|Filename|File", line)]
        if tool == "line_profiler":  # of the hits, 4.0 shows those before the line that came next in the end
            found = [vbt.re.sub(r"^( +\d+) +\d+ ", r"\1 # ", line) for line in found]
        return [vbt.re.sub(r" +#+( MiB)?", " #", line) for line in found]

    assert rows(ours) == rows(theirs) and len(rows(ours)) > 10


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
    """Not as it was in the middle of a line, nor of one that was before, whenever the clock ticks; vbtrace's own part grows a little."""
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


UNDER_WAY = """
import threading
import vbtrace

def main():
    generator = numbers()
    next(generator)
    thread = threading.Thread(target=other)
    thread.start()
    begun.wait()
    vbtrace.start()
    go.append(1)
    for i in range(3):
        leaf(i)
        next(generator)
    thread.join()
    return 1

def leaf(n):
    return n

def numbers():
    while begun:
        x = 1
        yield x

def other():
    begun.set()
    while not go:
        pass
    for i in range(100):
        y = i
    return y

begun = threading.Event()
go = []
main()
z = 1
"""


def test_functions_under_way_when_recording_begins(interpreter, tmp_path):
    """Of all threads, and generators that wait; each from its next line on."""
    program = tmp_path / "under_way.py"
    program.write_text(UNDER_WAY)
    run = vbt.trace([interpreter.path, program], python_paths=[vbt.MODULE_DIRECTORY], env={"VBTRACE_LINES": "1", "VBTRACE_DELAY": "start"})
    hits = {line: row["hits"] for (file, _, _, line), row in counted(run.report.trace).items() if file == "under_way.py" and row["hits"]}
    hits.pop(29, None), hits.pop(30, None)  # until the other thread has seen it
    expected = {12: 1, 13: 4, 14: 3, 15: 3, 16: 1, 17: 1, 20: 3, 23: 3, 24: 3, 25: 3, 31: 101, 32: 100, 33: 1, 38: 1}
    assert hits == expected
