"""What is recorded, and what is reported: stops and starts inside a run, limits, suppressions."""

import json
import time

import pytest

import vbt
from conservation import check_laws

SOURCE = vbt.program("pauses.c")


def traced(way, **options):
    return vbt.trace([vbt.compiled(SOURCE.name, "-O0", "-fno-builtin"), way], **options)


def counts(report, comment):
    return report.blocks_at(SOURCE, comment)


def pauses_note(report):
    return [note for note in report.json["notes"] if note.startswith("Recording was stopped")]


def test_stop_and_start():
    """Allocations meanwhile are not recorded, frees of recorded blocks are, in all threads."""
    report = traced("stop").report
    assert counts(report, "N before") == (1000, 600, 400, 4_000)  # 300, 100 in a thread, 100 + 100 by realloc
    assert counts(report, "none of these is recorded") == (0, 0, 0, 0)
    assert counts(report, "ends the old block, and records no new one") == (0, 0, 0, 0)
    assert counts(report, "100 after") == (100, 0, 100, 3_000)
    assert counts(report, "N after") == (1000, 0, 1000, 40_000)
    mapped = report.totals["domains"]["map"]
    assert (mapped["allocs"], mapped["frees"], mapped["live_bytes"]) == (1, 1, 0)
    assert report.totals["unknown_frees"]["heap"] >= 1100 and report.totals["pauses"] == 1 and report.totals["paused_ns"] > 0
    assert len(pauses_note(report)) == 1
    check_laws(report)
    assert [row["label"] for row in report.json["intervals"] if row["label"]] == ["whole"]
    assert report.intervals("whole")[0]["allocs"]["total"] == 1000


def test_children_of_a_stopped_process():
    run = traced("fork")
    child, parent = sorted(run.reports, key=lambda report: -report.totals["inherited_blocks"])
    assert counts(parent, "N before the fork") == (1000, 0, 1000, 10_000) and counts(parent, "N in the child") == (0, 0, 0, 0)
    assert counts(child, "N before the fork") == (0, 100, 900, 9_000) and counts(child, "N in the child") == (1000, 0, 1000, 40_000)
    assert parent.totals["pauses"] == child.totals["pauses"] == 1
    check_laws(child)
    check_laws(parent)


LATE = 0.04  # seconds, less than to the next allocation


@pytest.mark.parametrize("options", [{"DELAY": 0.35}, {"DURATION": 0.35}, {"DELAY": 0.25, "DURATION": 0.3}, {"DELAY": 100}])
def test_by_the_clock(options):
    """Never too early, and the start never too late: each event checks the clock. The helper
    stops recording, which a busy machine may delay, but not every time."""
    for _ in range(100):
        launched = time.monotonic()
        run = traced("clock", env={f"VBTRACE_{name}": str(value) for name, value in options.items()})
        begun, *moments = run.printed
        begun, moments = begun / 1e9, [(before / 1e9, after / 1e9) for before, after in moments]
        starts = options.get("DELAY", 0)
        stops = starts + options.get("DURATION", 1000)
        # The library's clock starts between launched and begun.
        certain = [after for before, after in moments if begun + starts <= before and after <= launched + stops]
        possible = [before for before, after in moments if launched + starts <= after]
        on_time = [before for before in possible if before <= begun + stops + LATE]
        allocs, pauses = counts(run.report, "one a tenth")[0], run.report.totals["pauses"]
        assert len(certain) <= allocs <= len(possible) and run.report.json["complete"]
        if allocs <= len(on_time) and pauses == len(options):
            return
        assert "DURATION" in options and pauses in (len(options), len(options) - 1), (allocs, pauses, options)
    pytest.fail(f"stopped too late, every time: {allocs} allocations, not {len(on_time)}")


def test_until_the_program_starts_it():
    report = traced("until-start", env={"VBTRACE_DELAY": "start"}).report
    assert counts(report, "N since the start") == (1000, 0, 1000, 40_000) and report.heap["allocs"] == 1000
    assert report.totals["unknown_frees"]["heap"] >= 1000
    check_laws(report)


def test_python(interpreter):
    """Whether the interpreter's start is recorded or not; code created meanwhile is identified
    correctly, also after it was freed."""
    for env in ({}, {"VBTRACE_DELAY": "start"}):
        program = vbt.program("pauses.py")
        report = vbt.trace([interpreter.path, program], python_paths=[vbt.MODULE_DIRECTORY], env=env).report
        assert not vbt.wrong_lines(report.by_line(), program, vbt.truths(program))
        check_laws(report)


def leaks(path, *options):
    done = vbt.vbtrace("leaks", "--ungroup", *options, path)
    return done.returncode, done.stdout + done.stderr


def test_suppressions(tmp_path):
    """As LeakSanitizer's: part of the name of a function, a file or a module, anywhere in the
    stack."""
    run = traced("until-start")
    patterns = tmp_path / "known"
    for text, left in (
        ("# nothing\n\n", True),
        ("leak:until_start\n", False),
        ("leak:no_such_function\n  leak:^until_*art$\n", False),
        ("leak:^ntil\n", True),
        ("leak:until_star$\n", True),
        ("leak:pauses.c\n", False),
        ("leak:/pauses-*\n", False),
    ):
        patterns.write_text(text)
        status, says = leaks(run.paths[0], "--suppress", patterns)
        assert status == 0 and ("until_start" in says) == left and ("Suppressed: " in says) != left, (text, says)
        assert (f"vbtrace: warning: {run.paths[0]}: no call stack matches --suppress {patterns}\n" in says) == left
        reported = json.loads(vbt.vbtrace("leaks", "--format", "json", "--suppress", patterns, run.paths[0]).stdout)
        assert (reported["suppressed"] == {"bytes": 0, "blocks": 0, "stacks": 0}) == left
    patterns.write_text("# fine\nrace:x\n")
    assert leaks(run.paths[0], "--suppress", patterns) == (2, f"vbtrace: {patterns}: line 2: expected leak:PATTERN, found race:x\n")
    assert leaks(run.paths[0], "--suppress", tmp_path / "none") == (2, f"vbtrace: {tmp_path / 'none'}: cannot be opened: No such file or directory\n")


def paths(depth, **options):
    """A run with so many call paths: 2 ** depth."""
    run = vbt.trace([vbt.compiled("paths.c", "-O0", "-fno-builtin"), depth], env=options)
    assert run.report.heap["allocs"] == 3 << depth and run.report.heap["allocated_bytes"] == 32 * 3 << depth
    return run


@pytest.mark.parametrize("limit", ["MAX_TRACE", "MAX_MEMORY", None])
def test_limits(limit):
    """Beyond the limit everything is counted, call paths without room together."""
    run = paths(16, **({f"VBTRACE_{limit}": "64K"} if limit else {}))
    report = run.report
    assert report.json["conservation"]["holds"] and report.json["complete"]
    notes = [note for note in report.json["notes"] if note.startswith("VBTRACE_MAX_TRACE or VBTRACE_MAX_MEMORY was reached")]
    lost = sum(row["allocs"] for row in report.json["lines"] if row["function"] == "[lost call path]")
    assert lost == report.totals["lost"]["nodes"] == report.totals["lost_events"]
    assert (len(notes) == 1 and lost > 3 * 4096) if limit else (notes == [] and lost == 0)
    assert limit != "MAX_TRACE" or 16 * 1024 <= run.paths[0].stat().st_size <= 64 * 1024


def test_the_memory_of_call_paths_stays_below_its_limit():
    """262,144 paths of 18 calls, which take some 28 MiB: 16 of them, to within a tenth. What the
    program and all else of vbtrace's take is measured by a run in which there is room for none."""
    limit = 16 << 20
    none, some = (paths(18, VBTRACE_MAX_MEMORY=str(size)).report for size in (64 << 10, limit))
    assert none.totals["lost"]["nodes"] > some.totals["lost"]["nodes"] > 0
    lost = sum(row["allocs"] for row in some.json["lines"] if row["function"] == "[lost call path]")
    assert lost == some.totals["lost"]["nodes"] and some.json["conservation"]["holds"]
    assert sum(note.startswith("VBTRACE_MAX_TRACE or VBTRACE_MAX_MEMORY was reached") for note in some.json["notes"]) == 1
    taken = some.totals["max_rss_bytes"] - none.totals["max_rss_bytes"]
    assert 0.85 * limit <= taken <= 1.1 * limit


@pytest.mark.parametrize("depth", [12, 16])
def test_nothing_is_lost_long_before_the_limit(depth):
    """The limit is for what is in the file, which is packed."""
    whole = paths(depth).paths[0].stat().st_size
    limited = paths(depth, VBTRACE_MAX_TRACE=str(max(6 * whole, 64 * 1024)))
    assert limited.report.totals["lost_events"] == 0 and limited.report.json["notes"] == paths(depth).report.json["notes"]
