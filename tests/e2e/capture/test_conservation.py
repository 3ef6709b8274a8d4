"""The conservation laws, on Python programs; and the JSON contract of a report."""

import json

import pytest

import vbt
from conservation import check_by_second_reader, check_laws

PYTHON_PROGRAMS = [f"ground_truth_{name}.py" for name in ("objects", "control", "threads", "native")] + ["live_blocks.py", "clocks.py"]


@pytest.mark.parametrize("program", PYTHON_PROGRAMS)
def test_python_programs(program, interpreter):
    report = vbt.traced_python(program, interpreter).report
    check_laws(report)
    check_by_second_reader(report)


def test_whole_life_of_an_interpreter(interpreter):
    """To the end, including finalization."""
    code = "import json, threading, logging, decimal; x = [json.loads(json.dumps({'a': [1.5] * 50})) for _ in range(200)]"
    report = vbt.trace([interpreter.path, "-c", code]).report
    check_laws(report)
    check_by_second_reader(report)
    assert report.json["end_reason"] == "exit"
    assert report.json["program"]["python"] == ".".join(map(str, interpreter.version)) and report.json["program"]["python_status"] == "ok"
    assert report.totals["unknown_frees"] == {"heap": 0, "python": 0, "map": 0}


def test_checksums(interpreter):
    """Checksums as in FORMAT.md, by a second implementation of XXH64."""
    path = vbt.trace([interpreter.path, "-c", "pass"]).report.path
    trace = vbt.trace_reader.Trace(path, checked=True)
    assert trace.end == "exit" and len(trace.offsets) > 5


def test_json_is_the_contract(interpreter):
    """All keys of the documented contract, with integers where counts are exact."""
    report = vbt.traced_python("ground_truth_objects.py", interpreter).report
    reported = report.json
    assert reported.keys() >= {"program", "totals", "stacks", "lines", "user_lines", "intervals"}
    assert reported["program"].keys() >= {"command", "pid", "python", "started", "duration_ns"}
    counts = {"allocs", "frees", "allocated_bytes", "freed_bytes", "live_blocks", "live_bytes", "temporary_allocs"}
    assert reported["totals"].keys() >= counts | {"peak_bytes", "peak_error_bytes", "lost_events", "max_rss_bytes", "domains"}
    assert all(reported["totals"]["domains"][name].keys() >= counts for name in ("heap", "python", "map"))
    for row in reported["lines"]:
        assert row.keys() >= counts | {"file", "line", "function", "source", "at_peak_bytes"}
        assert all(isinstance(row[name], int) for name in counts)
    assert json.loads(json.dumps(reported)) == reported
