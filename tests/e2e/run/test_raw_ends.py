"""Programs that end without libc's knowing: the process is gone when its last thread is, with the
status that it has untraced, and the trace has all that it did."""

import platform
import re
import signal

import pytest

import vbt
from conservation import check_laws

SOURCE = vbt.program("raw_ends.c")


def program():
    return vbt.compiled(SOURCE.name, "-O1", "-fno-builtin")


def check(report):
    assert report.blocks_at(SOURCE, "N before the end")[:2] == (1000, 0)
    assert report.json["complete"] and report.totals["lost_events"] == 0
    check_laws(report)


@pytest.mark.parametrize("milliseconds", [0, 200])  # before the helper is due, and after
@pytest.mark.parametrize("how", ["exit", "exit_group", "inline-exit", "inline-exit_group", "last", "last-raw"])
def test_raw_end(how, milliseconds):
    untraced = vbt.run([program(), how, str(milliseconds)])
    assert untraced.returncode in (0, 5), untraced  # of "last", kernels differ
    check(vbt.trace([program(), how, str(milliseconds)], status=untraced.returncode).report)


@pytest.mark.parametrize("milliseconds", [0, 200])
def test_core_dump(milliseconds, tmp_path):
    """The kernel stops all that run the program, and writes its memory: the helper outlives it."""
    if tuple(map(int, re.match(r"(\d+)\.(\d+)", platform.release()).groups())) < (5, 16):
        pytest.skip("before Linux 5.16 a core dump ends all that share the memory")
    script = 'ulimit -c unlimited; exec "$0" fault "$1"'
    run = vbt.trace(["/bin/sh", "-c", script, program(), str(milliseconds)], directory=tmp_path, status=-signal.SIGSEGV)
    check(run.report)
