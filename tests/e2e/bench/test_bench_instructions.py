"""bench/run instructions: exact events, counts that hardly vary between runs, and errors of one
line."""

import json
import shutil
import subprocess
import sys

import pytest

import vbt

pytestmark = pytest.mark.skipif(not shutil.which("cc") or not shutil.which("valgrind"), reason="needs a C compiler and valgrind")


def instructions(*arguments):
    build = ["--library", vbt.LIBRARY, "--tool", vbt.ANALYZER]
    command = [sys.executable, vbt.ROOT / "bench" / "run", "instructions", *build, *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def test_pairs(tmp_path):
    rows = []
    for name in ("first.json", "second.json"):
        done = instructions("--quick", "--workloads", "loop-4,startup", "--out", tmp_path / name)
        assert (done.returncode, done.stderr) == (0, "") and "loop-4" in done.stdout
        rows.append(json.loads((tmp_path / name).read_text())["rows"])
    (pairs, startup), (again, _) = rows
    ours = pairs["vbtrace"]
    assert ours["events"] == 2 * pairs["size"] == 80_000 and ours["instructions"] > pairs["untraced"]
    assert startup["size"] is None and startup["vbtrace"]["events"] > 1000
    assert abs(ours["added_an_event"] - again["vbtrace"]["added_an_event"]) < 0.01 * ours["added_an_event"]


def test_a_library_that_fails(tmp_path):
    """The row says why, and the exit status is not 0."""
    done = instructions("--quick", "--workloads", "loop-4", "--against", vbt.program("life.c"), "--out", tmp_path / "out.json")
    assert done.returncode == 2 and "failed: " in done.stdout and done.stderr == "run instructions: some workloads failed\n"


@pytest.mark.parametrize("arguments, says", [(("--share", "0"), "whole number"), (("--against", "/none.so"), "/none.so")])
def test_bad_options(arguments, says, tmp_path):
    done = instructions(*arguments, "--out", tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == []
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and says in done.stderr
