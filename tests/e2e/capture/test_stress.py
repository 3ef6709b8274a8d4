"""64 threads that allocate, map, hand blocks to each other and fork, on every allocator: no crash,
and exact counts.

VBTRACE_STRESS_SECONDS is the time on each, one second by default.
"""

import json
import os

import pytest

import vbt
from conservation import check_laws

SECONDS = float(os.environ.get("VBTRACE_STRESS_SECONDS", "1"))
SOURCE = vbt.program("stress.c")
OPTIONS = {"leaf": {"VBTRACE_NATIVE": "leaf"}, "full": {"VBTRACE_VERIFY": "7"}}
CHILDREN = 12  # whose traces are read; all must have left one


def sums(rows):
    """The requests of the program's lines."""
    names = ("allocs", "frees", "allocated_bytes", "freed_bytes", "live_blocks")
    return {name: sum(row[name] for row in rows if row["file"] == str(SOURCE)) for name in names}


def map_sums(report):
    done = vbt.vbtrace("lines", "--by", "leaf", "--filter", "domain=map", "--limit", "0", "--format", "json", report.path)
    return sums(json.loads(done.stdout)["lines"])


@pytest.mark.parametrize("allocator", [None, *vbt.ALLOCATORS])
@pytest.mark.parametrize("native", ["leaf", "full"])
def test_stress(allocator, native):
    """full is the default; every seventh stack is compared with libunwind's."""
    if allocator is not None:
        vbt.needs_library(allocator)
    program = vbt.compiled(SOURCE.name, "-O1", "-fno-builtin")
    preload = [] if allocator is None else [allocator]
    run = vbt.trace([program, SECONDS], preload=preload, env=OPTIONS[native], timeout=vbt.TIMEOUT + 4 * SECONDS)
    printed = run.printed
    assert printed["forks"] > 0 and printed["allocs"] > 1000 and len(run.paths) == 1 + printed["forks"]
    (own,) = [path for path in run.paths if path.stem.endswith(f".{printed['pid']}")]
    reports = {path: vbt.Report(path) for path in [own, *run.paths[:: max(1, len(run.paths) // CHILDREN)]]}
    (parent,) = [report for report in reports.values() if report.json["end_reason"] == "exit"]
    assert parent is reports[own]
    assert native == "leaf" or parent.json["verify"]["compared"] > 0
    if native == "leaf":  # otherwise a line includes what it called
        asked = sums(parent.json["lines"])
        assert {name: asked[name] for name in ("allocs", "frees", "allocated_bytes", "live_blocks")} == {
            **{name: printed[name] for name in ("allocs", "frees", "allocated_bytes")},
            "live_blocks": 0,
        }
        assert asked["freed_bytes"] == asked["allocated_bytes"]
        mapped = map_sums(parent)
        assert (mapped["allocs"], mapped["frees"], mapped["allocated_bytes"]) == (printed["maps"], printed["unmaps"], printed["mapped_bytes"])
        assert mapped["freed_bytes"] == mapped["allocated_bytes"]
    for report in reports.values():
        check_laws(report)
        assert report.json["program"]["native"] == native
        assert native == "leaf" or (report.json["verify"] or {"different": 0})["different"] == 0  # a child may not have compared any
        assert report.json["end_reason"] in ("exit", "_exit")
