"""What programs ask of the kernel where another thread, another file or another system call would be in the way: the program does
as it does untraced, and what was not recorded is told."""

import resource
import subprocess

import pytest

import vbt
from test_conservation import check_laws

SOURCE = vbt.PROGRAMS / "traps_kernel.c"
LINES = SOURCE.read_text().splitlines()


def program():
    return vbt.compiled(SOURCE.name, "-O1", "-fno-builtin")


def traced(which):
    """Prints and returns what it does untraced."""
    untraced = vbt.run([program(), which])
    assert untraced.returncode == 0, untraced
    run = vbt.trace([program(), which])
    assert run.stdout == untraced.stdout
    return run.report


def counts(report, comment):
    line = next(number for number, text in enumerate(LINES, 1) if text.endswith("// " + comment))
    row = report.line(SOURCE, line)
    return row["allocs"], row["frees"]


@pytest.mark.parametrize("which", ["sandbox-prctl", "sandbox-prctl-late", "sandbox-syscall", "sandbox-syscall-late", "strict"])
def test_seccomp(which):
    """Behind a filter that kills, there is no system call of ours; the trace is whole up to there, and says why it ends."""
    report = traced(which)
    assert counts(report, "N before") == (1000, 0) and counts(report, "N behind") == (0, 0)
    assert report.json["end_reason"] == "seccomp"
    assert any("seccomp" in note for note in report.json["notes"])
    check_laws(report)


def test_sandbox_that_fails(tmp_path):
    """A filter that the kernel refuses, as of one who tries whether there is seccomp: nothing changes."""
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


def test_namespace():
    """A process may have but one thread to enter a user namespace: the helper thread is gone then, and comes back."""
    report = traced("namespace")
    assert counts(report, "N before") == (1000, 1000) and counts(report, "N behind") == (1000, 0)
    assert report.json["end_reason"] == "exit"
    check_laws(report)


def test_signal_masks():
    check_laws(traced("masks"))


def test_child_in_the_same_memory():
    """What it allocates are its parent's blocks; its end is not its parent's end."""
    report = traced("shared-memory")
    assert counts(report, "N in a child that shares the memory") == (1000, 500)
    assert report.json["end_reason"] == "exit"
    check_laws(report)


def test_limited_address_space():
    report = traced("little-memory")
    assert counts(report, "N before") == (1000, 1000) and report.totals["lost_events"] == 0
    check_laws(report)


def test_too_little_address_space(tmp_path):
    """Not even room for our tables: the program works, and one line says what is missing."""
    limit = 24 << 20
    command = ["/usr/bin/perl", "-e", "my @a = map { $_ x 9 } 1..10000; print scalar @a, qq(\\n)"]
    done = vbt.run(
        command, traced=tmp_path, env={"VBTRACE_QUIET": "0"}, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    )
    assert (done.returncode, done.stdout) == (0, "10000\n"), done.stderr
    assert done.stderr.count("\n") == 1 and "memory" in done.stderr, done.stderr


def test_no_descriptor_left(tmp_path):
    done = vbt.run([program(), "no-descriptors"], traced=tmp_path, env={"VBTRACE_QUIET": "0"})
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert done.stderr.count("\n") == 1 and "not written: Too many open files" in done.stderr


def test_nobody_reads_stderr(tmp_path):
    """SIGPIPE because of our summary is not for the program."""
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
