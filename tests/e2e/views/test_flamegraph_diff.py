"""What a flame graph folds, and what it says of two runs, against sums over the call trees that
`vbtrace tree` prints."""

import collections
import json
import re
import shutil
import xml.etree.ElementTree as ElementTree

import pytest

import golden
import vbt

SVG = "{http://www.w3.org/2000/svg}"
FIELDS = {"bytes": "allocated_bytes", "allocs": "allocs", "peak": "at_peak_bytes"}
IMPORTS = "[Python imports]"


def drawn(path, *options):
    """The frames of a picture, from the root: {((function, place), ...): attributes}."""
    done = vbt.vbtrace("flamegraph", *options, path, check=True)
    assert done.stderr == ""
    found, above = {}, []
    for group in ElementTree.fromstring(done.stdout.encode()).iter(SVG + "g"):
        if not group.get("class", "").startswith("frame "):
            continue
        function, place = group.find(SVG + "title").text.split("\n")[:2]
        del above[int(group.get("data-level")) :]
        above.append((function, place.split(", ")[0]))
        assert tuple(above) not in found
        found[tuple(above)] = {name: int(group.get("data-" + name)) for name in ("value", "change") if group.get("data-" + name)}
        found[tuple(above)]["class"] = group.get("class").split()[1]
    return found


def self_counts(path, field, *options):
    """{(place of each frame): what was counted at the innermost one}."""
    calls = json.loads(vbt.vbtrace("tree", "--format", "json", *options, path, check=True).stdout)["calls"]
    stacks, sums = {}, collections.Counter()
    for call in calls:
        key = (call["kind"], call["function"], call["file"], call["line"])
        stacks[call["id"]] = stacks.get(call["parent"], ()) + ((key,) if call["depth"] else ())
        sums[stacks[call["id"]]] += call[field]
    return sums


def prefixes(stacks):
    """What is counted at each call and below it."""
    sums = collections.Counter({(): 0})
    for stack, count in stacks.items():
        for end in range(len(stack) + 1):
            sums[stack[:end]] += count
    return {stack: count for stack, count in sums.items() if count or not stack}


def folded(stack):
    """Runs of Python's import machinery as one frame; native frames between are the golden traces'
    to have, which have none."""
    out = []
    for kind, function, file, line in stack:
        imports = kind == "python" and ("<frozen importlib" in file or "/importlib/_bootstrap" in file)
        if not imports:
            out.append((function, position(kind, file, line)))
        elif not out or out[-1] != (IMPORTS, ""):
            out.append((IMPORTS, ""))
    return tuple(out)


def position(kind, file, line):
    return "" if kind == "special" else f"{file}:{line}" if line else file


@pytest.mark.parametrize("name", ["script", "notebook", "cpp"])
@pytest.mark.parametrize("measure", FIELDS)
def test_folded_imports_stay_counted(name, measure):
    trace = golden.trace_of(name)
    picture = drawn(trace, "--min", "0", "--measure", measure)
    expected = collections.Counter()
    for stack, count in self_counts(trace, FIELDS[measure]).items():
        expected[folded(stack)] += count
    sums = prefixes(expected)
    assert {stack[1:]: frame["value"] for stack, frame in picture.items()} == sums
    shown = drawn(trace, "--min", "0", "--measure", measure, "--imports")
    assert shown[(("all", ""),)] == picture[(("all", ""),)]
    has = any(IMPORTS in frame for stack in sums for frame in stack)
    assert (len(shown) > len(picture) and not any((IMPORTS, "") in stack for stack in shown)) if has else shown == picture


def named(stack, paired):
    """A frame as it is compared: by function and file."""
    return tuple((kind, function, paired.get(file, file)) for kind, function, file, _ in stack)


def check_diff(old, new, measure, *options, paired=()):
    """The picture of two runs, frame by frame."""
    picture = drawn(new, "--diff", old, "--min", "0", "--imports", "--measure", measure, *options)
    sums = []
    for path in (old, new):
        counts = collections.Counter()
        for stack, count in self_counts(path, FIELDS[measure], "--frames", "function", *options).items():
            counts[named(stack, dict(paired))] += count
        sums.append(counts)
    before, after = sums[0], sums[1]
    larger = {stack: max(before[stack], after[stack]) for stack in before | after}
    widths, was, now = prefixes(larger), prefixes(before), prefixes(after)
    expected = sorted((len(stack), stack[-1][1] if stack else "all", width, now.get(stack, 0) - was.get(stack, 0)) for stack, width in widths.items())
    assert sorted((len(stack) - 1, stack[-1][0], frame["value"], frame["change"]) for stack, frame in picture.items()) == expected
    (root,) = [frame for stack, frame in picture.items() if len(stack) == 1]
    assert root["change"] == sum(after.values()) - sum(before.values())
    for stack, frame in picture.items():
        kind = frame["class"].split("-")[0]
        assert kind == ("grew" if frame["change"] > 0 else "shrank" if frame["change"] < 0 else "same")
    return picture


PROGRAM = """\
def load(n):
    return [bytes(1000) for _ in range(n)]


def kept():
    return load({n})


def {name}():
    return bytearray(50000)


held = kept(), {name}()
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two runs of a program: in the second, which lies in another folder, lines are moved, load
    makes 30 blocks more, and a function has another name."""
    paths = []
    for folder, text in (("old", PROGRAM.format(n=100, name="gone")), ("new", "# moved\n\n" + PROGRAM.format(n=130, name="fresh"))):
        place = tmp_path_factory.mktemp(folder)
        (place / "shelf.py").write_text(text)
        paths.append((vbt.trace(["/usr/bin/python3", "-I", "shelf.py"], directory=place).paths[0], place / "shelf.py"))
    return paths


@pytest.mark.parametrize("measure", FIELDS)
def test_two_runs(pair, measure):
    (old, old_file), (new, new_file) = pair
    picture = check_diff(old, new, measure, "--filter", "file=shelf.py", paired=[(str(old_file), str(new_file))])
    by_name = {stack[-1][0]: frame for stack, frame in picture.items()}
    assert by_name["load"]["change"] >= (30 if measure == "allocs" else 30 * 1033)
    assert by_name["gone"]["class"] == "shrank-4" and by_name["fresh"]["class"] == "grew-4"
    assert by_name["gone"]["change"] == -by_name["fresh"]["change"] and by_name["load"]["class"] == "grew-2"


@pytest.mark.parametrize("old, new", [("script", "counted"), ("cpp", "threads"), ("workers", "workers")])
def test_golden_traces(old, new):
    """The same program counted by line; one that has nothing in common; a folder with itself."""
    picture = check_diff(golden.trace_of(old), golden.trace_of(new), "allocs")
    assert old != new or {frame["class"] for frame in picture.values()} == {"same"}


SLOW = """
import time

held = []
for step in range({steps}):
    held.append([bytes(500) for _ in range(200)])
    time.sleep(0.02)
"""


def test_parts_of_runs_and_folders(tmp_path):
    """--from and --to are those of both runs, whichever states their traces hold; a folder is the
    sum of its traces."""
    (tmp_path / "folder").mkdir()
    traces = []
    for steps in (70, 85):
        place = tmp_path / str(steps)
        place.mkdir()
        (place / "slow.py").write_text(SLOW.format(steps=steps))
        traces.append(vbt.trace(["/usr/bin/python3", "-I", "slow.py"], directory=place).paths[0])
        shutil.copy(traces[-1], tmp_path / "folder" / f"{steps}.vbt")
    moved = [(str(tmp_path / "70" / "slow.py"), str(tmp_path / "85" / "slow.py"))]
    changes = [check_diff(*traces, "bytes", *options, paired=moved)[(("all", ""),)]["change"] for options in ([], ["--to", "85%"], ["--from", "85%"])]
    assert changes[0] == changes[1] + changes[2] > 0
    check_diff(traces[0], tmp_path / "folder", "bytes")


def test_it_says_what_it_compares(pair, tmp_path):
    (old, _), (new, _) = pair
    text = vbt.vbtrace("flamegraph", "--diff", old, new, check=True).stdout
    totals = [json.loads(vbt.vbtrace("report", "--format", "json", path, check=True).stdout)["totals"]["allocated_bytes"] for path in (old, new)]
    assert f"compared with {old}"[:100] in text and re.search(r"<title>Bytes allocated: [\d.]+ .?.?B, was [\d.]+ .?.?B \(\+", text)
    assert re.search(rf'data-level="0" data-value="\d+" data-change="{totals[1] - totals[0]}"', text)
    hidden = vbt.vbtrace("flamegraph", "--diff", old, "--min", "50%", new, check=True).stdout
    assert re.search(r"Of the difference, [+-]?[\d.]+ .?.?B is in frames not drawn\.", hidden)


def test_reversed(pair):
    (old, _), (new, _) = pair
    picture = drawn(new, "--diff", old, "--reverse", "--min", "0", "--measure", "allocs", "--filter", "file=shelf.py")
    ahead = drawn(new, "--diff", old, "--min", "0", "--measure", "allocs", "--filter", "file=shelf.py")
    assert picture[(("all", ""),)] == ahead[(("all", ""),)]
    by_name = {stack[1][0]: frame["change"] for stack, frame in picture.items() if len(stack) == 2}
    own = collections.Counter()
    for stack, frame in ahead.items():
        below = [below for inner, below in ahead.items() if inner[:-1] == stack]
        if len(stack) > 1:
            own[stack[-1][0]] += frame["change"] - sum(each["change"] for each in below)
    assert by_name == {name: own[name] for name in by_name} and sum(by_name.values()) == sum(own.values())


@pytest.mark.parametrize(
    "options, said",
    [
        (["--grown"], "--diff has no effect with --grown"),
        (["--frames", "line"], "--frames line has no effect with --diff, which compares functions"),
        (["--format", "collapsed"], "--diff has no effect with --format collapsed"),
    ],
)
def test_what_has_no_effect_is_refused(options, said):
    done = vbt.vbtrace("flamegraph", "--diff", golden.trace_of("cpp"), *options, golden.trace_of("cpp"))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"vbtrace: flamegraph: {said}\n")


def test_an_old_trace_that_is_none():
    done = vbt.vbtrace("flamegraph", "--diff", "/nowhere.vbt", golden.trace_of("cpp"))
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("vbtrace: /nowhere.vbt: ")
