"""Line mode follows threads, stack switches, deep recursion, children, further interpreters, and
functions that ran before it began."""

import pytest

import vbt
from line_counts import counted, traced, wrong_marks

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


def test_unknown_threads(interpreter, tmp_path):
    """Those started below the module threading, where no hook is installed."""
    program = tmp_path / "raw_threads.py"
    program.write_text(RAW_THREADS)
    run, rows = traced(program, interpreter)
    assert run.stdout == "None\n"
    assert {line: row["hits"] for (_, function, _, line), row in rows.items() if function == "work"} == {4: 0, 5: 1, 6: 1001, 7: 1000, 8: 1}


def test_switched_stacks(interpreter):
    """greenlet's, which raise no event when a function resumes."""
    if vbt.run([interpreter.path, "-c", "import greenlet"]).returncode != 0:
        pytest.skip(f"{interpreter} has no greenlet (on Debian: apt install python3-greenlet)")
    program = vbt.program("greenlets.py")
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
    """In 3.11 recursion in Python takes no C stack; line mode's calls do, and find it elsewhere."""
    program = tmp_path / "deep.py"
    program.write_text(DEEP)
    n = 6000 if interpreter.v == (3, 11) else 400
    run = vbt.trace([interpreter.path, program, n], env={"VBTRACE_FUNCTIONS": "chosen"})
    assert run.stdout == vbt.run([interpreter.path, program, n]).stdout
    (row,) = (row for (_, function, _, line), row in counted(run.report.trace).items() if (function, line) == ("chosen", 5))
    assert row["hits"] == n + 1 + 201


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
    """All in the same process: the lines of all are counted, and nothing of a finished one is
    touched."""
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
        assert not any("cannot be counted" in note for note in run.report.json["notes"])


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
    """In all threads, and in suspended generators; each from its next line on."""
    program = tmp_path / "under_way.py"
    program.write_text(UNDER_WAY)
    run = vbt.trace([interpreter.path, program], python_paths=[vbt.MODULE_DIRECTORY], env={"VBTRACE_LINES": "1", "VBTRACE_DELAY": "start"})
    hits = {line: row["hits"] for (file, _, _, line), row in counted(run.report.trace).items() if file == "under_way.py" and row["hits"]}
    hits.pop(29, None), hits.pop(30, None)  # until the other thread sees it
    expected = {12: 1, 13: 4, 14: 3, 15: 3, 16: 1, 17: 1, 20: 3, 23: 3, 24: 3, 25: 3, 31: 101, 32: 100, 33: 1, 38: 1}
    assert hits == expected
