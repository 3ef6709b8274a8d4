"""Servers under load from other processes, untraced and under vbtrace with full native stacks, at
the same time and in the same way.

The traced server and its clients report no errors that the untraced ones do not report; it ends the
same way; vbtrace's memory in it grows only with new call paths and with the heap it follows; and in
each process's trace the conservation laws hold.

VBTRACE_SERVER_SECONDS is the time under load, 300 by default.
"""

import json
import os
import pathlib
import shutil
import tempfile
import threading
import time

import pytest

import memory
import servers
import vbt
from conservation import check_by_second_reader, check_laws

SECONDS = float(os.environ.get("VBTRACE_SERVER_SECONDS", "300"))
SAMPLES = 60

# The most bytes per call path: its node in the tree, and counters in each thread that reaches it.
PATH = 1024
# vbtrace's memory grows in steps: 64 KiB at a time for each of a few tables, or by doubling one.
STEPS = 2**20
# Of a process at its start: all tables and buffers.
START = 8 * 2**20


def call_paths(server):
    """How many call paths the traces have now, while they are being written."""
    nodes = 0
    for trace in server.traces.glob("*.vbt"):
        if int(trace.stem.split(".")[-1]) in server.processes():
            copy = server.folder / "copy"
            shutil.copy(trace, copy)
            done = vbt.vbtrace("info", "--format", "json", copy)
            assert done.returncode == 0, done.stderr
            nodes += json.loads(done.stdout)["definitions"]["nodes"]
    return nodes


class Watch:
    """Puts a server under load in another thread, after a first turn, and takes samples until that
    ends."""

    def __init__(self, server):
        self.server, self.series, self.paths = server, memory.Series(), []
        self.load = in_thread(server.turn)

    def begin(self):
        self.load = in_thread(self.server.load, SECONDS)

    def follow(self, now):
        self.series.take(now, self.server.processes())
        if self.server.traced and len(self.paths) < 2 and now >= SECONDS * (1 / 6, 5 / 6)[len(self.paths)]:
            self.paths.append(call_paths(self.server))


def in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def follow(watches):
    for watch in watches:
        watch.load.join()
    for watch in watches:
        watch.begin()
    start, now = time.monotonic(), 0
    while now < SECONDS:
        now = time.monotonic() - start
        for watch in watches:
            watch.follow(now)
        time.sleep(SECONDS / SAMPLES)
    for watch in watches:
        watch.load.join()
    for thread in [in_thread(watch.server.last) for watch in watches]:
        thread.join()


def mib(count):
    return f"{count / 2**20:.2f} MiB"


@pytest.fixture
def folder():
    """A folder that a server not running as root may enter."""
    with tempfile.TemporaryDirectory(prefix="vbtrace-server.") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


@pytest.mark.parametrize("kind", [servers.Redis, servers.Nginx, servers.Postgres], ids=lambda kind: kind.name)
def test_server(kind, folder):
    if kind.missing():
        pytest.skip(f"not installed: {', '.join(kind.missing())}")
    both = []
    try:
        for name in ("untraced", "traced"):
            both.append(kind(folder / name, traced=name == "traced"))
        watches = [Watch(server) for server in both]
        follow(watches)
        statuses = [server.stop() for server in both]
    finally:
        for server in both:
            server.kill()
    untraced, traced = both
    print(f"\n{kind.name}: {untraced.done} requests untraced, {traced.done} traced; in {SECONDS:g} s")
    assert statuses[0] == statuses[1] == 0
    assert untraced.done > 0 and traced.done > 0
    assert traced.errors == [] or set(traced.errors) == set(untraced.errors)
    assert traced.complaints() - untraced.complaints() == set()
    check_memory(*watches)
    check_traces(sorted(traced.traces.glob("*.vbt")))
    assert not list(untraced.traces.iterdir()) and len(list(traced.traces.iterdir())) == len(list(traced.traces.glob("*.vbt")))


def check_memory(untraced, traced):
    (before, none), (after, still_none), _ = untraced.series.medians()
    (first, ours), (last, ours_at_end), lasting = traced.series.medians()
    assert none == still_none == 0 and ours > 0
    paths, heap = max(0, traced.paths[-1] - traced.paths[0]), max(0, (last - ours_at_end) - (first - ours))
    print(f"    memory of {lasting} lasting processes, medians of the first and the last third: untraced {mib(before)}, {mib(after)};")
    print(f"    traced {mib(first)}, {mib(last)}; of that vbtrace's {mib(ours)}, {mib(ours_at_end)}; call paths {traced.paths[0]}, {traced.paths[-1]}")
    print(f"    traced minus untraced: {mib(first - before)}, {mib(last - after)}")
    # The cells of small blocks take a quarter of the heap, or twice that where all sizes are mixed.
    assert ours_at_end - ours <= PATH * paths + heap // 2 + STEPS
    assert ours_at_end <= lasting * START + PATH * traced.paths[-1] + last // 2


def allowed_losses(report):
    """Events of a signal handler that interrupts vbtrace. That of PostgreSQL's timeouts reads the
    clock twice."""
    count = report.totals["lost"]["signal"]
    if count:
        print(f"    lost to signals: {count}, beside {report.totals['allocs']} allocations, by {' '.join(report.json['program']['args'])}")
    return {"signal": count} if 0 < count <= 10 else {}


def check_traces(paths):
    reports = [vbt.Report(path) for path in paths]
    assert len(reports) > 0
    for report in reports:
        assert report.json["program"]["native"] == "full"
        check_laws(report, **allowed_losses(report))
        check_by_second_reader(report)
    allocs = sum(report.totals["allocs"] for report in reports)
    lost = sum(report.totals["lost_events"] for report in reports)
    print(f"    {len(reports)} traces, {mib(sum(path.stat().st_size for path in paths))}: {allocs} allocations, {lost} lost")
    assert allocs > 1000
