"""Several traces as one: what is said of them together is the sum of what is said of each, added up
by parts.py, which shares no code with the tool."""

import random
import re
import shutil
import subprocess

import pytest

import parts
import trace_writer
import vbt

PYTHON = "/usr/bin/python3"

POOL = """
import multiprocessing, sys

def work(number):
    return len([bytes(1000) for _ in range(number)])

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    kept = [bytes(2000) for _ in range(500)]
    with multiprocessing.Pool(3) as pool:
        print(sum(pool.map(work, [50 * number for number in range(12)], chunksize=1)))
        pool.close()
        pool.join()
"""


def run(tmp_path, *command, status=0, **options):
    """The traces of a program's processes."""
    folder = tmp_path / "traces"
    done = vbt.run([vbt.ANALYZER, "run", "--quiet", "-o", f"{folder}/", *command], directory=tmp_path, **options)
    assert done.returncode == status, done.stderr
    return sorted(folder.glob("*.vbt"))


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    return trace_writer.generate(tmp_path_factory.mktemp("generated"), 50, 40)


def test_fifty_generated_traces(generated):
    together, found = parts.check_sums([generated[0].parent], generated)
    assert together["totals"]["peak_bytes"] == sum(part["totals"]["peak_bytes"] for part in found)
    assert together["conservation"] == {"checked": True, "holds": True, "difference": None}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pool(method, tmp_path):
    (tmp_path / "pool.py").write_text(POOL)
    paths = run(tmp_path, PYTHON, "pool.py", method)
    assert len(paths) >= 4
    parts.check_sums([tmp_path / "traces"], paths, inherits=method == "fork", stacks_too=method == "fork")


def test_make(tmp_path):
    (tmp_path / "Makefile").write_text("all: a.o b.o c.o\n\tcc -o all a.o b.o c.o\n%.o: %.c\n\tcc -c $<\n")
    for name, text in {"a": "int b(void), c(void); int main(void) { return b() + c(); }", "b": "int b(void) { return 0; }", "c": "int c(void) { return 0; }"}.items():
        (tmp_path / f"{name}.c").write_text(text + "\n")
    paths = run(tmp_path, "make", "-j2")
    programs = {row["program"] for row in parts.view("list", *paths)["processes"]}
    assert {"make", "cc1", "as"} <= programs
    parts.check_sums([tmp_path / "traces"], paths)


def test_pytest_xdist(tmp_path):
    pytest.importorskip("xdist", reason="needs python3-pytest-xdist")
    (tmp_path / "test_some.py").write_text("import pytest\n\n@pytest.mark.parametrize('i', range(8))\ndef test_one(i):\n    assert [bytes(100) for _ in range(100 * i)] is not None\n")
    paths = run(tmp_path, PYTHON, "-m", "pytest", "-q", "-n", "4", "-p", "no:cacheprovider", "test_some.py")
    assert len(paths) >= 5
    parts.check_sums([tmp_path / "traces"], paths, stacks_too=False)


def test_gunicorn(tmp_path):
    pytest.importorskip("gunicorn", reason="needs python3-gunicorn")
    (tmp_path / "app.py").write_text("def app(environ, start):\n    start('200 OK', [])\n    return [bytes(1000)]\n")
    folder = tmp_path / "traces"
    server = subprocess.Popen([vbt.ANALYZER, "run", "--quiet", "-o", f"{folder}/", PYTHON, "-m", "gunicorn", "-w", "4", "-b", f"unix:{tmp_path}/socket", "app:app"], cwd=tmp_path, env=vbt.environment(), stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if "Booting worker" in line:
            break
    server.terminate()
    server.communicate(timeout=vbt.TIMEOUT)
    paths = sorted(folder.glob("*.vbt"))
    assert len(paths) >= 2
    parts.check_sums([folder], paths, inherits=True, stacks_too=False)


def test_order_and_names_do_not_matter(generated):
    names = list(map(str, generated[:10]))
    expected = [vbt.vbtrace(*command, *names).stdout for command in (["report", "--format", "json"], ["tree"], ["peak"], ["flamegraph"])]
    random.Random(3).shuffle(names)
    for command, text in zip((["report", "--format", "json"], ["tree"], ["peak"], ["flamegraph"]), expected):
        assert vbt.vbtrace(*command, *names).stdout == text and text


def test_chosen_processes(generated, tmp_path):
    folder = generated[0].parent
    single = parts.view("report", generated[3])
    (row,) = parts.view("list", generated[3])["processes"]
    assert parts.view("report", "--process", row["pid"], folder) == single
    assert parts.view("report", "--filter", rf"process=\({row['pid']}\)", folder)["totals"] == single["totals"]
    rows = parts.view("list", folder)["processes"]
    for choice, wanted in (("program=^app1.py$", lambda row: row["program"] == "app1.py"), ("host=host0", lambda row: row["host"] == "host0"), ("rank!=^1", lambda row: not row["rank"].startswith("1"))):
        kept = [row for row in rows if wanted(row)]
        found = parts.view("report", "--filter", choice, folder)
        assert sorted(row["pid"] for row in found["processes"]) == sorted(row["pid"] for row in kept)
        assert found["totals"]["allocs"] == sum(row["allocs"] for row in kept)
    done = vbt.vbtrace("report", "--process", "5", folder)
    assert (done.returncode, done.stderr) == (2, f"vbtrace: {folder}: no process 5 (--process) that passes the filters; vbtrace list shows which there are\n")
    done = vbt.vbtrace("report", "--filter", "rank=x", folder)
    assert (done.returncode, done.stderr) == (2, f"vbtrace: {folder}: no process passes --filter; vbtrace list shows which there are\n")


@pytest.mark.parametrize("by", ["program", "rank", "host"])
def test_groups_of_processes(by, generated):
    rows = parts.view("list", *generated)["processes"]
    names = {"rank": lambda row: f"rank {row['rank']}"}.get(by, lambda row: row[by])
    expected = parts.summed(rows, names, ("allocs", "allocated_bytes"))
    found = parts.view("functions", "--by", by, *generated)["functions"]
    assert parts.summed(found, lambda row: row["function"], ("allocs", "allocated_bytes")) == expected
    stacks = parts.view("peak", "--by", by, *generated)["stacks"]
    assert {row["group"] for row in stacks} <= expected.keys()


def at(live, tick=10**7):
    """A course of memory: live bytes from one moment on, until the next."""
    times = sorted(live)
    return [(time_, live[max(begin for begin in times if begin <= time_)]) for time_ in range(tick, times[-1] + tick, tick)]


def test_the_most_that_four_processes_had_together(tmp_path):
    """Their own peaks lie apart: two overlap."""
    second, mega = 10**9, 10**6
    places = [("/app/a.py", "work", 1)]
    courses = [  # began after the first, live bytes by time
        (0, {0: 1 * mega, 1 * second: 50 * mega, 2 * second: 2 * mega, 5 * second: 0}),
        (2_500_000_000, {0: 30 * mega, 1 * second: 40 * mega, int(1.5 * second): 1 * mega, 3 * second: 0}),
        (3_200_000_000, {0: 5 * mega, int(0.5 * second): 20 * mega, 2 * second: 0}),
        (6 * second, {0: 60 * mega, second: 0}),
    ]
    for number, (began, live) in enumerate(courses):
        ticks = at(live)
        peak = max(value for _, value in ticks)
        pairs = [("pid", 100 + number), ("ppid", 1), ("host", "h"), ("started", 1_700_000_000_000_000_000 + began), ("python", "3.11.2"), ("exe", "/usr/bin/python3")]
        trace_writer.write(tmp_path / f"{number}.vbt", pairs, places, {(places[0],): (1, peak, 1, peak, peak, 0)}, ticks)
    found = parts.view("report", tmp_path)["together"]
    tick = 10**7
    truth = {}
    for moment in range(tick, 8 * second, tick):  # what is live just before each moment, by the clock on the wall
        live = [course[max(begin for begin in course if begin <= moment - 1 - began)] if began < moment else 0 for began, course in courses]
        truth[moment] = sum(live)
    best = max(truth, key=truth.get)
    assert found["bytes"] == truth[best] == 62 * mega
    assert abs(found["time_ns"] - best) <= tick and found["processes"] == 3
    text = vbt.vbtrace("report", tmp_path).stdout
    assert re.search(r"\n +59\.1 MiB at one moment, before 3\.7\d s, in 3 processes\n", text), text


def test_what_was_live_then(tmp_path):
    """By call path: of processes at their own peak that, of others the nearest state, of those that
    did not run nothing."""
    second, mega = 10**9, 10**6
    places = [("/app/a.py", f"work{number}", 1) for number in range(4)]
    courses = [(0, 50, 4 * second), (1 * second, 40, 2 * second), (20 * second, 30, 2 * second), (3 * second // 2, 20, 3 * second)]
    for number, (began, megabytes, length) in enumerate(courses):
        peak = megabytes * mega
        ticks = [(second // 2, 0), (length - second // 2, peak), (length, 0)]
        pairs = [("pid", 100 + number), ("host", "h"), ("started", 1_700_000_000_000_000_000 + began), ("python", "3.11.2"), ("exe", "/usr/bin/python3")]
        trace_writer.write(tmp_path / f"{number}.vbt", pairs, places, {(places[number],): (1, peak, 1, peak, peak, 0)}, ticks)
    found = parts.view("peak", tmp_path)
    assert found["together"] == {"bytes": 110 * mega, "time_ns": int(2.5 * second), "processes": 3, "by_path_bytes": 110 * mega, "farthest_ns": 0}
    live = {row["key"][0][3]: row["at_peak_bytes"] for row in parts.stacks(found)}
    assert live == {"work0": 50 * mega, "work1": 40 * mega, "work3": 20 * mega}
    text = vbt.vbtrace("peak", tmp_path).stdout
    assert text.startswith("Bytes live together: 104.9 MiB at 2.50 s, in 3 processes\nBy call path: 104.9 MiB, 3 call stacks\n")
    alone = parts.view("peak", tmp_path / "2.vbt")
    assert alone["together"] is None and alone["totals"]["at_peak_bytes"] == 30 * mega


def test_a_process_that_waits_has_what_it_had(tmp_path):
    """Two hold memory at the same time; whatever states their traces have, both are there."""
    (tmp_path / "holds.py").write_text("import sys\nkept = bytes(int(sys.argv[1]))\nprint('ready', flush=True)\nsys.stdin.readline()\ndel kept\n")
    main = "import subprocess, sys\nrun = [subprocess.Popen([sys.executable, 'holds.py', str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for n in (5000000, 7000000)]\nfor one in run:\n    assert one.stdout.readline() == b'ready\\n'\nfor one in run:\n    one.communicate(b'go\\n')\n"
    (tmp_path / "main.py").write_text(main)
    paths = run(tmp_path, PYTHON, "main.py")
    found = parts.view("peak", *paths)
    live = sum(row["at_peak_bytes"] for row in parts.stacks(found) if any(frame[1].endswith("holds.py") and frame[2] == 2 for frame in row["key"]))
    assert live >= 12_000_000 and found["together"]["bytes"] >= 12_000_000
    assert found["together"]["by_path_bytes"] == found["totals"]["at_peak_bytes"]


def test_what_was_inherited_is_the_parents(tmp_path):
    """A child that frees nothing adds nothing to what is live."""
    code = "import os\nkept = [bytes(100000) for _ in range(50)]\npid = os.fork()\nif pid == 0:\n    own = bytes(3000000)\n    os._exit(0)\nos.waitpid(pid, 0)\nos._exit(0)\n"
    paths = run(tmp_path, PYTHON, "-c", code)
    parent, child = sorted((parts.view("report", path) for path in paths), key=lambda report: report["totals"]["inherited_blocks"])
    together = parts.view("report", *paths)
    assert child["totals"]["live_bytes"] > 8_000_000 and child["totals"]["inherited_bytes"] > 5_000_000
    own = parts.view("leaks", *paths)["totals"]
    assert own["own_live_bytes"] == together["totals"]["live_bytes"] < parent["totals"]["live_bytes"] + 3_100_000
    assert together["totals"]["peak_bytes"] < parent["totals"]["peak_bytes"] + 3_100_000
    assert together["together"]["bytes"] < parent["totals"]["peak_bytes"] + 3_100_000
    assert together["conservation"]["holds"]
    undecided = sum(parts.view("leaks", path)["totals"]["undecided_bytes"] for path in paths)
    assert own["undecided_bytes"] == undecided


def test_what_may_be_the_childs_own(tmp_path):
    """At a line where both have blocks, the child frees as many as it allocates: of what it has, a
    part may be its own."""
    code = "import os\ndef make(n): return [bytes(1000) for _ in range(n)]\nkept = []\nfor n in (100, 60):\n    kept[:30] = make(n)\n    if n == 100 and (pid := os.fork()):\n        os.waitpid(pid, 0)\n        os._exit(0)\nos._exit(0)\n"
    paths = run(tmp_path, PYTHON, "-c", code)
    single = [parts.view("leaks", path)["totals"] for path in paths]
    together = parts.view("leaks", *paths)["totals"]
    for name in ("undecided_bytes", "undecided_blocks"):
        assert together[name] == sum(totals[name] for totals in single) > 0
    assert together["undecided_blocks"] >= 30  # of 70 that are the parent's and 60 of its own, 30 at least are its own
    done = vbt.vbtrace("leaks", *paths)
    assert "may be the processes' own: of call paths with\ninherited blocks" in done.stdout
    merged = tmp_path / "all.vbt"
    assert vbt.vbtrace("merge", "-o", merged, *paths).returncode == 0
    assert parts.view("leaks", merged)["totals"] == together
    assert parts.view("leaks", "--filter", "function=make", *paths)["totals"]["undecided_bytes"] is None


def test_the_same_process_twice(generated, tmp_path):
    copy = tmp_path / "copy.vbt"
    shutil.copy(generated[0], copy)
    one, other = sorted(map(str, (generated[0], copy)))
    done = vbt.vbtrace("report", copy, generated[0])
    assert (done.returncode, done.stderr) == (2, f"vbtrace: {one} and {other} both hold the process app0.py (1000)\n")
    link = tmp_path / "link.vbt"
    link.symlink_to(copy)
    assert vbt.vbtrace("report", copy, link).returncode == 0  # the same file


def test_traces_that_are_cut_off(generated, tmp_path):
    cut, whole = tmp_path / "cut.vbt", tmp_path / "whole.vbt"
    data = generated[0].read_bytes()
    cut.write_bytes(data[: data.rindex(b"VBTC")])
    shutil.copy(generated[1], whole)
    done = vbt.vbtrace("report", tmp_path)
    assert done.returncode == 0 and "not all complete" in done.stdout
    assert "1 of 2 traces is not complete: cut off, damaged or still being written." in " ".join(done.stdout.split())
    assert not parts.view("report", tmp_path)["complete"]
    cut.write_bytes(data[:-5])
    done = vbt.vbtrace("report", "--format", "json", tmp_path)
    assert done.returncode == 0 and f"vbtrace: warning: {cut}: damaged at byte " in done.stderr


def test_what_needs_a_single_process(generated):
    done = vbt.vbtrace("tree", "--by", "thread", *generated[:2])
    assert (done.returncode, done.stderr) == (2, "vbtrace: 2 traces: --by thread needs a single process; choose one with --process PID\n")
    done = vbt.vbtrace("symbolize", *generated[:2])
    assert (done.returncode, done.stderr) == (2, f"vbtrace: symbolize: expected one trace file, found also {generated[1]}\n")
