"""However a process ends, forks or execs: its trace is there, and is right."""

import os
import resource
import signal

import pytest

import vbt
from conservation import check_laws

SOURCE = vbt.program("ends.c")
LIST_OF_HANDLERS = 1040  # bytes, for 32


def traced(way, status, **options):
    return vbt.trace([vbt.compiled(SOURCE.name, "-O0", "-fno-builtin"), way], status=status, **options)


def blocks(report, comment):
    return report.blocks_at(SOURCE, comment)


@pytest.mark.parametrize(
    "way, reason, status",
    [
        ("return", "exit", 3),
        ("exit", "exit", 3),
        ("_exit", "_exit", 3),
        ("_Exit", "_exit", 3),
        ("quick_exit", "quick_exit", 3),
        ("abort", "abort", -signal.SIGABRT),
    ],
)
def test_whole_trace(way, reason, status):
    report = traced(way, status).report
    assert report.json["complete"] and report.json["end_reason"] == reason
    assert blocks(report, "N here") == (1000, 0, 1000, 10_000)
    assert blocks(report, "the last") == (1, 0, 1, 5)
    check_laws(report)


@pytest.mark.parametrize("way, status", [("kill", -signal.SIGKILL), ("segv", -signal.SIGSEGV)])
def test_killed(way, status):
    """No hook sees it: the helper outlives the program, and writes down the last of it."""
    program = vbt.compiled(SOURCE.name, "-O0", "-fno-builtin")
    report = vbt.trace_in_steps([program, way], lambda reports: len(reports) == 1, status=status).report
    assert report.json["complete"] and report.json["end_reason"] == f"signal {-status}"
    assert (blocks(report, "N here"), blocks(report, "the last")) == ((1000, 0, 1000, 10_000), (1, 0, 1, 5))
    check_laws(report)


def test_exec():
    run = traced("exec", 0)
    assert run.stdout == "replaced\n"
    first, second = sorted(run.reports, key=lambda report: report.json["program"]["exe"].endswith("/echo"))
    assert first.json["complete"] and first.json["end_reason"] == "exec"
    assert blocks(first, "the last") == (1, 0, 1, 5)
    assert second.json["program"]["args"] == ["echo", "replaced"] and second.json["end_reason"] == "exit"
    assert first.json["program"]["pid"] == second.json["program"]["pid"]
    check_laws(second)


def test_exec_that_fails():
    """The program goes on, and so does its trace."""
    report = traced("exec-fails", 3).report
    assert report.json["end_reason"] == "exit"
    assert blocks(report, "N here") == (1000, 1000, 0, 0)
    check_laws(report)


def test_fork():
    run = traced("fork", 0)
    assert len(run.paths) == 2
    parent, child = sorted(run.reports, key=lambda report: report.totals["inherited_blocks"])
    assert child.json["program"]["ppid"] == parent.json["program"]["pid"]
    assert blocks(parent, "N here") == (1000, 100, 900, 9_000)
    assert blocks(parent, "50 in the child") == (0, 0, 0, 0)
    assert blocks(child, "N here") == (0, 400, 600, 6_000)  # inherited: known, but not allocated here
    assert blocks(child, "50 in the child") == (50, 0, 50, 1_000)
    assert child.totals["inherited_blocks"] >= 1000 and child.totals["inherited_bytes"] >= 10_000
    assert child.totals["unknown_frees"] == {"heap": 0, "python": 0, "map": 0}
    assert parent.totals["inherited_blocks"] == 0
    assert child.json["end_reason"] == parent.json["end_reason"] == "exit"


def test_fork_with_threads():
    """Each child ends, with a complete trace, though its parent's threads were inside the
    allocator."""
    run = traced("fork-threads", 0)
    assert len(run.paths) == 11
    children = [report for report in run.reports if report.totals["inherited_blocks"]]
    assert len(children) == 10
    for report in children:
        assert report.json["end_reason"] == "exit" and report.totals["lost_events"] == 0
        assert blocks(report, "1 in each child") == (1, 0, 1, 30)
        assert blocks(report, "N here")[2] == 1000


def test_spawn():
    """posix_spawn and vfork: until exec, the child shares the parent's memory, and must not write
    there."""
    run = traced("spawn", 0)
    assert run.stdout == "spawned\n"
    own, echo = sorted(run.reports, key=lambda report: report.json["program"]["exe"].endswith("/echo"))
    assert echo.json["program"]["ppid"] == own.json["program"]["pid"]
    assert echo.json["program"]["args"] == ["echo", "spawned"] and echo.json["end_reason"] == "exit"
    assert own.json["end_reason"] == "exit" and blocks(own, "N here") == (1000, 100, 900, 9_000)
    check_laws(own)


def test_os_fork(interpreter):
    """Python's fork, and its subprocess, without the warning that 3.12 gives when threads are
    running."""
    code = """
import os, subprocess, sys, time
kept = [float(i) for i in range(1000)]
time.sleep(0.1)   # so that a helper would be there
child = os.fork()
if child == 0:
    more = [float(i) for i in range(500)]
    os._exit(5)
status = os.waitpid(child, 0)[1]
assert os.WEXITSTATUS(status) == 5, status
print(subprocess.run([sys.executable, "-c", "print('grandchild')"], capture_output=True, text=True).stdout.strip())
"""
    run = vbt.trace([interpreter.path, "-W", "error", "-c", code])  # checks that stderr is empty
    assert run.stdout == "grandchild\n"
    assert len(run.paths) == 3
    assert sorted(report.json["end_reason"] for report in run.reports) == ["_exit", "exit", "exit"]
    (child,) = [report for report in run.reports if report.totals["inherited_blocks"]]
    assert child.json["end_reason"] == "_exit" and child.totals["lost_events"] == 0
    assert child.line("<string>", 7)["allocs"] >= 400  # the rest came from the free list


def test_address_space_that_is_used_up(tmp_path):
    """The buffers for writing were there before: the trace is complete."""
    code = "kept = []\ntry:\n    while True: kept.append(bytearray(1 << 20))\nexcept MemoryError: print('all')"
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (250 << 20, 250 << 20))
    run = vbt.trace(["/usr/bin/python3", "-S", "-c", code], directory=tmp_path, preexec_fn=limit)
    assert run.stdout == "all\n" and run.report.json["complete"] and run.report.json["conservation"]["holds"]
    assert run.report.line("<string>", 3)["allocated_bytes"] >= 10 << 20


def test_multiprocessing(interpreter):
    code = """
import multiprocessing
def work(n): return len([float(i) for i in range(n)])
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(sum(pool.map(work, [1000] * 20)))
        pool.close()
        pool.join()
"""
    run = vbt.trace([interpreter.path, "-W", "ignore", "-c", code])
    assert run.stdout == "20000\n"
    assert len(run.paths) >= 4
    assert all(report.totals["lost_events"] == 0 for report in run.reports)


def test_pool_that_is_killed(interpreter):
    """Leaving the with statement kills the children by SIGTERM; each has written what it did."""
    code = """
import itertools, multiprocessing
def work(n, size=5000):
    times = itertools.repeat(None, n)
    for _ in times:
        b"x" * size
    return n
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(sum(pool.map(work, [100, 200, 300, 400])))
"""
    run = vbt.trace([interpreter.path, "-W", "ignore", "-c", code])
    assert run.stdout == "1000\n"
    rows = [row for report in run.reports for row in report.json["user_lines"] if (row["file"], row["line"]) == ("<string>", 6)]
    assert (sum(row["allocs"] for row in rows), sum(row["allocated_bytes"] for row in rows)) == (1000, 1000 * 5033)


def all_kept(line):
    """A step: the line's hundred thousand blocks are in the trace."""
    return lambda reports: [report.line("<string>", line)["live_blocks"] >= 100_000 for report in reports] == [True]


def test_killed_python(interpreter):
    code = "import os\nkept = [str(i) * 9 for i in range(100000)]\ninput()\nos.kill(os.getpid(), 9)"
    report = vbt.trace_in_steps([interpreter.path, "-c", code], all_kept(2), status=-signal.SIGKILL).report
    assert report.json["end_reason"] == "signal 9" and all_kept(2)([report])


def test_killed_after_a_rest():
    """An idle process is sampled less often; what it does next is in the file as soon as always."""
    code = """
import os, sys, time
def looks():
    for process in filter(str.isdigit, os.listdir("/proc")):
        lines = open(f"/proc/{process}/status").read().splitlines()
        if lines[0] == f"Name:\\tvbtrace-{os.getpid()}":
            return int(next(line.split()[1] for line in lines if line.startswith("voluntary")))
time.sleep(0.5)
before = looks()
time.sleep(1)
print(looks() - before, flush=True)
kept = [str(i) * 9 for i in range(100000)]
sys.stdin.readline()
os.kill(os.getpid(), 9)
"""
    run = vbt.trace_in_steps(["/usr/bin/python3", "-c", code], all_kept(12), status=-signal.SIGKILL)
    assert 0 < int(run.stdout) < 60, "a hundred ticks a second where nothing happens"
    assert all_kept(12)(run.reports)


def test_killed_with_its_helper():
    """What was written by then is in the trace, which has no end."""
    code = """
import os, sys
kept = [str(i) * 9 for i in range(100000)]
sys.stdin.readline()
for process in filter(str.isdigit, os.listdir("/proc")):
    if open(f"/proc/{process}/comm").read() == f"vbtrace-{os.getpid()}\\n":
        os.kill(int(process), 9)
lost = [str(i) * 9 for i in range(100000)]
os.kill(os.getpid(), 9)
"""
    report = vbt.trace_in_steps(["/usr/bin/python3", "-c", code], all_kept(3), status=-signal.SIGKILL).report
    assert report.json["end_reason"] is None and all_kept(3)([report])
    assert not [row for row in report.json["user_lines"] if row["line"] == 8]


def test_unhandled_exception(interpreter):
    """sys.exit, an uncaught exception: the same output and status as untraced."""
    for code in ("import sys; sys.exit(42)", "raise ValueError('for a test')", "import os; os.abort()", "exit('bye')"):
        untraced = vbt.run([interpreter.path, "-c", code])
        run = vbt.trace([interpreter.path, "-c", code], status=untraced.returncode, silent=False)
        assert (run.stdout, run.done.stderr) == (untraced.stdout, untraced.stderr)
        assert run.report.json["complete"], code


def test_no_litter_from_shells():
    """A shell that only starts other programs leaves no trace; those programs do."""
    run = vbt.trace(["sh", "-c", "sh -c '/bin/echo one; /usr/bin/python3 -c \"print(2)\"'"])
    assert run.stdout == "one\n2\n"
    assert [os.path.basename(report.json["program"]["exe"])[:6] for report in run.reports] == ["python"]


@pytest.mark.parametrize("way", [[], ["quick_exit"]], ids=["exit", "quick_exit"])
def test_handlers_that_were_registered_before_the_library_started(way):
    """They run after all others, and then libc frees the lists that held them (those of exit or of
    quick_exit, whichever ran)."""
    library = vbt.compiled("exit_handlers.c", "-O1", "-fno-builtin", "-shared", "-fPIC", "-DLIBRARY")
    program = vbt.compiled("exit_handlers.c", "-O1", "-Wl,--no-as-needed", str(library), f"-Wl,-rpath,{library.parent}")
    report = vbt.trace([program, *way], status=3).report
    assert report.json["end_reason"] == ("quick_exit" if way else "exit")
    source = vbt.program("exit_handlers.c")
    assert report.blocks_at(source, "at the start") == report.blocks_at(source, "at the end") == (1, 1, 0, 0)
    lists = [row for row in report.json["lines"] if row["min_bytes"] == row["max_bytes"] == LIST_OF_HANDLERS]
    assert (sum(row["allocs"] for row in lists), sum(row["frees"] for row in lists)) == (3 + 3, 3)
    check_laws(report)
