"""bench/run forks: both sides of both ways, a trace for each child in which something happened."""

import json
import shutil
import subprocess
import sys

import pytest

import vbt

pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")


def test_forks(tmp_path):
    command = [sys.executable, vbt.ROOT / "bench" / "run", "forks", "--quick", "--rounds", "2"]
    out = ["--library", vbt.LIBRARY, "--tool", vbt.ANALYZER, "--out", tmp_path / "forks.json"]
    done = subprocess.run(list(map(str, command + out)), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and "not as expected" not in done.stdout
    rows = json.loads((tmp_path / "forks.json").read_text())["rows"]
    assert [row["children"] for row in rows] == ["nothing", "allocate"]
    for row in rows:
        assert all(len(times) == 2 and min(times) > 0 for times in row["rounds"].values())
        assert row["ratio"] == row["cpu_us"]["vbtrace"] / row["cpu_us"]["untraced"]
