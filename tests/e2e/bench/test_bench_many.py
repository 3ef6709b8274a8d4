"""bench/run many: every view of many traces, in processor time and memory."""

import json
import subprocess
import sys

import vbt


def test_many(tmp_path):
    out = tmp_path / "many.json"
    command = [sys.executable, vbt.ROOT / "bench" / "run", "many", "--quick", "--rounds", "2", "--library", vbt.LIBRARY, "--tool", vbt.ANALYZER, "--out", out]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.startswith("50 traces with 5,000 call paths in all, ")
    results = json.loads(out.read_text())
    assert {"report", "peak", "merge", "list"} <= {row["view"] for row in results["rows"]}
    for row in results["rows"]:
        assert len(row["rounds"]) == 2 and min(row["rounds"]) >= 0 and row["max_rss_bytes"] > 1 << 20
