"""Mapped memory: every call counted at its line, to the page; and the parts of the resident set."""

import json
import re
import resource

import pytest

import vbt
from conservation import check_by_second_reader, check_laws

SOURCE = vbt.program("mapped_memory.c")
PAGE = resource.getpagesize()
MIB = 2**20


def traced(which, **options):
    return vbt.trace([vbt.compiled(SOURCE.name, "-O1"), which], **options)


def map_lines(report):
    """Counts of the map domain by (file, line)."""
    done = vbt.vbtrace("lines", "--by", "leaf", "--filter", "domain=map", "--limit", "0", "--format", "json", report.path)
    assert done.returncode == 0, done.stderr
    return {(row["file"], row["line"]): row for row in json.loads(done.stdout)["lines"]}


def line_of(comment):
    return vbt.line_of(SOURCE, "// " + comment)


def check_maps(report, **lost):
    """The domain's totals equal those of its kinds, of its lines, and of the second reader."""
    check_laws(report, **lost)
    reported = report.totals["domains"]["map"]
    for name in ("allocs", "frees", "allocated_bytes", "freed_bytes", "live_blocks", "live_bytes", "temporary_allocs"):
        assert reported[name] == sum(kind[name] for kind in reported["kinds"].values()), name
        assert reported[name] == sum(row[name] for row in map_lines(report).values()), name
    assert report.trace.state.get(101) == reported["live_bytes"]
    assert report.trace.domain("map") == {field: sum(kind[field] for kind in report.trace.maps) for field in report.trace.domain("map")}
    assert reported["live_bytes"] <= reported["highest_bytes"] <= reported["inherited_bytes"] + reported["allocated_bytes"]


def test_every_call():
    """Partial and spanning munmap, MAP_FIXED over others, mremap, brk, files, refused calls."""
    report = traced("traps").report
    expected = vbt.truths(SOURCE, P=PAGE)
    forked = vbt.line_of(SOURCE, "static void forked(void) {")
    expected = {line: counts for line, counts in expected.items() if line < forked}
    found = map_lines(report)
    assert vbt.wrong_lines(found, SOURCE, expected) == ""
    assert {line for file, line in found if file == str(SOURCE)} == {line for line, counts in expected.items() if counts["allocs"]}
    assert report.totals["unknown_frees"]["map"] == 4  # two calls cross holes, two name pages mapped by a raw system call
    kinds = report.totals["domains"]["map"]["kinds"]
    assert (kinds["file"]["allocs"], kinds["file"]["live_bytes"]) == (2, 4 * PAGE)
    assert kinds["arena"]["allocs"] == 0
    check_maps(report)


def test_threads_hand_addresses_round():
    """The kernel gives what one thread unmaps to another at once: nothing is counted twice, nothing
    is lost."""
    report = traced("threads").report
    found = map_lines(report)
    hammer, mover = found[str(SOURCE), line_of("the hammer")], found[str(SOURCE), line_of("and the mover")]
    assert hammer["allocs"] == 8 * 4000 and mover["allocs"] > 0
    for row in (hammer, mover):
        assert row["allocs"] == row["frees"] and row["allocated_bytes"] == row["freed_bytes"] and row["live_bytes"] == 0
    shared = found[str(SOURCE), line_of("mapped by one, unmapped by all")]
    assert (shared["allocs"], shared["frees"], shared["freed_bytes"], shared["live_bytes"]) == (1, 0, 8 * PAGE, PAGE)
    assert report.totals["unknown_frees"]["map"] == 0
    check_maps(report)


def test_a_child_inherits_the_books():
    child, parent = sorted(traced("fork").reports, key=lambda report: report.json["end_reason"] != "_exit")
    mapped = line_of("of the child")
    inherited = child.totals["domains"]["map"]
    assert (inherited["inherited_blocks"], inherited["inherited_bytes"]) == (1, 7 * PAGE)
    assert (inherited["allocs"], inherited["frees"], inherited["freed_bytes"], inherited["live_bytes"]) == (1, 1, 7 * PAGE, 2 * PAGE)
    assert map_lines(child)[str(SOURCE), mapped]["live_bytes"] == 2 * PAGE
    assert child.totals["unknown_frees"]["map"] == 0
    reported = parent.totals["domains"]["map"]
    assert (reported["allocs"], reported["frees"], reported["live_bytes"]) == (1, 0, 7 * PAGE)
    for report in (child, parent):
        check_maps(report)


def test_clones_during_mmaps_of_other_threads():
    """A child forked while its parent's books were being written does not know them and says so;
    all others do."""
    run = traced("clones")
    (parent,) = [report for report in run.reports if report.json["end_reason"] == "exit"]
    children = [report for report in run.reports if report is not parent]
    assert len(children) == 10
    check_maps(parent)
    row = map_lines(parent)[str(SOURCE), line_of("while others fork")]
    assert row["allocs"] == row["frees"] > 0 and row["live_bytes"] == 0 and parent.totals["unknown_frees"]["map"] == 0
    for child in children:
        reported = child.totals["domains"]["map"]
        own = map_lines(child)[str(SOURCE), line_of("of a clone")]
        assert (own["allocs"], own["frees"], own["live_bytes"]) == (1, 0, PAGE)
        if child.totals["lost"]["maps"]:
            check_maps(child, maps=child.totals["lost"]["maps"])
            assert (reported["inherited_blocks"], reported["allocs"], child.totals["unknown_frees"]["map"]) == (0, 1, 1)
        else:
            check_maps(child)
            assert 1 <= reported["inherited_blocks"] <= 1 + 4 and child.totals["unknown_frees"]["map"] == 0
            assert reported["freed_bytes"] == 8 * PAGE


def test_resident_set():
    """64 MiB mapped and written, and half of a block of 32 MiB written; the parts add up."""
    report = traced("resident").report
    for time in ("latest", "highest"):
        at = report.json["resident"][time]
        parts = [at[name] for name in at if name.endswith("_bytes") and name not in ("rss_bytes", "heap_bytes", "live_bytes", "not_resident_bytes")]
        assert sum(parts) == at["rss_bytes"] and at["in_use_bytes"] + at["fragmentation_bytes"] == at["heap_bytes"]
        assert at["anonymous_bytes"] == 64 * MIB and at["file_bytes"] >= PAGE
        # The block's first page holds the allocator's header: one page more than the program wrote.
        assert 16 * MIB <= at["heap_bytes"] <= 16 * MIB + 64 * PAGE and at["live_bytes"] >= 32 * MIB
        assert at["not_resident_bytes"] == at["live_bytes"] - at["heap_bytes"]
        assert at["program_bytes"] > 0 and at["vbtrace_bytes"] > 0 and 0 < at["stack_bytes"] <= MIB
        assert at["unknown_bytes"] <= MIB
    shown = vbt.vbtrace("report", report.path).stdout
    assert "Resident set" in shown and "heap, in use" in shown
    check_maps(report)


def test_mmap_of_python(interpreter, tmp_path):
    """The mappings of the module mmap are counted at their lines; the interpreter's arenas at
    none."""
    (tmp_path / "script.py").write_text(
        "import mmap, os\n"
        "def work():\n"
        "    a = mmap.mmap(-1, 10 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE)\n"
        "    a.resize(20 * mmap.PAGESIZE)\n"
        "    with open(__file__, 'rb') as file:\n"
        "        b = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\n"
        "    a.close()\n"
        "    return b\n"
        "kept = work()\n"
        "many = [object() for _ in range(100000)]\n"
        "os._exit(0)\n"
    )
    report = vbt.trace([interpreter.path, tmp_path / "script.py"]).report
    found = {line: row for (file, line), row in map_lines(report).items() if file == str(tmp_path / "script.py")}
    assert sorted(found) == [3, 4, 6]
    expected = {3: (1, 1, 10, 10), 4: (1, 1, 20, 20), 6: (1, 0, 1, 0)}
    for line, counts in expected.items():
        row = found[line]
        assert (row["allocs"], row["frees"], row["allocated_bytes"] // PAGE, row["freed_bytes"] // PAGE) == counts, line
    reported = report.totals["domains"]["map"]["kinds"]
    assert reported["file"]["live_bytes"] >= PAGE and reported["arena"]["live_bytes"] >= 100000 * 16
    check_maps(report)
    check_by_second_reader(report)


def test_maps_are_shown_apart():
    """Mapped memory is in no line, peak or leak of the heap, but in all of these if requested."""
    report = traced("resident").report
    assert report.totals["allocated_bytes"] == report.heap["allocated_bytes"]
    for command in ("leaks", "peak", "lines"):
        usual = vbt.vbtrace(command, report.path).stdout
        asked = vbt.vbtrace(command, "--filter", "domain=map", report.path).stdout
        assert "64.0 MiB" in asked and ("64.0 MiB" in usual) == (command == "leaks"), command
    assert "Also still mapped: 2 mappings, 64.0 MiB" in vbt.vbtrace("leaks", report.path).stdout


@pytest.mark.parametrize("allocator", vbt.ALLOCATORS)
def test_arenas_of_other_allocators(allocator):
    """The memory of their blocks is heap, however they obtained it."""
    vbt.needs_library(allocator)
    report = traced("resident", preload=[allocator]).report
    at = report.json["resident"]["latest"]
    assert at["anonymous_bytes"] == 64 * MIB and 16 * MIB <= at["heap_bytes"] <= 34 * MIB
    check_maps(report)


def test_arenas_without_blocks():
    """What an allocator keeps after everything was freed is fragmentation of the heap."""
    at = traced("arenas").report.json["resident"]["latest"]
    assert at["fragmentation_bytes"] >= 8 * 64 * 1024 and at["unknown_bytes"] <= 64 * 1024


@pytest.mark.parametrize("held", [0, 2])
def test_peak_of_a_short_run(held):
    """What no snapshot saw is not said to be seen: neither when the peak was, nor what was resident
    then."""
    code = f"import time; block = bytearray(120_000_000); time.sleep({held}); del block; time.sleep(0.1)"
    report = vbt.trace(["/usr/bin/python3", "-S", "-c", code]).report
    shown = vbt.vbtrace("report", report.path).stdout
    assert re.search(r"Peak heap +11[4-9]\.\d MiB before \d", shown)
    highest = report.json["resident"]["highest"]["rss_bytes"]
    missed = report.totals["max_rss_bytes"] > highest * 9 / 8
    assert ("Highest taken" in shown) == missed and ("At its highest" in shown) == (not missed)
    assert not missed or re.search(r"\nHighest taken: breakdown taken at \S+ \S+, not at the peak of 1[2-4]\d", shown)
    assert report.totals["max_rss_bytes"] >= 120_000_000
    assert held == 0 or not missed
