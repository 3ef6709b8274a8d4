"""Forks, execs, daemons and pools: each process has its own trace with its own name, and inherits
its parent's blocks."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

import vbt
from conservation import check_laws

SOURCE, WORKERS = vbt.program("processes.c"), vbt.program("workers.py")
PYTHON = "/usr/bin/python3"


def program():
    return vbt.compiled(SOURCE.name, "-O0", "-fno-builtin")


def traced(way, *arguments, status=0, **options):
    return vbt.trace([program(), way, *arguments], status=status, **options)


def blocks(report, comment):
    return report.blocks_at(SOURCE, comment)


def family(run):
    """The reports of a run: parents before their children, and the programs of a process in
    order."""
    return sorted(run.reports, key=lambda report: report.json["program"]["started_ns"])


def check_child(child, parent):
    """Check a process that ran live() of processes.c."""
    assert child.json["program"]["ppid"] in (parent.json["program"]["pid"], 1) and parent.json["program"]["pid"] != child.json["program"]["pid"]
    assert blocks(child, "N here") == (0, 300, 700, 7_000)
    assert blocks(child, "7 in the child") == (7, 0, 7, 700)
    assert child.totals["inherited_blocks"] >= 1000 and child.totals["unknown_frees"] == {"heap": 0, "python": 0, "map": 0}
    assert blocks(parent, "N here") == (1000, 0, 1000, 10_000) and blocks(parent, "7 in the child") == (0, 0, 0, 0)
    assert child.totals["lost_events"] == parent.totals["lost_events"] == 0
    check_laws(child)
    check_laws(parent)


@pytest.mark.parametrize("way, reason", [("clone", "_exit"), ("clone-stack", "exit"), ("_Fork", "_exit")])
def test_forks_that_no_handler_sees(way, reason):
    parent, child = family(traced(way))
    check_child(child, parent)
    assert child.json["end_reason"] == reason and parent.json["end_reason"] == "exit"


def test_pool_of_workers():
    run = traced("pool")
    parent, *workers = family(run)
    assert sorted(blocks(worker, "10, 20, 30, 40 in the workers") for worker in workers) == [(n, 0, n, 50 * n) for n in (10, 20, 30, 40)]
    for worker in workers:
        assert worker.json["end_reason"] == "_exit" and worker.json["program"]["ppid"] == parent.json["program"]["pid"]
        assert blocks(worker, "N here") == (0, 0, 1000, 10_000)
        check_laws(worker)


def test_what_is_inherited_is_no_leak():
    """Of the blocks a child did not free, only its own are listed as leaks."""
    worker = max(traced("pool").reports, key=lambda report: blocks(report, "10, 20, 30, 40 in the workers"))
    leaks = json.loads(vbt.vbtrace("leaks", "--ungroup", "--format", "json", worker.path).stdout)
    assert leaks["totals"]["own_live_bytes"] == 40 * 50 and leaks["totals"]["own_live_blocks"] == 40
    assert worker.totals["live_bytes"] >= 12_000  # the whole list


def test_live_bytes_are_the_same_in_every_table():
    """Inherited ones among them; what is the process's own has names of its own."""
    for report in traced("pool").reports:
        for command, tables in CALL_TABLES.items():
            reported = json.loads(vbt.vbtrace(command, "--format", "json", report.path).stdout)
            rows = [row for table in tables for row in reported[table]]
            for name in ("live_bytes", "live_blocks"):
                sums = reported.get("totals", {}).get(name, report.totals[name]), report.totals[name]
                assert sums[0] == sums[1]
                if command in ("lines", "functions", "tree"):  # others list the stacks with any of their measure
                    assert sum(row[name] for row in rows) == sums[0], command
            assert all(row.get("own_live_bytes", 0) <= max(row["live_bytes"], 0) for row in rows)


CALL_TABLES = {"lines": ["lines"], "functions": ["functions"], "tree": ["calls"], "peak": ["stacks"], "leaks": ["stacks"], "temporary": ["stacks"]}


def test_own_and_inherited_blocks_of_one_path():
    """The child frees 600 of 1000 blocks that it inherited, and keeps 600 of its own, all made by
    one call path. No count knows which it freed: they may all be inherited, and that is said."""
    run = vbt.trace([vbt.compiled("inherited_path.c")])
    (child,) = [report for report in run.reports if report.totals["inherited_blocks"] >= 1000]
    done = vbt.vbtrace("leaks", "--ungroup", child.path)
    assert (
        "Inherited from the parent process, and live too: 97.7 KiB in 1,000 blocks\n"
        "Of these, up to 58.6 KiB in 600 blocks may be the process's own: of call paths with\n"
        "inherited blocks it is not known which were freed\n"
    ) in done.stdout
    totals = json.loads(vbt.vbtrace("leaks", "--format", "json", child.path).stdout)["totals"]
    assert (totals["undecided_blocks"], totals["undecided_bytes"]) == (600, 60_000)
    assert (totals["live_blocks"], totals["own_live_blocks"]) == (1000, 0)
    parent = next(report for report in run.reports if report is not child)
    said = vbt.vbtrace("leaks", parent.path)
    assert said.returncode == 0 and "parent process" not in said.stdout


def test_generations():
    """A child also inherits what its parent inherited."""
    run = traced("generations")
    reports = family(run)
    assert len(reports) == 4
    for generation, report in enumerate(reports):
        assert blocks(report, "N here") == ((1000, 0, 1000, 10_000) if generation == 0 else (0, 100, 1000 - 100 * generation, 10_000 - 1000 * generation))
        own = 1 if generation > 0 else 0
        assert blocks(report, "1 in each generation")[:3] == (own, 0, generation)  # one of each generation before is inherited
        check_laws(report)


def test_daemon(tmp_path):
    """libc's daemon ends the parent unseen by hooks; ours does not. vbtrace does not keep the old
    standard output open."""
    done = vbt.run([program(), "daemon", tmp_path / "written"], traced=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    parent, child = family(wait_for_traces(done, tmp_path, 2))
    check_child(child, parent)
    assert (parent.json["end_reason"], child.json["end_reason"]) == ("_exit", "exit") and (tmp_path / "written").exists()


def wait_for_traces(done, directory, count):
    """A run whose processes may end after the first one did."""
    deadline = time.monotonic() + vbt.TIMEOUT
    while True:
        paths = sorted(pathlib.Path(directory).glob("*.vbt"))
        if len(paths) >= count and all(vbt.Report.of_live(path).json["complete"] for path in paths):
            return vbt.Run(done, paths)
        assert time.monotonic() < deadline, paths
        time.sleep(0.02)


def test_vfork():
    run = traced("vfork")
    own, true = sorted(run.reports, key=lambda report: report.json["program"]["exe"].endswith("true"))
    assert blocks(own, "N here") == (1000, 0, 1000, 10_000) and own.json["end_reason"] == "exit"
    assert true.json["program"]["args"] == ["true"] and true.totals["inherited_blocks"] == 0
    check_laws(own)


@pytest.mark.parametrize("output", ["all.vbt", "%e.vbt", "no-suffix"])
def test_no_two_share_a_name(output, tmp_path):
    """However many write to the same path at the same time, each has its own file in the end,
    beside the first."""
    (tmp_path / "all.vbt").write_text("of an earlier run")
    os.utime(tmp_path / "all.vbt", (1, 1))
    done = vbt.run([program(), "spawn"], traced=tmp_path, env={"VBTRACE_OUTPUT": str(tmp_path / output)})
    assert (done.returncode, done.stderr) == (0, "")
    reports = [vbt.Report(path) for path in tmp_path.iterdir() if path.stat().st_mtime > 2]
    assert len(reports) == 5 and len({report.json["program"]["pid"] for report in reports}) == 5
    for report in reports:
        assert report.json["complete"] and blocks(report, "N here") == (1000, 0, 1000, 10_000)
        assert os.path.basename(report.path).startswith(output.split(".")[0].replace("%e", "processes"))


def brief(directory):
    """A program that ends at once, and is not one of the small tools."""
    return shutil.copy("/bin/true", directory / "brief")


@pytest.mark.parametrize("way", ["{brief}", "sh -c '{brief}; :'", "env A=B {brief}", "timeout 100 {brief}"])
def test_name_belongs_to_the_program_that_was_started(way, tmp_path):
    """Even if what it starts, however indirectly, ends before it has a file of its own."""
    code = f"import os, time; os.system({way.format(brief=brief(tmp_path))!r}); time.sleep(0.2)"
    done = vbt.run([PYTHON, "-S", "-c", code], traced=tmp_path, env={"VBTRACE_OUTPUT": str(tmp_path / "x.vbt")})
    assert (done.returncode, done.stderr) == (0, "")
    run = vbt.Run(done, list(tmp_path.glob("*.vbt")))
    names = {report.path.name: os.path.basename(report.json["program"]["args"][0]) for report in run.reports}
    other = {f"x.{report.json['program']['pid']}.vbt": "brief" for report in run.reports if report.path.name != "x.vbt"}
    assert len(other) == 1 and names == {"x.vbt": "python3", **other}


def test_what_is_not_traced_leaves_the_name_to_others(tmp_path):
    """A shell has no trace, so the first program it runs has the name; a run within a run has its
    own."""
    command = f"{brief(tmp_path)}; VBTRACE_OUTPUT={tmp_path}/y.vbt {tmp_path}/brief"
    vbt.run(["/bin/sh", "-c", command], traced=tmp_path, env={"VBTRACE_OUTPUT": str(tmp_path / "x.vbt")})
    assert sorted(path.name for path in tmp_path.glob("*.vbt")) == ["x.vbt", "y.vbt"]
    within = f"import os; os.environ['VBTRACE_OUTPUT'] = {str(tmp_path / 'z.vbt')!r}; os.system({str(tmp_path / 'brief')!r})"
    vbt.run([PYTHON, "-S", "-c", within], traced=tmp_path, env={"VBTRACE_OUTPUT": str(tmp_path / "x.vbt")})
    assert sorted(path.name for path in tmp_path.glob("*.vbt")) == ["x.vbt", "y.vbt", "z.vbt"]


@pytest.mark.parametrize("output", ["all.vbt", "%p.vbt"])
def test_exec_chain(output, tmp_path):
    """One process that execs itself three times."""
    done = vbt.run([program(), "chain", "3"], traced=tmp_path, env={"VBTRACE_OUTPUT": str(tmp_path / output)})
    assert (done.returncode, done.stderr) == (0, "")
    reports = family(vbt.Run(done, list(tmp_path.glob("*.vbt"))))
    assert [report.json["end_reason"] for report in reports] == ["exec", "exec", "exec", "exit"]
    assert [report.json["program"]["args"][-1] for report in reports] == ["3", "2", "1", "0"]
    assert len({report.json["program"]["pid"] for report in reports}) == 1
    for report in reports:
        assert blocks(report, "N here") == (1000, 0, 1000, 10_000)
        check_laws(report)


def test_wrappers_of_a_busy_machine():
    """The age of a process is its own CPU time, not its time waiting for a processor."""
    here = {min(os.sched_getaffinity(0))}
    busy = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"], preexec_fn=lambda: os.sched_setaffinity(0, here)) for _ in range(4)]
    try:
        run = traced("wrapper", preexec_fn=lambda: (os.sched_setaffinity(0, here), os.nice(10)))
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert run.report.json["program"]["args"][1] == "plain" and blocks(run.report, "N here")[0] == 1000


def test_again_replaces(tmp_path):
    """The trace of an earlier run, however recent, is replaced by that of a new one."""
    for _ in range(3):
        done = vbt.run(["/bin/true"], traced=tmp_path, env={"VBTRACE_OUTPUT": str(tmp_path / "t.vbt")})
        assert (done.returncode, done.stderr) == (0, "")
        assert [path.name for path in tmp_path.iterdir()] == ["t.vbt"]


def test_ends_by_its_own_signal():
    """A process that kills itself, as Python does when interrupted, has a complete trace; one whose
    signal is blocked goes on."""
    report = traced("signal", status=-signal.SIGTERM).report
    assert report.json["complete"] and report.json["end_reason"] == "signal" and blocks(report, "N here") == (1000, 0, 1000, 10_000)
    report = traced("blocked-signal").report
    assert report.json["end_reason"] == "exit" and blocks(report, "7 in the child") == (7, 0, 7, 700)
    assert blocks(report, "N here") == (1000, 300, 700, 7_000)


@pytest.mark.parametrize("way", ["waits-at-once", "waits"])
def test_what_happened_before_a_long_wait(way, tmp_path):
    """No event follows that could trigger a write. A child in which nothing has happened has no
    trace."""
    process = subprocess.Popen([program(), way], env=vbt.environment(LD_PRELOAD=str(vbt.LIBRARY), VBTRACE_OUTPUT=f"{tmp_path}/%p.vbt"), stdout=subprocess.PIPE, text=True)
    child = int(process.stdout.readline()) if way == "waits" else None
    try:
        expected = {process.pid: ((1000, 300, 700, 7_000), (7, 0, 7, 700))}
        deadline = time.monotonic() + vbt.TIMEOUT
        while True:
            time.sleep(0.05)
            found = {}
            for path in tmp_path.glob("*.vbt"):
                report = vbt.Report.of_live(path)
                found[int(path.stem)] = blocks(report, "N here"), blocks(report, "7 in the child")
            if found == expected:
                break
            assert time.monotonic() < deadline, found
    finally:
        process.kill()
        if child:
            os.kill(child, signal.SIGKILL)
        process.wait()


def test_alone_where_it_must_be():
    """A user namespace is refused to processes with several threads: the helper stops before the
    call."""
    untraced = vbt.run([program(), "unshare"])
    run = traced("unshare")
    assert run.stdout == untraced.stdout and blocks(run.report, "7 in the child") == (7, 0, 7, 700)


def of_tasks(report):
    """The counts of the line that the workers' tasks run."""
    return report.line(WORKERS, vbt.line_of(WORKERS, "#= the tasks' sum, 1000 in all"))


def test_forks_while_the_loader_is_busy():
    """Its lock may be held in the child, by a thread that is not there: libunwind would wait for
    it."""
    library = vbt.compiled("plugin.c", "-shared", "-fPIC", "-DNAME=loaded", "-DBLOCKS=3")
    run = traced("loading", library, env={"VBTRACE_VERIFY": "1"})
    assert len(run.paths) == 1001
    some = [vbt.Report(path) for path in run.paths[1::250]]
    assert all(blocks(report, "1 in each child of a loader") in ((1, 0, 1, 100), (0, 0, 0, 0)) for report in some)


@pytest.mark.parametrize("method, how", [("fork", "close"), ("fork", "terminate"), ("spawn", "close"), ("forkserver", "terminate")])
def test_multiprocessing(method, how):
    """Allocations of a pool's workers are in their own traces only, whether they end by themselves
    or are killed."""

    def all_is_written(reports):
        return sum(of_tasks(report)["allocs"] for report in reports) == 1000

    steps = [all_is_written] if how == "terminate" else []
    run = vbt.trace_in_steps([PYTHON, WORKERS, method, how], *steps)
    counts = {}
    for report in run.reports:
        row = of_tasks(report)
        if row["allocs"]:
            counts[report.json["program"]["pid"]] = row["allocs"], row["allocated_bytes"]
            assert report.json["complete"] or how == "terminate"
    assert set(counts) == set(run.printed) and 1 <= len(counts) <= 2
    assert [sum(column) for column in zip(*counts.values())] == [1000, 16_000]
    assert len({report.path for report in run.reports}) == len(run.paths)


def test_multiprocessing_everywhere(interpreter):
    run = vbt.trace([interpreter.path, WORKERS, "fork", "close"], silent=interpreter.v < (3, 12))
    rows = [of_tasks(report) for report in run.reports]
    assert sum(row["allocs"] for row in rows) == 1000 and len(run.paths) == 3


def test_shells_leave_nothing_behind(tmp_path):
    """Neither they nor the small tools they run; but the program meant by the user does, among
    them."""
    command = f"env A=B nice {PYTHON} -c 'print(1)' | sed s/1/2/; cat /dev/null; {program()} plain; echo $(basename /a/b)"
    run = vbt.trace(["/bin/sh", "-c", command], directory=tmp_path)
    assert run.stdout == "2\nb\n"
    assert sorted(report.json["program"]["args"][0] for report in run.reports) == sorted([PYTHON, str(program())])
    assert len(list(tmp_path.iterdir())) == 2
    followed = vbt.trace(["/bin/sh", "-c", command], env={"VBTRACE_FOLLOW": "all"})
    assert {"sh", "sed", "cat", "basename"} <= {os.path.basename(report.json["program"]["args"][0]) for report in followed.reports}


@pytest.mark.parametrize("command", ["uname", "exec uname -r", "env A=B uname", "nice timeout 100 uname"])
def test_python_leaves_no_traces_of_small_tools(command, tmp_path):
    """As little as a shell does; all of them on request. A tool that is started by itself is
    traced."""
    code = f"import os, subprocess; os.system({command!r}); subprocess.run({command!r}.replace('exec ', '').split(), check=True)"
    run = vbt.trace([PYTHON, "-c", code], directory=tmp_path)
    assert run.report.json["program"]["args"][0] == PYTHON and run.stdout.count("\n") == 2
    followed = vbt.trace([PYTHON, "-c", code], env={"VBTRACE_FOLLOW": "all"})
    assert [report.json["program"]["args"][0] for report in followed.reports].count("uname") == 2
    assert vbt.trace(["uname"]).report.json["program"]["args"] == ["uname"]


@pytest.mark.parametrize("shell", [False, True])
def test_tools_that_the_standard_library_runs(shell):
    """And scripts: what tells of files, file systems and the machine."""
    found = [tool for tool in "cmp df diff du file free getconf ldconfig lscpu uname".split() if shutil.which(tool, path="/bin:/usr/bin:/sbin:/usr/sbin")]
    code = f"import subprocess\nfor tool in {found}: subprocess.run([tool, '--version'], stdout=-3, stderr=-3)"
    command = [PYTHON, "-c", code]
    if shell:
        command = ["/bin/sh", "-c", "; ".join(f"{tool} --version >/dev/null 2>&1" for tool in found) + f"; {PYTHON} -c pass"]
    run = vbt.trace(command, env={"PATH": "/bin:/usr/bin:/sbin:/usr/sbin"})
    assert len(found) >= 5 and [report.json["program"]["args"][0] for report in run.reports] == [PYTHON]


def test_pyenv_shim(tmp_path):
    shim = pathlib.Path.home() / ".pyenv" / "shims" / "python3"
    if not shim.exists():
        pytest.skip(f"needs pyenv, whose {shim} is not there")
    run = vbt.trace([shim, "-c", "print(3)"], directory=tmp_path)
    assert run.stdout == "3\n" and run.report.json["program"]["python"] and len(list(tmp_path.iterdir())) == 1


def test_subprocess_in_every_way():
    """A program whose children are Python processes, by fork and exec, by vfork, by a shell."""
    code = f"""
import os, subprocess, sys, time
child = [sys.executable, "-c", "kept = [None] * 100\\nfor i in range(100):\\n    kept[i] = object()"]
subprocess.run(child, check=True)
subprocess.run(child, check=True, preexec_fn=os.getpid)
subprocess.run(child, check=True, close_fds=False, start_new_session=True)
os.waitpid(os.posix_spawn(child[0], child, os.environ), 0)
os.spawnv(os.P_WAIT, child[0], child)
os.system("true; " + " ".join(map("'{{}}'".format, child)))
subprocess.run("cat /dev/null; exec {{}}".format(" ".join(map("'{{}}'".format, child))), shell=True, check=True)
"""
    run = vbt.trace([PYTHON, "-c", code])
    # On a slow machine, the time between fork and exec is long enough for a trace.
    reports = [report for report in run.reports if report.json["end_reason"] != "exec"]
    rows = [report.line("<string>", 3) for report in reports if code not in report.json["program"]["args"]]
    assert [row["allocs"] for row in rows] == [100] * 7 and len(reports) == 8


def test_chosen_programs(tmp_path):
    """VBTRACE_EXE names the programs to trace, shells too."""
    name = os.path.basename(os.path.realpath(PYTHON))
    command = f"{PYTHON} -c 'pass'; {program()} plain; true"
    for patterns, expected in ((name, {PYTHON}), ("proc*", {str(program())}), (f"!{name}", {str(program())}), ("*sh,!python*", {"/bin/sh"}), ("/nowhere/*", set())):
        run = vbt.trace(["/bin/sh", "-c", command], env={"VBTRACE_EXE": patterns})
        assert {report.json["program"]["args"][0] for report in run.reports} == expected, patterns


TITLE_SETTER = """
import ctypes, os, sys, time
size = len(open("/proc/self/environ", "rb").read())
if os.fork(): os._exit(0)
os.setsid()
kept = [bytearray(100) for _ in range(1000)]
for fd in (0, 1, 2): os.dup2(os.open("/dev/null", os.O_RDWR), fd)
ctypes.memset(ctypes.POINTER(ctypes.c_void_p).in_dll(ctypes.CDLL(None), "environ")[0], ord("t"), size - 1)
while not os.path.exists(sys.argv[1]): time.sleep(0.01)
"""


def test_daemon_that_sets_a_title(tmp_path):
    """It overwrites the environment by which it could be found; vbtrace knows of it all the
    same."""
    end = tmp_path / "end"
    done = vbt.vbtrace("run", "--no-symbolize", PYTHON, "-c", TITLE_SETTER, end, directory=tmp_path)
    (folder,) = tmp_path.iterdir()
    assert done.returncode == 0 and f"vbtrace: 1 process is still running and writes to {folder.name}\n" in done.stderr
    end.touch()
    deadline = time.monotonic() + vbt.TIMEOUT
    while not all(vbt.Report.of_live(path).json["complete"] for path in folder.iterdir()) or len(list(folder.iterdir())) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_daemon_without_an_event(tmp_path):
    """No helper says that it runs, and its environment is gone; its trace stays in the folder."""
    end = tmp_path / "end"
    done = vbt.vbtrace("run", "--no-symbolize", program(), "silent-daemon", end, directory=tmp_path)
    (folder,) = tmp_path.iterdir()
    end.touch()
    assert done.returncode == 0 and f"vbtrace: 1 process is still running and writes to {folder.name}\n" in done.stderr
    assert folder.is_dir()
