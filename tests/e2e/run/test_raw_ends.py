"""Programs that end without libc's knowing: the process is gone when its last thread is, with the
status that it has untraced, and the trace has all that it did."""

import pytest

import vbt
from conservation import check_laws

SOURCE = vbt.program("raw_ends.c")


@pytest.mark.parametrize("milliseconds", [0, 200])  # before the helper is due, and after
@pytest.mark.parametrize("how", ["exit", "exit_group", "inline-exit", "inline-exit_group", "last", "last-raw"])
def test_raw_end(how, milliseconds):
    command = [vbt.compiled(SOURCE.name, "-O1", "-fno-builtin"), how, str(milliseconds)]
    untraced = vbt.run(command)
    assert untraced.returncode in (0, 5), untraced  # of "last", kernels differ
    report = vbt.trace(command, status=untraced.returncode).report
    assert report.blocks_at(SOURCE, "N before the end")[:2] == (1000, 0)
    assert report.json["complete"] and report.totals["lost_events"] == 0
    check_laws(report)
