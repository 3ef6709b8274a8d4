"""The export as comma-separated values, read by Python's own reader."""

import csv
import io
import json

import pytest

import export_samples
import golden
import vbt

SUMMED = ("allocs", "allocated_bytes", "live_bytes", "live_blocks", "temporary_allocs")


def rows_of(path, *options):
    done = vbt.vbtrace("export", "--format", "csv", *options, path, check=True)
    assert done.stderr == ""
    return list(csv.DictReader(io.StringIO(done.stdout)))


@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_sums_are_ours(name):
    trace = export_samples.trace_of(name)
    rows, report = rows_of(trace), json.loads(vbt.vbtrace("report", "--format", "json", trace, check=True).stdout)
    for field in SUMMED:
        assert sum(int(row[field]) for row in rows) == report["totals"][field], field
    assert sum(int(row["at_peak_bytes"]) for row in rows) == sum(line["at_peak_bytes"] for line in report["lines"])
    folded = vbt.vbtrace("export", "--format", "collapsed", trace, check=True).stdout.splitlines()
    ours = sorted(f"{row['stack']} {row['allocated_bytes']}" for row in rows if int(row["allocated_bytes"]) > 0)
    assert ours == sorted(folded)


def test_groups_and_parts():
    rows = rows_of(golden.trace_of("threads"), "--by", "thread")
    by_thread = {row["group"] for row in rows}
    assert {"main (thread 1)", "producer (thread 2)"} <= by_thread and all(row["stack"].startswith(row["group"]) for row in rows)
    done = vbt.vbtrace("export", "--format", "csv", "--to", "50%", golden.trace_of("threads"), check=True)
    assert done.stdout.splitlines()[0].endswith(",from_ns,to_ns") and "until --to 50%" in done.stderr


def test_measure_is_refused():
    done = vbt.vbtrace("export", "--format", "csv", "--measure", "peak", golden.trace_of("cpp"))
    said = "vbtrace: export --format csv does not take --measure: it holds all measures but what grew\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
