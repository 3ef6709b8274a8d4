"""The export for pprof, read back by our own reader and by pprof itself."""

import collections
import csv
import io
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


TIMED = "pprof: time and hits are those of single lines: call stacks have none\n"


def exported(path, *options, said=None):
    done = vbt.vbtrace("export", "--format", "pprof", *options, path, text=False, check=True)
    said = TIMED if path == golden.trace_of("counted") else said
    assert done.stderr.decode() == (f"vbtrace: warning: {path}: {said}" if said else "")
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
    if name == "counted":
        rows = list(csv.DictReader(io.StringIO(vbt.vbtrace("lines", "--format", "csv", export_samples.trace_of(name), check=True).stdout)))
        expected |= {"time": sum(int(row["own_time_ns"]) for row in rows), "hits": sum(int(row["hits"]) for row in rows)}
        assert expected["hits"] > 1000
    assert profile.totals() == expected
    assert profile.default == "alloc_space" and profile.duration == report["program"]["duration_ns"]
    assert profile.started == report["program"]["started_ns"] and report["program"]["command"] in profile.comments
    assert profile.mappings[0][0] == report["program"]["exe"] and re.fullmatch("[0-9a-f]{40}" if name in golden.SAMPLES else "([0-9a-f]{40})?", profile.mappings[0][1])


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
        assert set(labels) == {by, "pid"} and labels[by] not in [frame[0] for frame in frames]
        sums[labels[by]] = sums.get(labels[by], 0) + counted["alloc_space"]
    calls = tree_of(golden.trace_of("threads"), "--by", by)["calls"]
    ours = {call["function"]: call["cumulative_allocated_bytes"] for call in calls if call["depth"] == 1}
    assert sums == ours and (label is None or label in sums)


def sums_by(profile, label, measure="alloc_space"):
    sums = {}
    for _, counted, labels in profile.samples:
        sums[labels.get(label)] = sums.get(labels.get(label), 0) + counted[measure]
    return sums


def test_threads_and_processes_are_labels():
    """Without being asked for: of several threads, or of several processes."""
    trace = golden.trace_of("threads")
    calls = tree_of(trace, "--by", "thread")["calls"]
    by_thread = {call["function"]: call["cumulative_allocated_bytes"] for call in calls if call["depth"] == 1}
    profile = pprof_reader.Profile(exported(trace))
    assert len(by_thread) > 2 and sums_by(profile, "thread") == by_thread and None not in sums_by(profile, "pid")
    folder = golden.trace_of("workers")
    rows = json.loads(vbt.vbtrace("list", "--format", "json", folder, check=True).stdout)["processes"]
    assert sums_by(pprof_reader.Profile(exported(folder)), "pid", "alloc_objects") == {row["pid"]: row["allocs"] for row in rows if row["allocs"]}


def test_rank_is_a_label(tmp_path):
    run = vbt.trace(["/usr/bin/python3", "-I", "-c", "x = [bytes(100)]"], directory=tmp_path, env={"OMPI_COMM_WORLD_RANK": "3"})
    profile = pprof_reader.Profile(exported(run.paths[0]))
    assert set(sums_by(profile, "rank")) == {"3"} and len(sums_by(profile, "pid")) == 1


def test_sections_are_labels(tmp_path):
    """A section within another has what it did itself, the other the rest; what is live at the end
    has no section. Sums stay the whole."""
    trace = vbt.trace([vbt.compiled("nested_sections.c")], directory=tmp_path).paths[0]
    profile = pprof_reader.Profile(exported(trace))
    blocks, line = {}, vbt.line_of(vbt.program("nested_sections.c"), "// kept")
    for frames, counted, labels in profile.samples:
        if frames and frames[-1][2] == line:
            sums = blocks.setdefault(labels.get("section"), collections.Counter())
            sums.update({name: counted[name] for name in ("alloc_objects", "alloc_space", "inuse_objects")})
    found = {section: tuple(sums.values()) for section, sums in blocks.items()}
    assert found == {None: (5, 500, 1335), "outer": (30, 3000, 0), "inner": (300, 30000, 0), "later": (1000, 100000, 0)}
    totals = json.loads(vbt.vbtrace("report", "--format", "json", trace, check=True).stdout)["totals"]
    assert profile.totals()["alloc_objects"] == totals["allocs"] and profile.totals()["inuse_space"] == totals["live_bytes"]


TWICE = """
import vbtrace


def down(n):
    with vbtrace.section("down"):
        return [bytes(100)] + (down(n - 1) if n else [])


held = down(3)
"""


def test_sections_that_cannot_be_told_apart(tmp_path):
    (tmp_path / "twice.py").write_text(TWICE)
    trace = vbt.trace(["/usr/bin/python3", "twice.py"], directory=tmp_path, python_paths=[vbt.MODULE_DIRECTORY]).paths[0]
    profile = pprof_reader.Profile(exported(trace, said="pprof: sections are left out, since it is not known which of their runs lay in which\n"))
    assert set(sums_by(profile, "section")) == {None}


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
        unit = "B" if index.endswith("space") else "ns" if index == "time" else "count"
        top = pprof("-top", f"-sample_index={index}", f"-unit={unit}", path)
        shown = re.search(r"of ([\d.]+)(B|ns|) total", top)
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
