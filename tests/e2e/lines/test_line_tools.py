"""Line mode together with other trace functions, debuggers and monitoring tools."""

import pytest

import vbt
from line_counts import counted, traced

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
    """Functions that line mode does not follow report each line to later tools, including functions
    that are already running."""
    program = tmp_path / "debugger.py"
    program.write_text(DEBUGGER)
    run = vbt.trace([interpreter.path, program], env={"VBTRACE_FUNCTIONS": "nothing"}, silent=False)
    assert run.stdout == vbt.run([interpreter.path, program]).stdout
    assert run.stdout.count("'line', 'outer'") == 3 and run.stdout.count("'line', 'inner'") == 2


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
    """They work as usual. Up to 3.11 line mode steps aside meanwhile, and says so."""
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
        assert "set a trace function of its own" in vbt.vbtrace("lines", run.paths[0]).stdout
        assert "set a trace function of its own" in vbt.vbtrace("lines", "--format", "csv", run.paths[0]).stderr


NOTHING_REMOVED = """
import sys, threading

def work(n):
    sys.settrace(None)
    kept = [None] * n
    for i in range(n):
        kept[i] = object()
    before = sys.gettrace()
    threading.settrace(None)
    sys.settrace(before)
    return sys.settrace(None), [object() for i in range(n)]

def main():
    work(300)
    thread = threading.Thread(target=work, args=(20,))
    thread.start()
    thread.join()

main()
"""


def test_removing_no_trace_function(interpreter, tmp_path):
    """Is no reason to stop, not even for the lines that wait meanwhile."""
    program = tmp_path / "nothing.py"
    program.write_text(NOTHING_REMOVED)
    run, rows = traced(program, interpreter)
    hits = {line: row["hits"] for (_, function, _, line), row in rows.items() if function == "work"}
    assert {line: hits[line] for line in (5, 7, 8, 9, 10, 11)} == {5: 2, 7: 322, 8: 320, 9: 2, 10: 2, 11: 2}
    assert "lines were not counted" not in vbt.vbtrace("lines", run.paths[0]).stdout
    profile = vbt.json.loads(vbt.vbtrace("lines", "--format", "json", run.paths[0]).stdout)["line_profile"]
    waits = [line for function in profile if function["function"] == "main" for line in function["lines"] if line["line"] == 15]
    assert waits[0]["hits"] == 1 and waits[0]["allocs"] >= 600


CYTHON = """# cython: profile=True, linetrace=True, binding=True, language_level=3
def total(int n):
    cdef double r = 0
    cdef int k
    for k in range(n):
        r += k
    return r, [object() for k in range(n)]
"""


def test_lines_that_cython_reports(tmp_path):
    """Up to Python 3.11, where it calls the trace function of the code that calls it."""
    python = next((found for found in vbt.interpreters() if found.path == "/usr/bin/python3"), None)
    if python is None or python.v >= (3, 12) or vbt.run([python.path, "-c", "import Cython"]).returncode != 0:
        pytest.skip("needs Python 3.11 or older with Cython (on Debian: apt install cython3)")
    (tmp_path / "cyt.pyx").write_text(CYTHON)
    include = vbt.run([python.path, "-c", "import sysconfig; print(sysconfig.get_paths()['include'])"]).stdout.strip()
    assert vbt.run([python.path, "-m", "cython", "-3", "cyt.pyx"], directory=tmp_path).returncode == 0
    build = ["cc", "-w", "-O1", "-shared", "-fPIC", "-DCYTHON_TRACE=1", f"-I{include}", "cyt.c", "-o", "cyt.so"]
    if not vbt.os.path.exists(f"{include}/Python.h"):
        pytest.skip("needs Python.h (on Debian: apt install python3-dev)")
    assert vbt.run(build, directory=tmp_path).returncode == 0
    program = tmp_path / "calls.py"
    program.write_text("import cyt\nfor i in range(3):\n    kept = cyt.total(10)\n")
    run = vbt.trace([python.path, program], env={"VBTRACE_FILES": "cyt.pyx,calls.py"})
    rows = {line: row for (file, function, _, line), row in counted(run.report.trace).items() if file == "cyt.pyx" and function == "total"}
    assert {line: row["hits"] for line, row in rows.items() if row["hits"]} == {3: 3, 5: 3, 6: 30, 7: 3}
    assert rows[7]["own_allocs"] >= 30


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
    """Once they are gone, the lines of their thread are counted again, in every thread."""
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
    """A program that uses sys.monitoring gets every tool id that it asks for, and the same events
    as untraced."""
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
        assert "takes every tool number" in run.done.stderr and "took every tool number" in " ".join(run.report.json["notes"])
