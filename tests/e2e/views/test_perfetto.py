"""The export for Perfetto: read by a reader that follows trace_processor's rules, by Perfetto's own
definitions of the format (from its wheel), and by trace_processor itself, where these can be had.
Counters as chrome has them, too."""

import json
import subprocess

import pytest

import export_samples
import foreign_tools
import golden
import perfetto_reader
import vbt

SAID = "perfetto: temporary allocations and threads are left out: the format has neither\n"
MERGED = "perfetto: the processes are shown as one, as their sum\n"
FIELDS = ("allocs", "allocated_bytes", "frees", "freed_bytes")


def exported(path, *options):
    done = vbt.vbtrace("export", "--format", "perfetto", *options, path, text=False, check=True)
    said = "".join(f"vbtrace: warning: {path}: {line}" for line in ([MERGED] if path.is_dir() else []) + [SAID])
    assert options or done.stderr.decode() == said
    return done.stdout


def view(name, *arguments):
    return json.loads(vbt.vbtrace(name, "--format", "json", *arguments, check=True).stdout)


@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_totals_are_ours(name):
    path = export_samples.trace_of(name)
    trace, report = perfetto_reader.Trace(exported(path)), view("report", path)
    totals = report["totals"]
    assert dict(zip(FIELDS, trace.totals())) == {field: totals[field] for field in FIELDS}
    mapped = trace.totals("vbtrace: mapped memory")
    assert mapped == tuple(totals["domains"]["map"][field] for field in FIELDS)
    assert {heap for heap, *_ in trace.deltas} <= {"vbtrace", "vbtrace: mapped memory"}
    ticks = view("timeline", path)["timeline"]
    assert trace.counters["Live heap"] == [(tick["time_ns"], tick["heap_bytes"] + tick["python_bytes"]) for tick in ticks]
    assert trace.counters["Resident set"] == [(tick["time_ns"], tick["rss_bytes"]) for tick in ticks]
    assert trace.processes[0][1] == report["program"]["command"]


def test_stacks_are_those_of_the_tree():
    """Each with its build id, file and line; the outermost frame first, inlined ones apart."""
    path = golden.trace_of("cpp")
    trace = perfetto_reader.Trace(exported(path))
    folded = vbt.vbtrace("export", "--format", "collapsed", path, check=True).stdout.splitlines()
    ours = sorted((len(line.rsplit(" ", 1)[0].split(";")), int(line.rsplit(" ", 1)[1])) for line in folded)
    assert sorted((len(stack), size) for heap, _, stack, _, size, _, _ in trace.deltas if heap == "vbtrace" and size) == ours
    ((stack,),) = [[stack] for _, _, stack, allocs, *_ in trace.deltas if allocs == 1291]
    assert stack[0][3] == "_start" and stack[-1][3].startswith("operator new(")
    named = [(function.split("(")[0], line) for _, _, _, function, file, line in stack if file.endswith("catalogue.cpp")]
    assert named == [("main", 37), ("index_words", 24)]
    assert all(len(build_id) in (0, 40) for _, build_id, *_ in stack) and stack[-1][1]


WORK = """
import time

held = []
for step in range(75):
    held.append([bytes(500) for _ in range(200)])
    if step % 10 == 9:
        del held[:5]
    time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def long_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("perfetto")
    (folder / "work.py").write_text(WORK)
    return vbt.trace(["/usr/bin/python3", "-I", "work.py"], directory=folder).paths[0]


def test_every_moment_is_ours(long_run):
    """What has happened until a dump is what `report --to` says of that moment."""
    trace = perfetto_reader.Trace(exported(long_run))
    times = sorted({time for _, time, *_ in trace.deltas})
    assert len(times) > 1
    for time in (times[0], times[len(times) // 2], times[-2], times[-1]):
        totals = view("report", "--to", f"{time}ns", long_run)["totals"]
        assert dict(zip(FIELDS, trace.totals(until=time))) == {field: totals[field] for field in FIELDS}
        allocs, allocated, frees, freed = trace.totals(until=time)
        assert (allocs - frees, allocated - freed) == (totals["live_blocks"], totals["live_bytes"])


def test_part_of_a_run(long_run):
    """What was live at the beginning is there as the first dump; standard error says so."""
    middle = view("timeline", long_run)["timeline"][-1]["time_ns"] * 9 // 10
    done = vbt.vbtrace("export", "--format", "perfetto", "--from", f"{middle}ns", long_run, text=False, check=True)
    part = view("report", "--from", f"{middle}ns", long_run)
    trace = perfetto_reader.Trace(done.stdout)
    start = part["part"]["from_ns"]
    assert b"what was live at the beginning counts as allocated then" in done.stderr
    whole, live = trace.totals(), trace.totals(until=start)
    assert whole[0] - live[0] == part["totals"]["allocs"] and whole[2] == part["totals"]["frees"]
    assert whole[1] - whole[3] == part["totals"]["live_bytes"]


@pytest.mark.parametrize("options, said", [(["--by", "thread"], "--by: it holds lines, in no groups"), (["--frames", "function"], "--frames: it holds lines, in no groups"), (["--measure", "peak"], "--measure: it holds allocations and frees over time")])
def test_what_it_has_not_is_refused(options, said):
    done = vbt.vbtrace("export", "--format", "perfetto", *options, golden.trace_of("cpp"))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"vbtrace: export --format perfetto does not take {said}\n")


def test_same_bytes_again():
    assert exported(golden.trace_of("script")) == exported(golden.trace_of("script"))


CHECK = """
import sys
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as trace
from google.protobuf.unknown_fields import UnknownFieldSet

def check(message):
    assert len(UnknownFieldSet(message)) == 0, message
    for descriptor, value in message.ListFields():
        if descriptor.type == descriptor.TYPE_MESSAGE:
            for each in value if hasattr(value, "append") or hasattr(value, "add") else [value]:
                check(each)

for path in sys.argv[1:]:
    read = trace.Trace()
    read.ParseFromString(open(path, "rb").read())
    check(read)
    samples = [sample for packet in read.packet for dump in packet.profile_packet.process_dumps for sample in dump.samples]
    print(len(read.packet), len(samples))
"""


def files(folder):
    """An export of each sample."""
    paths = []
    for name in export_samples.SAMPLES:
        paths.append(folder / f"{name}.pftrace")
        paths[-1].write_bytes(exported(export_samples.trace_of(name)))
    return paths


def test_its_own_definitions_know_every_field(tmp_path):
    python, why = foreign_tools.perfetto()
    if python is None:
        pytest.skip(why)
    paths = files(tmp_path)
    done = subprocess.run([python, "-c", CHECK, *paths], capture_output=True, text=True, timeout=vbt.TIMEOUT)
    assert done.returncode == 0, done.stderr
    for line, path in zip(done.stdout.splitlines(), paths, strict=True):
        packets = perfetto_reader.message(path.read_bytes())[1]
        trace = perfetto_reader.Trace(path.read_bytes())
        assert [int(word) for word in line.split()] == [len(packets), len(trace.deltas)]


ASK = """
import json, sys
from perfetto.trace_processor import TraceProcessor

for path in sys.argv[1:]:
    with TraceProcessor(trace=path) as processor:
        heaps = "select heap_name as heap, sum(max(count, 0)) as allocs, sum(max(size, 0)) as allocated, -sum(min(count, 0)) as frees, -sum(min(size, 0)) as freed from heap_profile_allocation group by 1"
        counters = "select t.name as name, c.ts as ts, c.value as value from counter c join counter_track t on c.track_id = t.id order by c.ts"
        errors = "select name from stats where severity in ('error', 'data_loss') and value > 0"
        print(json.dumps([[[row.heap, row.allocs, row.allocated, row.frees, row.freed] for row in processor.query(heaps)],
                          [[row.name, row.ts, row.value] for row in processor.query(counters)],
                          [row.name for row in processor.query(errors)]]))
"""


def test_trace_processor_reads_it(tmp_path):
    """And the counters of chrome's format."""
    python, why = foreign_tools.trace_processor()
    if python is None:
        pytest.skip(why)
    paths = files(tmp_path)
    for name in export_samples.SAMPLES:
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(vbt.vbtrace("export", "--format", "chrome", export_samples.trace_of(name), check=True).stdout)
    done = subprocess.run([python, "-c", ASK, *paths], capture_output=True, text=True, timeout=vbt.TIMEOUT)
    assert done.returncode == 0, done.stderr
    for line, path in zip(done.stdout.splitlines(), paths, strict=True):
        heaps, counters, errors = json.loads(line)
        assert errors == []
        ticks = view("timeline", export_samples.trace_of(path.stem))["timeline"]
        resident = [value for name, _, value in counters if name == "Resident set"]
        assert resident == [tick["rss_bytes"] for tick in ticks]
        if path.suffix == ".pftrace":
            trace = perfetto_reader.Trace(path.read_bytes())
            assert {heap: tuple(counts) for heap, *counts in heaps} == {heap: trace.totals(heap) for heap, *_ in trace.deltas}
