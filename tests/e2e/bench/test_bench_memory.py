"""bench/run memory: programs that keep exactly what they are asked for, fits and predictions from
made-up measurements, a quick run."""

import json
import shutil
import subprocess
import sys

import pytest

import vbt
from driver import memory
from sidebyside import measure

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return measure.build("memory", measure.WORKLOADS / "memory.c", tmp_path_factory.mktemp("memory"), "-pthread")


def counts(command, tmp_path):
    folder = tmp_path / "-".join(map(str, command[-4:])).replace("/", "_")
    folder.mkdir()
    run = vbt.trace(command, directory=folder)
    info = json.loads(vbt.vbtrace("info", "--format", "json", run.paths[0]).stdout)
    return info["definitions"], vbt.Report(run.paths[0]).totals


def test_paths_are_as_many_as_asked_for(program, tmp_path):
    """64 under each prefix; a call more between is a node more for each prefix."""
    few, _ = counts([program, "paths", 16, 0, 1, 1], tmp_path)
    many, totals = counts([program, "paths", 48, 0, 2, 3], tmp_path)
    assert many["counted_nodes"] - few["counted_nodes"] == 64 * 32 and totals["allocs"] == totals["frees"] == 2 * 3 * 64 * 48
    longer, _ = counts([program, "paths", 16, 5, 1, 1], tmp_path)
    assert (longer["nodes"] - few["nodes"], longer["counted_nodes"]) == (5 * 16, few["counted_nodes"])


def test_blocks_and_threads_are_as_many_as_asked_for(program, tmp_path):
    _, totals = counts([program, "blocks", 1000, 100], tmp_path)
    assert (totals["live_blocks"], totals["live_bytes"]) == (1000, 100_000)
    _, few = counts([program, "threads", 2], tmp_path)
    _, more = counts([program, "threads", 7], tmp_path)
    assert (few["threads"], more["threads"]) == (3, 8)


def test_lines_are_as_many_as_asked_for(tmp_path):
    program = measure.WORKLOADS / "memory_lines.py"
    few, many = (counts(["/usr/bin/python3", program, number], tmp_path)[0] for number in (500, 1500))
    assert many["counted_nodes"] - few["counted_nodes"] >= 1000 and 1000 <= many["sites"] - few["sites"] <= 1010


def test_a_line_through_points():
    points = [{"number": x, "added_bytes": 100 + 3 * x, "ways": 2 * x} for x in (10, 20, 40)]
    fit = memory.fitted(points)
    assert (fit["each_bytes"], fit["start_bytes"], fit["off"]) == (pytest.approx(3), pytest.approx(100), pytest.approx(0))
    points[2]["added_bytes"] += 9
    assert 0 < memory.fitted(points)["off"] < 0.1
    assert [one["added_bytes"] for one in memory.without(points, "ways", 1.5)] == [100, 100, 109]


def test_a_prediction():
    rows = {name: {"each_bytes": cost} for name, cost in {"paths": 100, "often": 200, "varied": 500, "ways": 30, "sites": 10, "threads": 1000, "modules": 50}.items()}
    rows |= {f"blocks-{size}": {"each_bytes": size / 2} for size in memory.BLOCK_BYTES}
    assert (memory.of_block(rows, 10), memory.of_block(rows, 70), memory.of_block(rows, 10_000)) == (12, 35, 5000)
    counted = {"paths": 7, "often": 1, "varied": 2, "ways": 3, "sites": 4, "modules": 1, "threads": 3}
    counted["blocks_at_peak"] = {48: 10, 100: 4}
    parts = memory.predicted(rows, counted, 5)
    assert parts == {"start": 5, "paths": 700, "often": 200, "varied": 1000, "ways": 90, "sites": 40, "modules": 50, "threads": 2000, "blocks": 440}


def test_a_run(tmp_path):
    out = tmp_path / "memory.json"
    command = [sys.executable, vbt.ROOT / "bench" / "run", "memory", "--quick", "--library", vbt.LIBRARY, "--tool", vbt.ANALYZER, "--out", out]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and "off the line" in done.stdout
    result = json.loads(out.read_text())
    rows = {row["name"]: row for row in result["rows"]}
    assert {"paths", "often", "varied", "ways", "sites", "threads", "modules", "blocks-24", "blocks-5000"} <= set(rows)
    assert all(len(row["points"]) == 4 for row in rows.values()) and rows["varied"]["each_bytes"] > 0
    page = list(memory.markdown(result))
    assert page[0] == "| what is kept | bytes each | off the line by at most |" and page[-1].startswith("Made ")
    (prediction,) = result["predictions"]  # of more programs without --quick
    assert prediction["program"] == "ast" and prediction["predicted_bytes"] == sum(prediction["parts"].values()) > 0
    assert prediction["counts"]["counted"] == sum(prediction["counts"][part] for part in ("paths", "often", "varied")) > 1000
    assert min(prediction["counts"][part] for part in ("paths", "often", "varied")) > 100 and rows["often"]["each_bytes"] > rows["paths"]["each_bytes"]
