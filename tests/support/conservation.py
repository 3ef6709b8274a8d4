"""Laws that hold for every trace: parts add up to wholes, nothing is lost, and a second reader of
the file finds the same."""

import json

import vbt

ADDED = ("allocs", "frees", "allocated_bytes", "freed_bytes", "live_blocks", "live_bytes", "temporary_allocs")


ENDS = (("min", min), ("max", max))


def check_laws(report, **lost):
    """lost: the expected losses by reason, none by default."""
    totals, domains = report.totals, report.totals["domains"]
    assert report.json["complete"] and report.json["conservation"] == {"checked": True, "holds": True, "difference": None}
    assert {reason: count for reason, count in totals["lost"].items() if count} == lost and totals["lost_events"] == sum(lost.values())
    rows = [] if totals["inherited_blocks"] else [*report.json["lines"], *report.json["user_lines"]]  # lines do not show inherited blocks
    for counts in [totals, *domains.values(), *rows]:
        inherited = counts.get("inherited_blocks", 0), counts.get("inherited_bytes", 0)
        assert counts["live_blocks"] == inherited[0] + counts["allocs"] - counts["frees"]
        assert counts["live_bytes"] == inherited[1] + counts["allocated_bytes"] - counts["freed_bytes"]
        assert counts["live_blocks"] >= 0 and counts["live_bytes"] >= 0
        assert counts["temporary_allocs"] <= counts["frees"] <= inherited[0] + counts["allocs"]
    for name in ADDED:
        assert totals[name] == domains["heap"][name] + domains["python"][name], name
        for rows in ("lines", "user_lines"):
            assert totals[name] == sum(row[name] for row in report.json[rows]), (rows, name)
    for rows in ("lines", "user_lines"):
        at_peak = sum(row["at_peak_bytes"] for row in report.json[rows])
        error = totals["peak_error_bytes"]
        if totals["threads"] == 1:
            assert error == 0 and at_peak == totals["peak_bytes"]
        elif not totals["inherited_blocks"]:  # their sizes are unknown
            # An event that another thread is booking at the moment of the peak may be in one but
            # not in the other.
            error += (totals["threads"] - 1) * max((row["max_bytes"] for row in report.json[rows]), default=0)
            assert abs(at_peak - totals["peak_bytes"]) <= error, (rows, at_peak, totals["peak_bytes"], error)
    assert totals["peak_bytes"] + totals["peak_error_bytes"] >= totals["live_bytes"]


def check_by_second_reader(report):
    """Totals, counters of each line and intervals equal those of the tests' own reader."""
    trace = report.trace
    assert trace.end == report.json["end_reason"]
    for name in ("heap", "python", "map"):
        reported = trace.domain(name)
        assert reported == {field: report.totals["domains"][name][field] for field in reported}
    ours = {place: counts for place, counts in trace.lines().items()}
    rows = report.by_line()
    python = {(row["file"], row["line"]) for row in report.json["lines"] if row["kind"] == "python"}
    assert python == ours.keys()
    for place in python:
        assert rows[place] == ours[place], place
    for kind, is_section in ((0, False), (1, True)):
        found = [row for row in trace.intervals.values() if row["kind"] == kind and row["count"]]
        told = [row for row in report.json["intervals"] if bool(row["label"]) == is_section]
        assert sum(row["count"] for row in found) == sum(row["count"] for row in told)
        for name in ("time_ns", "allocs", "frees", "allocated_bytes", "freed_bytes", "net_bytes", "high_bytes"):
            assert sum(row[name]["total"] for row in found) == sum(row[name]["total"] for row in told), name
            assert [pick(row[name][end] for row in found) for end, pick in ENDS if found] == [
                pick(row[name][end] for row in told) for end, pick in ENDS if told
            ], name
    inside = [site for row in report.json["intervals"] for site in row["sites"]]
    for name in ("allocs", "frees", "allocated_bytes", "freed_bytes"):
        assert sum(row[name] for row in trace.interval_sites.values()) == sum(row[name] for row in inside), name
    timeline = json.loads(vbt.vbtrace("timeline", "--format", "json", report.path).stdout)["timeline"]
    assert [tuple(row.values()) for row in timeline] == trace.course
