"""System calls that another thread, another open file or another system call would break: the
program behaves as it does untraced, and what was not recorded is reported."""

import ctypes
import errno
import platform
import resource
import struct
import subprocess

import pytest

import vbt
from conservation import check_laws

SOURCE = vbt.program("traps_kernel.c")


def program():
    return vbt.compiled(SOURCE.name, "-O1", "-fno-builtin")


def traced(*trap):
    """Prints and returns what it does untraced."""
    untraced = vbt.run([program(), *trap])
    assert untraced.returncode == 0, untraced
    run = vbt.trace([program(), *trap])
    assert run.stdout == untraced.stdout
    return run.report


def counts(report, comment):
    return report.blocks_at(SOURCE, comment)[:2]


@pytest.mark.parametrize("trap", ["sandbox prctl", "sandbox prctl late", "sandbox syscall", "sandbox syscall late", "strict"])
def test_seccomp(trap):
    """After a filter that kills, vbtrace makes no system call; the trace is complete up to there,
    and says why it ends."""
    report = traced(*trap.split())
    assert counts(report, "N before") == (1000, 0) and counts(report, "N afterwards") == (0, 0)
    assert report.json["end_reason"] == "seccomp"
    assert any("seccomp" in note for note in report.json["notes"])
    check_laws(report)


def test_sandbox_that_fails(tmp_path):
    """A filter that the kernel refuses, such as a test for seccomp: nothing changes."""
    code = """
import ctypes, time
libc = ctypes.CDLL(None, use_errno=True)
kept = [str(i) * 9 for i in range(1000)]
time.sleep(0.05)
print(libc.prctl(22, 2, ctypes.c_void_p(0)), libc.prctl(22, 2, ctypes.c_void_p(8)), libc.prctl(22, 77, 0))
kept += [str(i) * 9 for i in range(1000)]
"""
    report = vbt.trace(["/usr/bin/python3", "-c", code]).report
    assert report.json["end_reason"] == "exit" and report.line("<string>", 7)["allocs"] >= 1900
    check_laws(report)


def refuse_our_helper():
    """Installs a seccomp filter in the calling process: clone fails where a process, no thread, is
    to share the memory."""
    memory, thread, flags_of_clone, clone = 0x100, 0x10000, 16, {"x86_64": 56}.get(platform.machine(), 220)
    load, bits, equal, answer = 0x20, 0x54, 0x15, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | errno.EPERM
    steps = [
        (load, 0, 0, 0),
        (equal, 0, 4, clone),
        (load, 0, 0, flags_of_clone),
        (bits, 0, 0, memory | thread),
        (equal, 0, 1, memory),
        (answer, 0, 0, refuse),
        (answer, 0, 0, allow),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program) == 0


def test_no_helper_to_be_had():
    """The trace is then written when the process ends, and says so; so is a child's."""
    code = """
import os, threading
kept = [str(i) * 9 for i in range(1000)]
threading.Thread(target=lambda: kept.append([str(i) * 9 for i in range(1000)])).start()
if os.fork() == 0:
    kept += [str(i) * 9 for i in range(1000)]
else:
    os.wait()
"""
    reports = vbt.trace(["/usr/bin/python3", "-c", code], preexec_fn=refuse_our_helper).reports
    assert len(reports) == 2
    for report, lines in zip(sorted(reports, key=lambda report: report.json["program"]["started_ns"]), ((3, 4), (6,))):
        assert all(report.line("<string>", line)["allocs"] >= 1900 for line in lines)
        assert report.json["end_reason"] == "exit" and any("no timeline" in note for note in report.json["notes"])
        check_laws(report)


def test_namespace():
    """Only a process with one thread may enter a user namespace: the helper is none of its
    threads."""
    report = traced("namespace")
    assert counts(report, "N before") == (1000, 1000) and counts(report, "N afterwards") == (1000, 0)
    assert report.json["end_reason"] == "exit"
    check_laws(report)


def needs_root():
    """To chroot."""
    if vbt.run(["/usr/bin/python3", "-c", "import os; os.chroot('/proc')"]).returncode != 0:
        pytest.skip("needs the right to chroot")


@pytest.mark.parametrize("how", ["c", "C", "u", "uc", "fc", "cf", "Cf", "ufc", "ucf", "ufC"])
def test_another_root(how):
    """The trace stays where it was begun, although the helper goes along, also across forks."""
    needs_root()
    report = traced("jail", how)
    assert report.json["complete"] and report.json["end_reason"] == "exit"
    assert counts(report, "N before") == (1000, 1000) and counts(report, "N afterwards") == (1000, 0)
    check_laws(report)


@pytest.mark.parametrize("how", ["uc", "fc", "ufc"])
def test_another_root_at_once(how, interpreter, tmp_path):
    """Before the helper has begun the trace. The child, which ends by a system call, leaves one,
    too; as the first process of its own pid namespace it takes its helper along when it ends, since
    the kernel kills all others in there, so that the trace may lack its end."""
    needs_root()
    code = """
import ctypes, os, sys
kept = [bytes(100 + i % 7) for i in range(1000)]
for way in sys.argv[1]:
    if way == "u": print(ctypes.CDLL(None).unshare(0x20000000))
    elif way == "c": os.chroot("/proc")
    else:
        child = os.fork()
        if child == 0: ctypes.CDLL(None).syscall(231 if os.uname().machine == "x86_64" else 94, 0)
        os.waitpid(child, 0)
kept += [bytes(200 + i % 7) for i in range(1000)]
"""
    command = [interpreter.path, "-W", "error", "-c", code, how]
    run = vbt.trace(command, directory=tmp_path)
    assert run.stdout == vbt.run(command).stdout
    report = next(each for each in run.reports if each.json["end_reason"] == "exit")
    assert report.json["complete"] and report.line("<string>", 3)["allocs"] >= 1000
    others = {each.json["end_reason"] for each in run.reports if each is not report}
    assert others <= {"exit_group", "unseen", *([None] if "uf" in how else [])}


def test_signal_masks():
    check_laws(traced("masks"))


def test_child_in_the_same_memory():
    """Its allocations are its parent's blocks; its end is not its parent's end."""
    report = traced("shared-memory")
    assert counts(report, "N in a child that shares the memory") == (1000, 500)
    assert report.json["end_reason"] == "exit"
    check_laws(report)


def test_limited_address_space():
    report = traced("little-memory")
    assert counts(report, "N before") == (1000, 1000) and report.totals["lost_events"] == 0
    check_laws(report)


@pytest.mark.parametrize("limit", [100 << 20, 200 << 20])
def test_used_up_address_space(limit, tmp_path):
    """What is needed to write the trace was mapped before."""
    command = [vbt.compiled("traps_kernel.c", "-O0", "-g"), "used-up"]
    done = vbt.run(command, traced=tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    assert (done.returncode, done.stderr) == (0, "")
    got = dict(map(int, line.split(": ")) for line in done.stdout.splitlines())
    reports = {report.json["program"]["pid"]: report for report in map(vbt.Report, tmp_path.iterdir())}
    assert len(got) == 2 and set(reports) == set(got)
    for pid, report in reports.items():
        # Counted, but with no room for a further stretch of the shadow: their end would be unknown.
        lost = {"address": count} if (count := report.totals["lost"]["address"]) else {}
        assert counts(report, "as many as printed")[0] == got[pid] > 1000
        check_laws(report, **lost)


def test_too_little_address_space(tmp_path):
    """Not even enough for vbtrace's tables: the program works, and one line says what is
    missing."""
    limit = 24 << 20
    command = ["/usr/bin/perl", "-e", "my @a = map { $_ x 9 } 1..10000; print scalar @a, qq(\\n)"]
    done = vbt.run(
        command, traced=tmp_path, env={"VBTRACE_QUIET": "0"}, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    )
    assert (done.returncode, done.stdout) == (0, "10000\n"), done.stderr
    assert done.stderr.count("\n") == 1 and "memory" in done.stderr, done.stderr


def test_no_descriptor_left():
    """The limits that a program sets are its own: the helper's are those of the start."""
    report = traced("no-descriptors")
    assert counts(report, "N before") == (1000, 1000) and report.json["end_reason"] == "exit"
    check_laws(report)


def test_nobody_reads_stderr(tmp_path):
    """The program does not get the SIGPIPE that the summary causes."""
    for code in ("import time; time.sleep(0.05); print([])", "pass"):
        closed = subprocess.Popen(["/bin/true"], stdin=subprocess.PIPE)
        closed.wait()
        done = vbt.run(
            ["/usr/bin/python3", "-c", "import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL); " + code],
            traced=tmp_path,
            env={"VBTRACE_QUIET": "0"},
            stderr=closed.stdin,
        )
        closed.stdin.close()
        assert done.returncode == 0
    assert len(list(tmp_path.glob("*.vbt"))) == 2
