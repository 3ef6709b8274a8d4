"""The export for speedscope, checked against its documented format, and against our own numbers."""

import json
import os

import pytest

import golden
import vbt

TITLES = {
    "Bytes allocated": ("bytes", "allocated_bytes"),
    "Allocations": ("none", "allocs"),
    "Bytes live at the peak": ("bytes", "at_peak_bytes"),
    "Bytes live at the end": ("bytes", "live_bytes"),
    "Blocks live at the end": ("none", "live_blocks"),
    "Temporary allocations": ("none", "temporary_allocs"),
}


def exported(path, *options):
    done = vbt.vbtrace("export", "--format", "speedscope", *options, path, check=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


def stacks(file, profile):
    frames = file["shared"]["frames"]
    return [([frames[number] for number in stack], weight) for stack, weight in zip(profile["samples"], profile["weights"], strict=True)]


@pytest.mark.parametrize("name", golden.SAMPLES)
def test_totals_are_ours(name):
    file = exported(golden.trace_of(name))
    report = json.loads(vbt.vbtrace("report", "--format", "json", golden.trace_of(name), check=True).stdout)
    assert file["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert file["name"] == report["program"]["command"] and file["exporter"] == f"vbtrace@{report['vbtrace']}"
    assert [profile["name"] for profile in file["profiles"]] == list(TITLES)
    for profile in file["profiles"]:
        unit, field = TITLES[profile["name"]]
        total = report["totals"].get(field, sum(line.get(field, 0) for line in report["lines"]))
        assert (profile["type"], profile["unit"], profile["startValue"], profile["endValue"]) == ("sampled", unit, 0, total)
        assert sum(profile["weights"]) == total and min(profile["weights"], default=1) > 0
        assert all(0 <= number < len(file["shared"]["frames"]) for stack in profile["samples"] for number in stack)


def test_stacks_are_those_of_collapsed_stacks():
    """The same frames, outermost first, each with its file and line."""
    trace = golden.trace_of("script")
    folded = vbt.vbtrace("export", "--format", "collapsed", trace, check=True).stdout.splitlines()
    ours = sorted((len(line.rsplit(" ", 1)[0].split(";")), int(line.rsplit(" ", 1)[1])) for line in folded)
    file = exported(trace)
    theirs = stacks(file, file["profiles"][0])
    assert sorted((len(stack), weight) for stack, weight in theirs) == ours
    largest = max(theirs, key=lambda pair: pair[1])[0]
    assert [frame["name"] for frame in largest[:2]] == ["<module>", "main"]
    assert largest[0] == {"name": "<module>", "file": "/tmp/vbtrace-samples/customers.py", "line": 34}


def test_measure_comes_first_and_groups_are_outermost():
    file = exported(golden.trace_of("threads"), "--measure", "temporary", "--by", "thread")
    assert file["profiles"][0]["name"] == "Temporary allocations" and file["activeProfileIndex"] == 0
    ((stack, weight),) = stacks(file, file["profiles"][0])
    assert stack[0] == {"name": "compute (thread 3)"} and weight == 10000


def test_odd_names_are_kept(tmp_path):
    """Quotes, backslashes, control characters and what is no UTF-8."""
    name = os.fsdecode(b'odd "name" \\ \x01 \xff.py')
    (tmp_path / name).write_text("kept = [None] * 1000\n")
    trace = vbt.trace(["/usr/bin/python3", "-I", name], directory=tmp_path).paths[0]
    files = {frame.get("file", "") for frame in exported(trace)["shared"]["frames"]}
    assert [file for file in files if file.startswith(str(tmp_path)) and 'odd "name" \\ \x01 ' in file]
