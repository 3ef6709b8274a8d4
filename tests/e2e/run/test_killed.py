"""SIGKILL at random moments: the trace is still complete, to the last allocation. VBTRACE_KILLS is
the number of tries."""

import os
import random
import signal
import struct
import subprocess
import time

import vbt

KILLS = int(os.environ.get("VBTRACE_KILLS", "20"))
SOURCE = vbt.program("killed.c")


def notes(path):
    """How many allocations the program began, and how many it made."""
    data = path.read_bytes() if path.exists() else b""
    return struct.unpack("<2q", data) if len(data) == 16 else (0, 0)


def test_kill_at_any_moment(tmp_path):
    """Each third of the processes is killed before its trace is begun, about then, and when it has
    grown."""
    program = vbt.compiled(SOURCE.name, "-O0", "-fno-builtin")
    line = vbt.line_of(SOURCE, "// counted")
    moments = random.Random(4711)
    held, reasons = [], []
    for attempt in range(KILLS):
        path, trace = tmp_path / f"{attempt}.notes", tmp_path / f"{attempt}.vbt"
        process = subprocess.Popen([program, path], env=vbt.environment(LD_PRELOAD=str(vbt.LIBRARY), VBTRACE_OUTPUT=str(trace)))
        deadline = time.monotonic() + vbt.TIMEOUT
        while notes(path)[0] == 0:
            assert process.poll() is None and time.monotonic() < deadline
        time.sleep(moments.uniform(0, (0.01, 0.1, 0.5)[attempt % 3]))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        vbt.wait_for_helpers()
        begun, made = notes(path)
        report = vbt.Report(trace)
        assert report.json["complete"]
        reasons.append(report.json["end_reason"])
        lost, counted = report.totals["lost_events"], report.line(SOURCE, line)["allocs"]
        assert made <= counted + lost and counted <= begun and lost <= 1, (made, begun, counted, lost)
        assert report.json["conservation"]["holds"]
        held.append((made, begun, counted, lost))
    # The helper learns how the program ended, unless it had ended, and its status had been taken,
    # before the helper's first look.
    assert set(reasons[1::3] + reasons[2::3]) == {f"signal {signal.SIGKILL:d}"} and set(reasons[::3]) <= {"unseen", reasons[1]}
    print(*("%d made, %d begun, %d in the trace, %d lost" % row for row in held), sep="\n")
