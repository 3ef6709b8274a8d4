"""Code that further interpreters of a process run: its allocations are charged to its own lines,
and its lines are counted."""

import collections
import pathlib

import pytest

import vbt
from line_counts import counted

SIZE, ROUNDS = 5000, 400

WORK = f"""
def make(n):
    kept = []
    for i in range(n):
        kept.append(bytes({SIZE})) # block
    return kept
def main():
    kept = make({ROUNDS})
    assert len(kept) == {ROUNDS}
main()
"""

HOST = """
import ctypes, sys
library = ctypes.PyDLL(sys.argv[1])
def visit(script):
    before = [bytes(3000) for i in range(10)] # before
    getattr(library, sys.argv[2])(script.encode(), *map(int, sys.argv[3:])) # visit
    return [bytes(3000) for i in range(10)] # after
with open(WORK) as file:
    SCRIPT = "exec(compile(open(%r).read(), %r, 'exec'))" % (WORK, WORK)
assert len(visit(SCRIPT)) == 10
"""


# How the host has the work done, and how many times that is.
WAYS = {
    "one by one": (["one_by_one", 3], 3),
    "in turn": (["in_turn", 3, 4], 12),
    "by threads": (["by_threads", 4], 4),
}


@pytest.fixture
def host(tmp_path):
    work, host = tmp_path / "work.py", tmp_path / "host.py"
    work.write_text(WORK)
    host.write_text(HOST.replace("WORK", repr(str(work))))
    return host


def run(interpreter, host, *arguments, **options):
    library = vbt.compiled("many_interpreters.c", "-shared", "-fPIC", "-ldl", "-pthread")
    return vbt.trace([interpreter.path, host, library, *arguments], env=options).report


def check_allocations(report, host, times):
    """The line of the work has what it allocated, and those of the host only what they allocated
    themselves."""
    work = host.with_name("work.py")
    block = report.line(work, vbt.line_of(work, "# block"))
    assert times * ROUNDS * (SIZE + 33) <= block["allocated_bytes"] < times * ROUNDS * (SIZE + 200)
    visit = report.line(host, vbt.line_of(host, "# visit"))
    assert visit["allocated_bytes"] < times * ROUNDS * SIZE / 3  # what interpreters take to start
    for mark in "# before", "# after":
        assert 10 * 3033 <= report.line(host, vbt.line_of(host, mark))["allocated_bytes"] < 10 * 3300


def hits(report, file):
    """By line, over all functions: a function's definition is a line of the module's, too."""
    found = collections.Counter()
    for (name, _, _, line), row in counted(report.trace).items():
        found[line] += row["hits"] if name == file else 0
    return +found


def check_hits(report, times):
    assert hits(report, "work.py") == {
        2: times,
        3: times,
        4: times * (ROUNDS + 1),
        5: times * ROUNDS,
        6: times,
        7: times,
        8: times,
        9: times,
        10: times,
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("native", ["leaf", "full"])
def test_allocations(interpreter, host, way, native):
    arguments, times = WAYS[way]
    check_allocations(run(interpreter, host, *arguments, VBTRACE_NATIVE=native), host, times)


@pytest.mark.parametrize("way", WAYS)
def test_lines(interpreter, host, way):
    arguments, times = WAYS[way]
    report = run(interpreter, host, *arguments, VBTRACE_LINES="1")
    check_allocations(report, host, times)
    check_hits(report, times)


@pytest.mark.parametrize("lines", ["0", "1"])
def test_with_a_gil_each(interpreter, host, lines):
    """Threads of such interpreters run at the same time."""
    if interpreter.v < (3, 12) or interpreter.free_threaded:
        pytest.skip(f"{interpreter}: interpreters have no GIL of their own")
    report = run(interpreter, host, "side_by_side", 4, VBTRACE_LINES=lines)
    check_allocations(report, host, 4)
    if lines == "1":
        check_hits(report, 4)


def libpython(interpreter):
    ask = "import sysconfig as c; print(c.get_config_var('LIBDIR') + '/' + c.get_config_var('INSTSONAME'), c.get_config_var('prefix'))"
    library, prefix = vbt.run([interpreter.path, "-c", ask]).stdout.split()
    if not library.endswith((".so", ".so.1.0")) or not pathlib.Path(library).exists():
        pytest.skip(f"{interpreter}: no {library}")
    return library, prefix


def run_embedded(interpreter, file, text, **options):
    """embeds_python runs the file three times."""
    library, prefix = libpython(interpreter)
    file.write_text(text)
    script = f"exec(compile(open({str(file)!r}).read(), {str(file)!r}, 'exec'))"
    program = vbt.compiled("embeds_python.c", "-ldl")
    return vbt.trace([program, library, script], env={"PYTHONHOME": prefix, **options}).report


@pytest.mark.parametrize("lines", ["0", "1"])
def test_run_before_the_first_one(interpreter, tmp_path, lines):
    work = tmp_path / "work.py"
    report = run_embedded(interpreter, work, WORK, VBTRACE_LINES=lines)
    block = report.line(work, vbt.line_of(work, "# block"))
    assert 3 * ROUNDS * (SIZE + 33) <= block["allocated_bytes"] < 3 * ROUNDS * (SIZE + 200)
    if lines == "1":
        check_hits(report, 3)


def test_threads_of_a_loaded_interpreter(interpreter, tmp_path):
    """Where libpython is loaded late, the loader allocates when a thread first reads its state.
    That is in no signal handler, and no event is lost."""
    work = tmp_path / "work.py"
    start = "import threading\nthread = threading.Thread(target=main)\nthread.start()\nthread.join()\n"
    report = run_embedded(interpreter, work, WORK.removesuffix("main()\n") + start)
    assert report.totals["lost_events"] == 0
    assert report.line(work, vbt.line_of(work, "# block"))["allocated_bytes"] >= 3 * ROUNDS * (SIZE + 33)


DECORATED = """
def count(n):
    for i in range(n):
        pass
@profile
def work(n):
    for i in range(n):
        pass
work(10)
count(10)
"""


def test_decorated_functions(interpreter, host):
    host.with_name("work.py").write_text(DECORATED)
    report = run(interpreter, host, "one_by_one", 2, VBTRACE_LINES="profile")
    assert hits(report, "work.py") == {7: 22, 8: 20}


TOOL = """
import sys
def work(n):
    for i in range(n):
        pass
work(10)
sys.monitoring.use_tool_id(4, "mine")
assert sys.monitoring.get_tool(4) == "mine"
assert sys.monitoring.get_tool(3) is None
work(10)
"""


def test_tool_numbers_are_of_each_interpreter(interpreter, host):
    """One that takes line mode's number does not change it in the others."""
    if interpreter.v < (3, 12) or interpreter.free_threaded:
        pytest.skip(f"{interpreter}: lines are not counted by sys.monitoring there")
    host.with_name("work.py").write_text(TOOL)
    report = run(interpreter, host, "one_by_one", 2, VBTRACE_LINES="1")
    assert {line: count for line, count in hits(report, "work.py").items() if line in (4, 5)} == {4: 44, 5: 40}
    assert hits(report, "host.py")[vbt.line_of(host, "# after")] > 0


TRACER = """
import sys
def ignore(frame, event, argument):
    return None
def work(n):
    for i in range(n):
        pass
work(10)
sys.settrace(None)
work(10)
sys.settrace(ignore)
work(10)
sys.settrace(None)
work(10)
"""


def test_trace_functions_of_the_program(interpreter, host):
    """Up to 3.11 line mode pauses while there is one, in that thread; no longer."""
    host.with_name("work.py").write_text(TRACER)
    library = vbt.compiled("many_interpreters.c", "-shared", "-fPIC", "-ldl", "-pthread")
    run = vbt.trace([interpreter.path, host, library, "one_by_one", 1], env={"VBTRACE_LINES": "1"}, silent=False)
    times = 4 if interpreter.v >= (3, 12) else 3
    assert {line: count for line, count in hits(run.report, "work.py").items() if line in (6, 7)} == {6: 11 * times, 7: 10 * times}
    assert hits(run.report, "host.py")[vbt.line_of(host, "# after")] > 0
