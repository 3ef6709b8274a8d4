"""Truncated or altered traces: `vbtrace report` says what is wrong in one line, and reports what
comes before."""

import json
import os
import random
import re

import pytest

import vbt

CHOSEN = random.Random(20260101)  # the same positions in every run
CUTS, FLIPS = 200, 200


@pytest.fixture(scope="module")
def whole():
    """A Python trace with intervals, threads and several ticks, as bytes; the offsets of its
    chunks; its report."""
    python = vbt.interpreters()[-1]
    code = """
import threading, time
import vbtrace
def work(n):
    with vbtrace.section("work", iterations=n):
        kept.append([str(i) for i in range(n)])
    time.sleep(0.03)
kept = []
threads = [threading.Thread(target=work, args=(1000 * i,)) for i in range(1, 5)]
before = time.perf_counter()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
after = time.perf_counter()
"""
    report = vbt.trace([python.path, "-c", code], python_paths=[vbt.MODULE_DIRECTORY]).report
    return report.trace.data, report.trace.offsets, report


def reported(data, folder, form="text"):
    """Report on a file with these bytes; never a crash, and one line at most on stderr."""
    path = folder / "damaged.vbt"
    path.write_bytes(data)
    done = vbt.vbtrace("report", "--format", form, path, env={"COLUMNS": "100"})
    assert done.returncode in (0, 2), (done.returncode, done.stderr)
    assert done.stderr.count("\n") <= 1 and (not done.stderr or done.stderr.startswith("vbtrace: ")), done.stderr
    if done.returncode == 2:
        assert done.stdout == "" and str(path) in done.stderr
    else:
        assert done.stdout.strip()
        if done.stderr:
            assert str(path) in done.stderr and "byte" in done.stderr
    return done


def test_cut_at_every_chunk(whole, tmp_path):
    """What comes before is complete: no damage, but no end."""
    data, offsets, report = whole
    assert len(offsets) > 10
    latest = 0
    for offset in offsets[1:]:
        done = reported(data[:offset], tmp_path, "json")
        assert (done.returncode, done.stderr) == (0, ""), offset
        root = json.loads(done.stdout)
        assert not root["complete"], offset
        assert latest <= root["totals"]["allocs"] <= report.totals["allocs"]
        latest = root["totals"]["allocs"]
        assert "cut off" in reported(data[:offset], tmp_path).stdout


def test_cut_anywhere(whole, tmp_path):
    data, offsets, _ = whole
    ends = {*offsets, len(data)}
    for size in [*range(0, 20), *(CHOSEN.randrange(20, len(data)) for _ in range(CUTS))]:
        done = reported(data[:size], tmp_path)
        assert done.returncode == (2 if size < offsets[1] else 0), (size, done.stderr)  # without one complete chunk there is nothing to report
        assert bool(done.stderr) == (size < offsets[1] or size not in ends), (size, done.stderr)


def test_altered_bytes(whole, tmp_path):
    """Every byte after the header is covered by a checksum."""
    data, offsets, _ = whole
    for _ in range(FLIPS):
        at, bits = CHOSEN.randrange(16, len(data)), CHOSEN.randrange(1, 256)
        altered = bytearray(data)
        altered[at] ^= bits
        done = reported(bytes(altered), tmp_path)
        assert done.returncode == (2 if at < offsets[1] else 0) and done.stderr, (at, bits)
        first = max(offset for offset in offsets if offset <= at)
        places = [first, len(data)] if 8 <= at - first < 12 else [first]  # a stored size can point beyond the end
        assert any(f"byte {place}" in done.stderr for place in places), (at, first, done.stderr)  # in that chunk, nothing before


def test_altered_header(whole, tmp_path):
    data, _, _ = whole
    for at in range(11):
        altered = bytearray(data)
        altered[at] ^= 0x20
        done = reported(bytes(altered), tmp_path)
        assert done.returncode == 2 and done.stderr, at


def test_not_a_trace(tmp_path):
    for content in (b"", b"x", b"\x7fELF" + bytes(100), b"VBTC" * 100, bytes(10_000), os.urandom(5_000)):
        assert reported(content, tmp_path).returncode == 2


@pytest.mark.parametrize("command", ["report", "lines", "functions", "intervals", "timeline", "info"])
@pytest.mark.parametrize("name, reason", [("missing.vbt", "No such file"), (".", "empty"), ("empty.vbt", "empty")])
def test_file_that_cannot_be_read(command, name, reason, tmp_path):
    (tmp_path / "empty.vbt").touch()
    done = vbt.vbtrace(command, tmp_path / name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and reason in done.stderr and str(tmp_path / name) in done.stderr


@pytest.mark.parametrize("command", ["report", "lines", "functions", "intervals", "timeline", "info"])
@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_every_command_on_a_cut_trace(whole, command, form, tmp_path):
    """Half of it."""
    data, _, _ = whole
    path = tmp_path / "half.vbt"
    path.write_bytes(data[: len(data) // 2])
    done = vbt.vbtrace(command, "--format", form, path)
    assert done.returncode == (2 if command == "info" else 0) and done.stdout, done.stderr
    assert done.stderr.count("\n") <= 1
    if form == "json":
        json.loads(done.stdout)


def test_one_line_says_that_there_is_nothing(whole, tmp_path):
    """Not a warning about the damage and an error as well."""
    data, offsets, _ = whole
    path = tmp_path / "damaged.vbt"
    path.write_bytes(data[: offsets[-1]] + b"damage")
    done = vbt.vbtrace("lines", "--like", "line_profiler", path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"byte {offsets[-1] + len(b'damage')}" in done.stderr and "no line was counted" in done.stderr


VIEWS = "report lines functions tree peak leaks temporary intervals timeline info".split()


@pytest.mark.parametrize("command", VIEWS)
def test_every_view_says_what_is_damaged(command, whole, tmp_path):
    """On standard error in every format, and in JSON as members; a trace that is merely cut off is
    not complete."""
    data, offsets, _ = whole
    path = tmp_path / "damaged.vbt"
    path.write_bytes(data[:-1])
    said = rf"vbtrace: warning: {path}: damaged at byte {len(data) - 1}: the file ends inside a chunk, after .* of .* bytes; everything before it is reported\n"
    for form in ("text", "csv", "json"):
        done = vbt.vbtrace(command, "--format", form, path)
        assert done.returncode == (2 if command == "info" else 0) and re.fullmatch(said, done.stderr), done.stderr
    reported = json.loads(done.stdout)
    assert not reported["complete"] and reported["damage"]["byte"] == len(data) - 1
    assert "damaged at byte" in " ".join(vbt.vbtrace(command, path).stdout.split())
    for end, complete in ((offsets[-1], False), (len(data), True)):
        path.write_bytes(data[:end])
        done = vbt.vbtrace(command, "--format", "json", path)
        reported = json.loads(done.stdout)
        assert (done.stderr, reported["complete"], reported["damage"]) == ("", complete, None)
        text, table = vbt.vbtrace(command, path), vbt.vbtrace(command, "--format", "csv", path)
        said = f"vbtrace: warning: {path}: cut off at {end} bytes, or still being written; everything before that is reported\n"
        assert (text.stderr, table.stderr) == ("", "" if complete else said)
        assert ("cut off" in text.stdout) != complete


def test_other_formats_say_what_is_cut_off(whole, tmp_path):
    data, offsets, _ = whole
    path = tmp_path / "cut.vbt"
    path.write_bytes(data[: offsets[-1]])
    said = f"vbtrace: warning: {path}: cut off at {offsets[-1]} bytes, or still being written; everything before that is reported\n"
    for command, form in (("flamegraph", "svg"), ("flamegraph", "collapsed"), *(("export", form) for form in vbt.EXPORTS)):
        done = vbt.vbtrace(command, "--format", form, path, text=False)
        assert (done.returncode, vbt.besides_losses(form, done.stderr.decode())) == (0, said) and b"cut off" not in done.stdout, form
        assert (len(done.stderr.decode().splitlines()) > 1) == (form in vbt.LOSSY_EXPORTS)
