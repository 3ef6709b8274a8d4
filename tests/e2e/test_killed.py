"""SIGKILL at random moments: each trace can be read, and holds everything up to its last tick. VBTRACE_KILLS says how often to try."""

import array
import os
import random
import signal
import subprocess
import time

import vbt

KILLS = int(os.environ.get("VBTRACE_KILLS", "10"))
STEP = 100  # allocations from one note of the program to the next


def test_kill_at_any_moment(tmp_path):
    program = vbt.compiled("killed.c", "-O0", "-fno-builtin")
    line = next(number for number, text in enumerate((vbt.PROGRAMS / "killed.c").read_text().splitlines(), 1) if "// counted" in text)
    moments = random.Random(4711)
    lags, young = [], 0
    for attempt in range(KILLS):
        notes, trace = tmp_path / f"{attempt}.notes", tmp_path / f"{attempt}.vbt"
        process = subprocess.Popen([program, notes], env=vbt.environment(LD_PRELOAD=str(vbt.LIBRARY), VBTRACE_OUTPUT=str(trace)))
        time.sleep(moments.uniform(0.03, 0.4))
        process.kill()
        killed = time.monotonic_ns()
        assert process.wait() == -signal.SIGKILL
        if not trace.exists():  # before the first tick
            young += 1
            continue
        report = vbt.Report(trace)
        assert not report.json["complete"] and report.totals["lost_events"] == 0
        counted = report.line(vbt.PROGRAMS / "killed.c", line)["allocs"]
        made = next(i for i, moment in enumerate(array.array("q", notes.read_bytes())) if moment == 0)  # hundreds
        assert counted <= STEP * (made + 1)
        started = report.json["program"]["started_ns"] - (time.time_ns() - time.monotonic_ns())
        lags.append((killed - started - report.json["program"]["duration_ns"]) / 1e6)
    assert len(lags) + young == KILLS and len(lags) > 0
    print(f"{len(lags)} traces, {young} killed too soon; the last tick was {min(lags):.1f} to {max(lags):.1f} ms before the kill")
    assert min(lags) < 20  # two ticks; a machine that is busy is late with most of them, but not with all
