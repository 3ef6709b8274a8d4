"""What vbtrace intervals shows: of which call stacks, of how many iterations, and what it lacks."""

import csv
import io
import json
import re

import pytest

import trace_reader
import vbt


@pytest.fixture(scope="module")
def trace_path():
    return vbt.trace([vbt.compiled("sections.c", "-O0")], env={"VBTRACE_NATIVE": "full"}).paths[0]


def printed(*arguments, width="160"):
    done = vbt.vbtrace(*arguments, env={"COLUMNS": width})
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def sections(*arguments):
    """{label: (allocations, bytes, net)} of all runs together."""
    rows = json.loads(printed("intervals", "--format", "json", *arguments))["intervals"]
    names = ("allocs", "allocated_bytes", "net_bytes")
    return {row["label"]: tuple(row[name]["total"] for name in names) for row in rows if row["kind"] == "section"}


def test_filters_select_call_stacks(trace_path):
    """In intervals as in every other table, and in those of the report."""
    every = sections(trace_path)
    assert every == {"counted": (10, 300, 0), "plain": (9, 3700, 3000), "many lines": (11, 66, 0)}
    kept, dropped = sections("--filter", "function=^keep$", trace_path), sections("--filter", "function!=^keep$", trace_path)
    assert kept == {"plain": (2, 3000, 3000)}
    assert dropped == every | {"plain": (7, 700, 0)}
    assert sections("--filter", "domain=heap", trace_path) == every
    assert sections("--filter", "plain", trace_path) == {"plain": every["plain"]}  # a text selects rows
    reported = json.loads(printed("report", "--format", "json", "--filter", "function=^keep$", trace_path))["intervals"]
    assert [(row["label"], row["allocs"]["total"]) for row in reported if row["kind"] == "section"] == [("plain", 2)]


def test_domains_of_a_section_are_those_of_its_requests():
    """Counted by hand in the trace. What Python's allocator takes from malloc for large blocks, and
    for a list that grows, is Python's; what code in C asks of malloc is the heap's."""
    code = """
import ctypes, vbtrace
malloc = ctypes.CDLL(None).malloc
malloc.restype = ctypes.c_void_p
malloc(8)
with vbtrace.section("objects"):
    kept = [bytes(1000) for i in range(10000)]
with vbtrace.section("blocks"):
    for i in range(1000):
        malloc(100)
"""
    path = vbt.trace(["/usr/bin/python3", "-c", code], python_paths=[vbt.MODULE_DIRECTORY]).paths[0]
    trace = trace_reader.Trace(path)
    counted = {}
    for (interval, node), row in trace.interval_sites.items():
        label = trace.strings[trace.intervals[interval]["label"]]
        domain = trace_reader.DOMAINS[trace.nodes[node][2]]
        allocs, allocated, net = counted.get((label, domain), (0, 0, 0))
        counted[label, domain] = allocs + row["allocs"], allocated + row["allocated_bytes"], net + row["allocated_bytes"] - row["freed_bytes"]
    every, shown = sections(path), {}
    for domain in trace_reader.DOMAINS:
        only = json.loads(vbt.vbtrace("intervals", "--format", "json", "--filter", f"domain={domain}", path).stdout)["intervals"]
        shown.update({(row["label"], domain): tuple(row[name]["total"] for name in ("allocs", "allocated_bytes", "net_bytes")) for row in only if row["kind"] == "section"})
    assert shown == counted
    assert shown["objects", "python"] == every["objects"] and ("objects", "heap") not in shown
    assert shown["objects", "python"][0] >= 10_000 and shown["objects", "python"][2] >= 10_000_000
    assert shown["blocks", "heap"] == (1000, 100_000, 100_000)
    for label in ("objects", "blocks"):
        parts = [shown[label, domain] for domain in trace_reader.DOMAINS if (label, domain) in shown]
        assert tuple(map(sum, zip(*parts))) == every[label]


def test_of_some_stacks_no_extremes_are_known(trace_path):
    """Neither how much of theirs was live: the cells are empty, not those of all stacks."""
    options = ("--filter", "function=^keep$", trace_path)
    (row,) = json.loads(printed("intervals", "--format", "json", *options))["intervals"]
    assert row["allocs"] == {"min": None, "mean": 2.0, "max": None, "total": 2}
    assert set(row["high_bytes"].values()) == {None} and row["time_ns"]["min"] > 0
    (cells,) = csv.DictReader(io.StringIO(vbt.vbtrace("intervals", "--format", "csv", *options).stdout))
    assert (cells["allocs_min"], cells["allocs_mean"], cells["high_bytes_mean"]) == ("", "2", "") and cells["time_min_ns"]
    (row,) = json.loads(printed("intervals", "--format", "json", "--filter", "plain", trace_path))["intervals"]
    assert row["allocs"]["min"] == 9 and row["high_bytes"]["max"] >= 3000


def cells(text, label):
    """{title: cell} of a section."""
    titles, _, *rows = text.splitlines()
    row = next(row for row in rows if row.startswith(label))
    found = {}
    for match in re.finditer(r"\S+( \S+)*", titles):
        found[match[0]] = row[: match.end()].rsplit("  ", 1)[-1].strip()
    return found


def test_sections_without_iterations_have_their_cost(trace_path):
    for width in ("160", "100"):
        text = printed("intervals", trace_path, width=width)
        row = cells(text, "plain")
        assert (row["Allocs"], row["Bytes"]) == ("9", "3,700 B"), text
        assert cells(text, "counted")["Allocs/iter"] == "1.000"
        assert row.get("Net", "3,000 B") == "3,000 B"
    only = printed("intervals", "--filter", "plain", trace_path, width="80")
    assert cells(only, "plain")["Net"] == "3,000 B" and "/iter" not in only and "Iterations" not in only
    assert "Allocs/iter" in printed("intervals", "--filter", "plain", "--per", "3", trace_path)


def test_sites_have_a_row_for_the_rest(trace_path):
    text = printed("intervals", "--sites", "--filter", "many lines", trace_path)
    counts = [line.split() for line in text.splitlines() if line.startswith("    ")]
    assert len(counts) == 9 and counts[-1][:3] == ["3", "other", "lines"] and counts[-1][3] == "3.000", text
    assert "other line" not in printed("intervals", "--sites", "--filter", "plain", trace_path)


def test_sections_that_are_not_there_are_counted():
    path = vbt.trace([vbt.compiled("many_sections.c")], silent=False).paths[0]
    lost = vbt.Report(path).totals["lost"]["intervals"]
    assert lost > 0
    said = f"{lost:,} intervals or sections were not recorded: there is room for 16,384 different ones, and for 32 sections inside one another. Labels that are used again make fewer."
    assert printed("intervals", path, width="300").splitlines()[-1] == said
    assert len(json.loads(printed("intervals", "--format", "json", path))["intervals"]) == 16384
    assert json.loads(printed("intervals", "--format", "json", path))["lost"]["intervals"] == lost
    done = vbt.vbtrace("intervals", "--format", "csv", path)
    assert said not in done.stdout and done.stderr == f"vbtrace: warning: {path}: {said}\n"


def test_sections_that_did_not_end_are_named(trace_path):
    line = vbt.line_of(vbt.program("sections.c"), 'vbtrace_begin("open", 0);')
    said = f"1 section did not end while recording was on, and is not counted: open (sections.c:{line})."
    assert printed("intervals", trace_path).splitlines()[-2:] == ["", said]
    assert f"- {said}" in printed("report", trace_path).splitlines()
    done = vbt.vbtrace("intervals", "--format", "csv", trace_path)
    assert done.stderr == f"vbtrace: warning: {trace_path}: {said}\n" and "open" not in done.stdout
    for command in ("intervals", "report"):
        reported = json.loads(printed(command, "--format", "json", trace_path))
        (row,) = reported["unended_sections"]
        assert (row["label"], row["from"]["line"], row["count"]) == ("open", line, 1)
        assert "open" not in {row["label"] for row in reported["intervals"]}
        assert command == "intervals" or said in reported["notes"]
    assert said not in printed("intervals", "--filter", "plain", trace_path)


def test_sections_in_which_recording_stops_or_the_program_ends():
    """In Python, by an exception or a signal; a child does not have its parent's."""
    code = """
import os, signal, vbtrace
def begin(label, **options):
    vbtrace.section(label, **options).__enter__()
with vbtrace.section("whole"):
    pass
begin("forked")
if os.fork() == 0:
    begin("of the child")
    os._exit(0)
os.wait()
begin("stopped")
vbtrace.stop()
vbtrace.start()
begin("killed")
begin("killed")
os.kill(os.getpid(), signal.SIGKILL)
"""
    run = vbt.trace(["/usr/bin/python3", "-c", code], python_paths=[vbt.MODULE_DIRECTORY], status=-9, silent=False)
    found = [{row["label"]: row["count"] for row in vbt.Report(path).json["unended_sections"]} for path in run.paths]
    assert sorted(found, key=len) == [{"of the child": 1}, {"forked": 1, "stopped": 1, "killed": 2}]
