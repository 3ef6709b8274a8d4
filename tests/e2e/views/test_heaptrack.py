"""The export for heaptrack, replayed by our own reader and read by heaptrack_print."""

import json
import shutil
import sqlite3
import subprocess

import pytest

import export_samples
import golden
import vbt

SAID = "heaptrack: each call stack is one block, so that numbers of calls and of temporary allocations mean nothing\n"


def exported(path, *options):
    done = vbt.vbtrace("export", "--format", "heaptrack", *options, path, check=True)
    assert done.stderr == f"vbtrace: warning: {path}: {SAID}"
    return done.stdout


class Replay:
    """What heaptrack makes of the lines: the peak, when it was, and what each stack has of it."""

    def __init__(self, text):
        self.strings, self.instructions, self.traces, sizes = [""], [None], [None], []
        self.live, self.peak, self.peak_ms, self.at_peak, ms = {}, 0, 0, {}, 0
        self.known = {}  # by ms: bytes of call stacks that are known
        lines = text.splitlines()
        assert lines[0] == "v 10400 3" and lines[1].startswith("X ") and lines[2].startswith("I 1000 ")
        total = 0
        for line in lines[3:]:
            kind, rest = line.split(" ", 1)
            if kind == "s":
                size, name = rest.split(" ", 1)
                assert len(name.encode()) == int(size, 16)
                self.strings.append(name)
                continue
            numbers = [int(number, 16) for number in rest.split()]
            if kind == "i":
                frames = [numbers[at : at + 3] for at in range(2, len(numbers), 3)]
                self.instructions.append([(self.strings[function], self.strings[file], line) for function, file, line in frames])
            elif kind == "t":
                assert numbers[1] < len(self.traces)
                self.traces.append((self.instructions[numbers[0]], numbers[1]))
            elif kind == "a":
                sizes.append(numbers)
            elif kind == "c":
                assert numbers[0] > ms
                self.known[ms] = self.known_bytes()
                ms = numbers[0]
            elif kind in "+-":
                size, trace = sizes[numbers[0]]
                sign = 1 if kind == "+" else -1
                total += sign * size
                self.live[trace] = self.live.get(trace, 0) + sign * size
                if total > self.peak:
                    self.peak, self.peak_ms, self.at_peak = total, ms, dict(self.live)
            else:
                assert kind == "R"

    def known_bytes(self):
        return sum(size for trace, size in self.live.items() if size and not self.stack(trace)[0][0].startswith("[between the moments"))

    def stack(self, trace):
        """The frames, innermost first."""
        frames = []
        while trace:
            own, trace = self.traces[trace]
            frames += own
        return frames


@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_peak_and_end_are_ours(name):
    replay = Replay(exported(export_samples.trace_of(name)))
    report = json.loads(vbt.vbtrace("report", "--format", "json", export_samples.trace_of(name), check=True).stdout)
    assert replay.peak == sum(line["at_peak_bytes"] for line in report["lines"])
    assert sum(replay.live.values()) == report["totals"]["live_bytes"] and min(replay.live.values()) == 0
    if name != "workers":
        assert replay.peak_ms == report["totals"]["peak_time_ns"] // 10**6


def test_stacks_are_ours():
    trace = golden.trace_of("cpp")
    replay = Replay(exported(trace))
    for options, sums in ((["--measure", "peak"], replay.at_peak), (["--measure", "leaks"], replay.live)):
        folded = vbt.vbtrace("export", "--format", "collapsed", *options, trace, check=True).stdout.splitlines()
        ours = sorted((len(line.rsplit(" ", 1)[0].split(";")), int(line.rsplit(" ", 1)[1])) for line in folded)
        assert sorted((len(replay.stack(trace)), size) for trace, size in sums.items() if size) == ours
    (leaked,) = [trace for trace, size in replay.live.items() if size == 229376]
    names = [(function.split("(")[0], line) for function, file, line in replay.stack(leaked) if file.endswith("catalogue.cpp")]
    assert names == [("read_books", 17), ("main", 37)]


WORK = """
import time

held = []
for step in range(75):
    held.append([bytes(500) for _ in range(20)])
    if step % 10 == 9:
        del held[:5]
    time.sleep(0.02)
"""


def test_moments_between_are_ours(tmp_path):
    """At those that the trace keeps: what was live then, by call stack."""
    (tmp_path / "work.py").write_text(WORK)
    trace = vbt.trace(["/usr/bin/python3", "-I", "work.py"], directory=tmp_path).paths[0]
    replay = Replay(exported(trace))
    history = sqlite3.connect(":memory:")
    history.executescript(vbt.vbtrace("export", "--format", "sqlite", trace, check=True).stdout)
    peak = json.loads(vbt.vbtrace("report", "--format", "json", trace, check=True).stdout)["totals"]["peak_time_ns"] // 10**6
    latest = {time // 10**6: time for (time,) in history.execute("select time_ns from moment order by id") if time // 10**6 != peak}
    compared = 0
    for ms, time in latest.items():
        if ms in replay.known:
            totals = json.loads(vbt.vbtrace("report", "--format", "json", "--at", f"{time}ns", trace, check=True).stdout)["totals"]
            assert replay.known[ms] == totals["live_bytes"]
            compared += 1
    assert compared > 0


def test_options():
    done = vbt.vbtrace("export", "--format", "heaptrack", "--measure", "bytes", golden.trace_of("cpp"))
    assert done.returncode == 0
    done = vbt.vbtrace("export", "--format", "heaptrack", "--measure", "temporary", golden.trace_of("cpp"))
    said = "vbtrace: export --format heaptrack does not take --measure: it holds what is live, at the peak and at the end\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    replay = Replay(exported(golden.trace_of("threads"), "--by", "thread"))
    assert {replay.stack(trace)[-1][0] for trace, size in replay.live.items() if size} == {"main (thread 1)", "producer (thread 2)"}


@pytest.mark.skipif(shutil.which("heaptrack_print") is None, reason="heaptrack_print is not installed")
@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_heaptrack_print_reads_it(name, tmp_path):
    """Its own sums, to the byte; of leaks without those that it suppresses."""
    path, stacks = tmp_path / "data.heaptrack", tmp_path / "stacks"
    path.write_text(exported(export_samples.trace_of(name)))
    replay = Replay(path.read_text())
    for cost, total in (("peak", replay.peak), ("leaked", sum(replay.live.values()))):
        command = ["heaptrack_print", "--disable-builtin-suppressions", "-F", str(stacks), "--flamegraph-cost-type", cost, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=vbt.TIMEOUT)
        assert done.returncode == 0, done.stderr
        assert sum(int(line.rsplit(" ", 1)[1]) for line in stacks.read_text().splitlines()) == total
