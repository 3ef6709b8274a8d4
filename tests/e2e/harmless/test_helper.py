"""The process that writes the trace shares the program's memory: the program cannot see it, and it
has no right that the program lacks."""

import pathlib
import shutil

import pytest

import vbt

RIGHTS = "setuid seteuid setreuid setresuid setgid setgroups all capset keepcaps no-new-privs unseen dumpable".split()


@pytest.fixture(scope="module")
def program():
    return vbt.compiled("shared_memory.c", "-O1", "-g")


def needs_root():
    """To give it up."""
    if pathlib.Path("/proc/self/uid_map").read_text().split()[0] != "0" or vbt.run(["/usr/bin/id", "-u"]).stdout != "0\n":
        pytest.skip("needs to be root")


def check(command, folder):
    """The same output as untraced; one other process shares the memory, with no more rights; the
    whole trace. Returns the report."""
    untraced = vbt.run(command)
    folder.chmod(0o777)
    traced = vbt.run(command, traced=folder)
    assert untraced.returncode == 0
    assert (traced.returncode, traced.stdout) == (0, untraced.stdout)
    assert set(traced.stderr.splitlines()) == {"1 share the memory"}
    assert set(untraced.stderr.splitlines()) == {"0 share the memory"}
    (trace,) = folder.iterdir()
    report = vbt.Report(trace)
    assert report.json["complete"] and report.json["end_reason"] == "exit" and report.json["conservation"]["holds"]
    assert sum(row["allocs"] for row in report.json["lines"] if row["file"].endswith("shared_memory.c")) >= 1000
    return report


def test_nothing_of_it_is_seen(program, tmp_path):
    """Threads, children, waits, what was used by children, the group, a namespace that asks for a
    single thread."""
    check([program, "ask"], tmp_path)


@pytest.mark.parametrize("way", RIGHTS)
def test_rights_are_given_up_with_the_program(program, way, tmp_path):
    """By each function of libc, and by raw system calls; the memory's attributes in the kernel stay
    the program's."""
    needs_root()
    check([program, way], tmp_path)


def test_rights_in_another_namespace(program, tmp_path):
    """Inside, the program has all rights, but only there."""
    check([program, "namespace"], tmp_path)


@pytest.mark.parametrize("way", ["all", "unseen", "namespace"])
def test_first_process_of_a_container(program, way, tmp_path):
    """Orphans would become the program's children, so the helper is a child itself, which no usual
    wait reports."""
    needs_root()
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare (Debian: util-linux)")
    check(["unshare", "--fork", "--pid", "--mount-proc", program, way], tmp_path)


@pytest.mark.parametrize("how", ["preloaded", "run"])
def test_the_working_directory_can_be_unmounted(how, tmp_path):
    """Neither the helper nor vbtrace run stays in it."""
    needs_root()
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    code = "import os, subprocess, time; time.sleep(0.1); os.chdir('/'); print(subprocess.call(['umount', %r]))" % str(mounted)
    python = ["/usr/bin/python3", "-c", code]
    traced = {
        "preloaded": ["env", f"LD_PRELOAD={vbt.LIBRARY}", f"VBTRACE_OUTPUT={tmp_path}/t.vbt", "VBTRACE_QUIET=1", *python],
        "run": [vbt.ANALYZER, "run", "--quiet", "-o", tmp_path / "t.vbt", *python],
    }[how]
    script = 'mount -t tmpfs none "$1" && cd "$1" && shift && exec "$@"'
    done = vbt.run(["unshare", "--mount", "sh", "-c", script, "sh", mounted, *traced])
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    assert vbt.Report(tmp_path / "t.vbt").json["complete"]


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_a_trace_is_for_its_user_alone(mask, tmp_path):
    """It holds command lines and source text."""
    run = vbt.run(["/bin/sh", "-c", f"umask {mask:o}; exec /usr/bin/perl -e 'print 1'"], traced=tmp_path)
    assert run.returncode == 0
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]


CLOCKS = ["NOTHING", "THREAD_LOCAL", "HEAP", "SPECIFIC", "RECURSIVE", "FORMATTED"]


@pytest.mark.parametrize("need", CLOCKS)
def test_a_clock_that_needs_a_thread_of_libcs(need):
    """A library stands before clock_gettime, as libfaketime does: the helper, which has nothing of
    what libc makes for its threads, does without."""
    clock = vbt.compiled("foreign_clock.c", "-shared", "-fPIC", "-O1", "-ftls-model=global-dynamic", f"-DHOW={need}")
    code = """
import time
kept = []
for i in range(30):
    kept.append(bytes(1000 + i))
    time.sleep(0.005)
"""
    run = vbt.trace(["/usr/bin/python3", "-c", code], preload=[clock])
    assert run.report.json["complete"] and run.report.json["conservation"]["holds"] and run.report.totals["lost_events"] == 0
    assert run.report.line("<string>", 5)["allocs"] >= 30


DEBUGGERS = {
    "strace": ["strace", "-f", "-o", "calls"],
    "gdb": ["gdb", "-q", "-batch", "-return-child-result", "-ex", "run", "--args"],
}
PIDS = pathlib.Path("/sys/fs/cgroup/pids")


def raw_ends():
    return vbt.compiled("raw_ends.c", "-O1", "-fno-builtin")


def check_all_of_it(report):
    assert report.blocks_at(vbt.program("raw_ends.c"), "N before the end")[:2] == (1000, 0)
    assert report.json["complete"] and report.json["conservation"]["holds"] and report.totals["lost_events"] == 0


@pytest.mark.parametrize("debugger", DEBUGGERS)
def test_under_a_debugger(debugger, tmp_path):
    """It follows the program, and sees no process or thread but that."""
    if shutil.which(debugger) is None:
        pytest.skip(f"{debugger} is not installed")
    command = [*DEBUGGERS[debugger], raw_ends(), "exit_group", "200"]
    untraced = vbt.run(command, directory=tmp_path)
    if untraced.returncode != 5:
        pytest.skip(f"{debugger} cannot trace here: {untraced.stderr}")
    run = vbt.trace(command, directory=tmp_path, status=5, silent=False, env={"VBTRACE_EXE": raw_ends().name})
    check_all_of_it(run.report)
    if debugger == "strace":
        assert len({line.split()[0] for line in (tmp_path / "calls").read_text().splitlines()}) == 1


def test_one_process_is_all_that_is_allowed(tmp_path):
    """By the limit of a control group: there is no helper, and nothing is missing."""
    group = PIDS / f"vbtrace-{tmp_path.name}"
    try:
        group.mkdir()
        (group / "pids.max").write_text("1")
    except OSError as error:
        pytest.skip(f"needs a control group of its own: {error}")
    try:
        script = 'echo $$ >"$0" && exec "$1" return 200'
        check_all_of_it(vbt.trace(["/bin/sh", "-c", script, group / "cgroup.procs", raw_ends()], directory=tmp_path, status=5).report)
        assert "max 0" not in (group / "pids.events").read_text()  # one was asked for
    finally:
        vbt.wait_for_helpers()
        group.rmdir()
