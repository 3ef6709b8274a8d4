"""bench/run views: both sides of every view, in processor time and memory."""

import json
import shutil
import subprocess
import sys

import pytest

import vbt

pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")


def views(*arguments):
    command = [sys.executable, vbt.ROOT / "bench" / "run", "views", "--quick", "--library", vbt.LIBRARY, "--tool", vbt.ANALYZER, *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def test_views(tmp_path):
    done = views("--rounds", "2", "--against", vbt.ANALYZER, "--out", tmp_path / "views.json")
    assert (done.returncode, done.stderr) == (0, "") and "call paths" in done.stdout
    results = json.loads((tmp_path / "views.json").read_text())
    traces = results["manifest"]["traces"]
    for name, share in (("tenth", 0.1), ("half", 0.5), ("most", 0.9)):
        assert traces[name]["nodes"] > 2**10
        assert abs(traces[name]["counted_nodes"] / traces[name]["nodes"] - share) < 0.01
        assert len([row for row in results["rows"] if row["trace"] == name]) >= 10
    for row in results["rows"]:
        for name in ("vbtrace", "against"):
            assert len(row[name]["rounds"]) == 2 and min(row[name]["rounds"]) > 0 and row[name]["max_rss_bytes"] > 1 << 20
        assert row["ratio"] == row["vbtrace"]["cpu_s"] / row["against"]["cpu_s"]


def test_another_tool_that_is_missing(tmp_path):
    done = views("--against", "/none", "--out", tmp_path / "views.json")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "/none" in done.stderr
