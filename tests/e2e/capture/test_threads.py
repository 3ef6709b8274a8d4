"""What each thread did: --by thread, and programs that start very many."""

import json
import os
import signal

import pytest

import vbt

ROWS = 64  # threads that have their own row
UNIT = 1000
BLOCK = 32


def view(command, path, *options):
    done = vbt.vbtrace(command, "--by", "thread", "--format", "json", *options, path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def by_thread(path, function):
    """The counts of each thread in a function and all its callees, by the thread's label."""
    calls = view("tree", path, "--filter", f"function=^{function}$")["calls"]
    return {row["function"]: row for row in calls if row["parent"] == 0}


def column(rows, name):
    return {label: row[name] for label, row in rows.items() if row[name]}


@pytest.fixture(scope="module")
def named():
    return vbt.trace([vbt.compiled("known_threads.c", "-O0", "-fno-builtin"), "named"]).report


def test_each_thread_has_its_counts(named):
    alpha, beta, gamma = "alpha (thread 2)", "beta (thread 3)", "gamma (thread 4)"
    work = by_thread(named.path, "work")
    assert column(work, "cumulative_allocs") == {alpha: UNIT, beta: 2 * UNIT, gamma: 3 * UNIT}
    assert column(work, "cumulative_allocated_bytes") == {alpha: UNIT * BLOCK, beta: 2 * UNIT * BLOCK, gamma: 3 * UNIT * BLOCK}
    # Three allocated there and main freed some, so live blocks cannot be attributed.
    assert column(work, "cumulative_live_blocks") == {"[unknown thread]": 6 * UNIT // 4}
    assert column(by_thread(named.path, "keep"), "cumulative_live_blocks") == {alpha: 10, beta: 20, gamma: 30}
    only = by_thread(named.path, "only_gamma")
    assert column(only, "cumulative_allocs") == {gamma: UNIT}
    assert column(only, "cumulative_live_bytes") == {gamma: 900 * BLOCK}  # though main freed the rest


def test_names_of_short_threads():
    """As the kernel knew them last, although no tick saw them; what fails changes nothing."""
    report = vbt.trace([vbt.compiled("known_threads.c", "-O0", "-fno-builtin"), "renamed"]).report
    assert [row["name"] for row in report.json["threads"]][1:] == ["prctl, and cut ", "syscall", "itself", "by another"]
    assert report.totals["lost_events"] == 0


PYTHON_THREADS = """
import threading

class Own(threading.Thread):
    def __init__(self):
        self.before = 1
        super().__init__(name="own \u00fcber \u2603")
        self.after = []

    def run(self):
        self.kept = [bytes(1000) for i in range(10)]

class Many(Own):
    def __init__(self):
        for i in range(100):
            setattr(self, "attribute%d" % i, i)
        super().__init__()
        self.name = "many"

class Slots(Own):
    __slots__ = "kept", "other"

class Dict(Own):
    def __init__(self):
        super().__init__()
        vars(self).update(name_of_it="no", _name="dict")
        del self.__dict__["before"]

def work():
    kept = [bytes(1000) for i in range(10)]

named = threading.Thread(target=work, name="a name of more than sixteen")
for thread in named, threading.Thread(target=work, name=""), Own(), Many(), Slots(), Dict(), threading.Timer(0, work):
    thread.start()
    thread.join()
"""


@pytest.mark.parametrize("native", ["leaf", "full"])
def test_names_of_python_threads(interpreter, tmp_path, native):
    """As threading has them, wherever the version keeps an object's attributes."""
    if interpreter.v >= (3, 14) or interpreter.free_threaded:
        pytest.skip(f"{interpreter}: the names are those that the kernel has")
    program = tmp_path / "threads.py"
    program.write_text(PYTHON_THREADS)
    report = vbt.trace([interpreter.path, program], env={"VBTRACE_NATIVE": native}).report
    names = [row["name"] for row in report.json["threads"]]
    own = "own \u00fcber \u2603"
    assert names[1:2] + names[3:7] == ["a name of more than sixteen", own, "many", own, "dict"]
    assert names[7].startswith("Thread-")
    rows = by_thread(report.path, "work")
    assert "a name of more than sixteen (thread 2)" in column(rows, "cumulative_allocs")


def test_threads_of_a_report(named):
    rows = named.json["threads"]
    assert [(row["thread"], row["label"].split()[0], row["threads"]) for row in rows] == [
        (1, "main", 1),
        (2, "alpha", 1),
        (3, "beta", 1),
        (4, "gamma", 1),
    ]
    assert named.totals["threads"] == 4 and rows[0]["tid"] == named.json["program"]["pid"]
    begun = [row["begun_ns"] for row in rows]
    assert begun == sorted(begun) and rows[0]["ended_ns"] is None and all(row["ended_ns"] for row in rows[1:3])
    for number, row in enumerate(rows[1:], 1):
        assert row["frees"] >= number * UNIT // 2 and row["name"] == ("alpha", "beta", "gamma")[number - 1]
    for name in ("allocs", "frees", "allocated_bytes", "freed_bytes", "temporary_allocs"):
        assert sum(row[name] for row in rows) == named.totals[name]


@pytest.mark.parametrize("command, rows", [("tree", "calls"), ("peak", "stacks"), ("leaks", "stacks"), ("temporary", "stacks")])
def test_threads_add_up_to_the_whole(named, command, rows):
    reported, plain = view(command, named.path), json.loads(vbt.vbtrace(command, "--format", "json", named.path).stdout)
    assert reported["totals"] == plain["totals"]
    if command == "tree":
        sums = {name: sum(row[name] for row in reported[rows]) for name in reported["totals"]}
        assert sums == reported["totals"]


def test_functions_by_thread(named):
    rows = {row["function"]: row for row in view("functions", named.path)["functions"]}
    reported = {row["label"]: row for row in named.json["threads"]}
    assert rows.keys() - reported.keys() <= {"[unknown thread]"} and reported.keys() <= rows.keys()
    for label, row in reported.items():
        assert (rows[label]["allocs"], rows[label]["allocated_bytes"]) == (row["allocs"], row["allocated_bytes"])


def test_by_a_second_reader(named):
    trace = named.trace
    assert [thread["name"] for thread in trace.threads[2:]] == ["alpha", "beta", "gamma"]
    for number, thread in enumerate(trace.threads[1:], 1):
        parts = [trace.parts[node].get(number, {}) for node in trace.counters if trace.nodes[node][2] == 0]
        for name in ("allocs", "frees", "allocated_bytes", "freed_bytes", "temporary_allocs"):
            assert sum(part.get(name, 0) for part in parts) == thread["heap"][name], (number, name)


def test_later_threads_share_a_row():
    """The first threads keep their rows, though they ended long before the others began."""
    threads = 100
    report = vbt.trace([vbt.compiled("known_threads.c", "-O0", "-fno-builtin"), "later", threads]).report
    assert report.totals["threads"] == 1 + threads and len(report.json["threads"]) == ROWS + 1
    allocs = {label.split("thread ")[-1].rstrip(")"): n for label, n in column(by_thread(report.path, "work"), "cumulative_allocs").items()}
    later = f"[{1 + threads - ROWS} later threads]"
    assert allocs.pop(later) == sum(range(ROWS, threads + 1))
    assert allocs == {str(number): number - 1 for number in range(2, ROWS + 1)}
    assert report.json["conservation"] == {"checked": True, "holds": True, "difference": None}


def test_ten_thousand_threads():
    """Counts are exact, and the process does not grow with its threads."""
    threads = 10_000
    run = vbt.trace([vbt.compiled("known_threads.c", "-O0", "-fno-builtin"), "many", threads])
    report = run.report
    early, late = map(int, run.stdout.split())
    assert late - early < 1024, (early, late)  # KiB
    assert report.totals["threads"] == 1 + threads and report.totals["lost_events"] == 0
    work = by_thread(report.path, "work")
    assert sum(column(work, "cumulative_allocs").values()) == 10 * threads
    assert work[f"[{1 + threads - ROWS} later threads]"]["cumulative_allocs"] == 10 * (1 + threads - ROWS)
    assert report.json["conservation"]["holds"] is True


def test_python_threads(interpreter):
    """The threads of each interpreter, by their allocations."""
    code = """
import threading
def work(n):
    return [float(i) + 0.5 for i in range(n)]
for n in (1000, 2000, 3000):
    thread = threading.Thread(target=work, args=(n,)); thread.start(); thread.join()
"""
    report = vbt.trace([interpreter.path, "-c", code]).report
    assert report.totals["threads"] == 4
    allocated = column(by_thread(report.path, "work"), "cumulative_allocated_bytes")
    first, second, third = (value for _, value in sorted((label.split("thread ")[1], value) for label, value in allocated.items()))
    assert first < second < third and third - 2 * second + first < 0.3 * first


def test_one_thread_says_nothing_of_threads(interpreter):
    report = vbt.trace([interpreter.path, "-c", "pass"]).report
    assert not report.trace.threads[1:] and report.json["threads"] == []
    assert list(by_thread(report.path, "<module>")) == ["main (thread 1)"]


def test_threads_of_a_killed_process():
    """The helper writes down, after the kill, who did what: all events belong to a known thread."""
    code = """
import select, sys, threading
def work():
    kept.extend(bytearray(5000) for _ in range(1000))
kept = []
thread = threading.Thread(target=work, name="worker"); thread.start(); thread.join()
while not select.select([sys.stdin], [], [], 0.05)[0]:
    kept.append(bytearray(9000))   # so that there is something to write, and with it who did what
sys.stdin.readline()
work()
sys.stdin.readline()
"""

    def tree(path):
        reported = json.loads(vbt.vbtrace("tree", "--by", "thread", "--format", "json", path).stdout)
        return reported["totals"]["allocated_bytes"], {row["function"]: row["cumulative_allocated_bytes"] for row in reported["calls"] if row["parent"] == 0}

    def thread_is_written(reports):
        return any(tree(report.path)[1].get("worker (thread 2)", 0) >= 5_000_000 for report in reports)

    def kill(reports):
        """Kill it when all is written; what a thread does during a tick may be only in its part of
        the counts."""
        (report,) = reports
        seen.append(report.totals["allocs"])
        if seen[-2:] == 2 * seen[-1:] and report.line("<string>", 4)["allocated_bytes"] >= 10_000_000:
            os.kill(report.json["program"]["pid"], signal.SIGKILL)
            return True
        return False

    seen = []
    path = vbt.trace_in_steps(["/usr/bin/python3", "-c", code], thread_is_written, kill, status=-signal.SIGKILL).paths[0]
    totals = json.loads(vbt.vbtrace("report", "--format", "json", path).stdout)["totals"]
    whole, groups = tree(path)
    assert sum(groups.values()) == whole == totals["allocated_bytes"] and "[unknown thread]" not in groups
    assert groups["worker (thread 2)"] >= 5_000_000 and groups["main (thread 1)"] >= 5_000_000
