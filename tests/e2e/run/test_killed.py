"""SIGKILL at random moments: each trace can be read, and holds everything up to its last tick.
VBTRACE_KILLS is the number of tries."""

import os
import random
import signal
import struct
import subprocess
import time

import vbt

KILLS = int(os.environ.get("VBTRACE_KILLS", "10"))
STEP = 100  # allocations between two notes of the program
SOURCE = vbt.program("killed.c")


def notes(path):
    """How many hundreds of allocations the program made, how many of them must be in the trace, and
    how many ticks it saw."""
    data = path.read_bytes() if path.exists() else b""
    return struct.unpack("<3q", data) if len(data) == 24 else (0, 0, 0)


def test_kill_at_any_moment(tmp_path):
    """Half of the processes are killed at any time, half after they have seen a few ticks."""
    program = vbt.compiled(SOURCE.name, "-O0", "-fno-builtin")
    line = next(number for number, text in enumerate(SOURCE.read_text().splitlines(), 1) if "// counted" in text)
    moments = random.Random(4711)
    held = []
    for attempt in range(KILLS):
        told, trace = tmp_path / f"{attempt}.notes", tmp_path / f"{attempt}.vbt"
        process = subprocess.Popen([program, trace, told], env=vbt.environment(LD_PRELOAD=str(vbt.LIBRARY), VBTRACE_OUTPUT=str(trace)))
        deadline = time.monotonic() + vbt.TIMEOUT
        while notes(told)[2] < 3 and attempt % 2 == 0:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.1))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        made, certain, ticks = notes(told)
        if not trace.exists():
            assert ticks == 0
            continue
        report = vbt.Report(trace)
        assert not report.json["complete"] and report.totals["lost_events"] == 0
        counted = report.line(SOURCE, line)["allocs"]
        assert STEP * certain <= counted <= STEP * (made + 1), (made, certain, ticks)
        held.append((made, counted // STEP, certain, ticks))
    assert sum(certain > 0 for _, _, certain, _ in held) >= KILLS // 2
    print(*("%d made, %d in the trace, %d of them certainly; %d ticks" % row for row in held), sep="\n")
