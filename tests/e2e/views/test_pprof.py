"""The export for pprof, read back by our own reader and by pprof itself."""

import json
import re
import shutil
import subprocess

import pytest

import export_samples
import golden
import pprof_reader
import vbt

NAMES = {
    "allocs": "alloc_objects",
    "allocated_bytes": "alloc_space",
    "live_blocks": "inuse_objects",
    "live_bytes": "inuse_space",
    "at_peak_bytes": "peak_space",
    "temporary_allocs": "temporary_objects",
}


def exported(path, *options):
    done = vbt.vbtrace("export", "--format", "pprof", *options, path, text=False, check=True)
    assert done.stderr == b""
    return done.stdout


def tree_of(path, *options):
    """The call tree as JSON, which knows what was counted at each call itself."""
    return json.loads(vbt.vbtrace("tree", "--format", "json", *options, path, check=True).stdout)


@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_totals_are_ours(name):
    profile = pprof_reader.Profile(exported(export_samples.trace_of(name)))
    report = json.loads(vbt.vbtrace("report", "--format", "json", export_samples.trace_of(name), check=True).stdout)
    ours = report["totals"]
    expected = {NAMES[field]: ours[field] for field in NAMES if field in ours}
    expected["peak_space"] = sum(line["at_peak_bytes"] for line in report["lines"])
    assert profile.totals() == expected
    assert profile.default == "alloc_space" and profile.duration == report["program"]["duration_ns"]
    assert profile.started == report["program"]["started_ns"] and report["program"]["command"] in profile.comments
    assert profile.mappings[0][0] == report["program"]["exe"] and re.fullmatch("[0-9a-f]{40}", profile.mappings[0][1])


def test_stacks_and_inlined_frames_are_ours():
    """Frame by frame those of the collapsed stacks, which show a function once for each inlined
    call."""
    trace = golden.trace_of("cpp")
    profile = pprof_reader.Profile(exported(trace))
    folded = vbt.vbtrace("export", "--format", "collapsed", trace, check=True).stdout.splitlines()
    depths = sorted((len(line.rsplit(" ", 1)[0].split(";")), int(line.rsplit(" ", 1)[1])) for line in folded)
    assert depths == sorted((len(frames), counted["alloc_space"]) for frames, counted, _ in profile.samples if counted["alloc_space"])
    assert any(len(lines) > 1 for lines in profile.locations.values())
    (leaf,) = [frames for frames, counted, _ in profile.samples if counted["alloc_objects"] == 1291]
    assert [frame[0].split("(")[0] for frame in leaf if frame[1].endswith("catalogue.cpp")] == ["main", "index_words"]
    assert ("index_words", 24) in [(frame[0].split("(")[0], frame[2]) for frame in leaf]


@pytest.mark.parametrize("by, label", [("thread", "producer (thread 2)"), ("module", None), ("domain", "[heap]")])
def test_groups_are_labels(by, label):
    profile = pprof_reader.Profile(exported(golden.trace_of("threads"), "--by", by))
    sums = {}
    for frames, counted, labels in profile.samples:
        assert set(labels) == {by} and labels[by] not in [frame[0] for frame in frames]
        sums[labels[by]] = sums.get(labels[by], 0) + counted["alloc_space"]
    calls = tree_of(golden.trace_of("threads"), "--by", by)["calls"]
    ours = {call["function"]: call["cumulative_allocated_bytes"] for call in calls if call["depth"] == 1}
    assert sums == ours and (label is None or label in sums)


@pytest.mark.parametrize("measure, name", [("bytes", "alloc_space"), ("allocs", "alloc_objects"), ("peak", "peak_space"), ("leaks", "inuse_space"), ("temporary", "temporary_objects")])
def test_measure_is_shown_first(measure, name):
    assert pprof_reader.Profile(exported(golden.trace_of("cpp"), "--measure", measure)).default == name


def test_filter_counts_stacks():
    profile = pprof_reader.Profile(exported(golden.trace_of("cpp"), "--filter", "function=index_words"))
    assert all(any("index_words" in frame[0] for frame in frames) for frames, _, _ in profile.samples)
    assert 0 < profile.totals()["alloc_objects"] < 11342


def test_same_bytes_again():
    assert exported(golden.trace_of("numpy")) == exported(golden.trace_of("numpy"))


def test_reverse_is_refused():
    done = vbt.vbtrace("export", "--format", "pprof", "--reverse", golden.trace_of("cpp"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "vbtrace: export --format pprof does not take --reverse: its readers turn stacks round themselves\n"


@pytest.mark.skipif(shutil.which("go") is None, reason="go, whose pprof reads the profile, is not installed")
@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_pprof_reads_it(name, tmp_path):
    """The sums that pprof itself prints, to the byte and the count; and it can be written again."""
    path = tmp_path / "profile.pb.gz"
    path.write_bytes(exported(export_samples.trace_of(name)))
    expected = pprof_reader.Profile(path.read_bytes()).totals()
    for index, total in expected.items():
        unit = "B" if index.endswith("space") else "count"
        top = pprof("-top", f"-sample_index={index}", f"-unit={unit}", path)
        shown = re.search(r"of ([\d.]+)(B|) total", top)
        assert (shown is None and total == 0) or round(float(shown[1])) == total, (index, top[:300])
    raw = pprof("-raw", path)
    assert len(re.findall(r"^ *\d+: 0x", raw.split("Locations")[1].split("Mappings")[0], re.MULTILINE)) == len(pprof_reader.Profile(path.read_bytes()).locations)


def pprof(*arguments):
    """The last is the profile, in a folder of the test's: go writes into its home."""
    home = arguments[-1].parent
    environment = {**vbt.environment(), "HOME": home, "PPROF_TMPDIR": home, "GOTOOLCHAIN": "local", "GOCACHE": "/tmp/vbtrace-go", "GOFLAGS": "-mod=mod"}
    done = subprocess.run(["go", "tool", "pprof", *map(str, arguments)], capture_output=True, text=True, env=environment, timeout=vbt.TIMEOUT)
    assert done.returncode == 0, done.stderr
    return done.stdout
