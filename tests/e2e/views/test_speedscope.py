"""The export for speedscope, checked against its documented format, against our own numbers, and by
speedscope itself, in a browser."""

import base64
import json
import os

import pytest

import browser
import export_samples
import foreign_tools
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


@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_totals_are_ours(name):
    file = exported(export_samples.trace_of(name))
    report = json.loads(vbt.vbtrace("report", "--format", "json", export_samples.trace_of(name), check=True).stdout)
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


@pytest.fixture(scope="module")
def window():
    reason = browser.missing() or foreign_tools.speedscope()[1]
    if reason:
        pytest.skip(reason)
    with browser.Browser() as opened:
        yield opened


SAVE = """
    window.URL.createObjectURL = (blob) => { window.saved = blob; return "data:,"; };
    HTMLAnchorElement.prototype.click = () => {};
    const named = [...document.querySelectorAll("*")].filter((e) => /Export$/.test(e.textContent) && e.textContent.length < 12);
    if (named.length > 0)
        named[0].click();
    const done = arguments[arguments.length - 1];
    window.saved ? window.saved.text().then(done) : setTimeout(() => done(null), 50);"""


def read_by_speedscope(window, path, folder):
    """The file as speedscope writes it after it has read ours."""
    loader = folder / "load.js"  # as its command makes it
    content = base64.b64encode(path.read_bytes()).decode()
    loader.write_text(f"speedscope.loadFileFromBase64({json.dumps(path.name)}, {json.dumps(content)})")
    page, _ = foreign_tools.speedscope()
    window.open(folder)  # another address, so that the page is loaded anew
    window.open(page, f"localProfilePath={loader}")
    for _ in range(1000):
        text = window.run_async(SAVE)
        if text is not None:
            return json.loads(text)
    raise AssertionError("speedscope did not read the file: " + str(window.errors()))


def total(profile):
    if profile["type"] == "sampled":
        return sum(profile["weights"])
    return profile["endValue"] - profile["startValue"]


@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_speedscope_reads_it(name, window, tmp_path):
    path = tmp_path / "trace.speedscope.json"
    path.write_text(vbt.vbtrace("export", "--format", "speedscope", export_samples.trace_of(name), check=True).stdout)
    ours, theirs = json.loads(path.read_text()), read_by_speedscope(window, path, tmp_path)
    assert theirs["exporter"].startswith("speedscope@")
    assert [(profile["name"], total(profile)) for profile in theirs["profiles"]] == [(profile["name"], total(profile)) for profile in ours["profiles"]]
    used = {number for profile in ours["profiles"] for stack in profile["samples"] for number in stack}
    names = {frame["name"] for number, frame in enumerate(ours["shared"]["frames"]) if number in used}
    assert {frame["name"] for frame in theirs["shared"]["frames"]} >= names
