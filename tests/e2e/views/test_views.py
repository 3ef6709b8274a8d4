"""The views of the call tree on programs whose tree is known: tree, functions, peak, leaks,
temporary, collapsed stacks, --filter."""

import csv
import datetime
import io
import json
import re

import pytest

import vbt

MIB = 1 << 20
SLACK = MIB // 4  # what the interpreter requests besides the blocks


@pytest.fixture(scope="module")
def trace_path():
    """The trace of call_tree.py on the first interpreter found."""
    return vbt.traced_python("call_tree.py", vbt.interpreters()[0]).paths[0]


def view(*arguments, status=0):
    done = vbt.vbtrace(*arguments)
    assert (done.returncode, done.stderr) == (status, ""), done.stderr
    return done.stdout


def view_json(*arguments):
    return json.loads(view(*arguments, "--format", "json"))


def mib(count):
    return pytest.approx(count * MIB, abs=SLACK)


def functions_of(reported):
    return {row["function"]: row for row in reported["functions"] if row["file"].endswith("call_tree.py")}


def test_tree_adds_up_to_the_totals(trace_path):
    reported, totals = view_json("tree", trace_path), vbt.Report(trace_path).totals
    calls = {row["id"]: row for row in reported["calls"]}
    for measure in ("allocs", "allocated_bytes", "live_bytes", "live_blocks", "temporary_allocs", "at_peak_bytes"):
        assert reported["totals"][measure] == totals.get(measure, totals["peak_bytes"])
        assert sum(row[measure] for row in calls.values()) == reported["totals"][measure]
        below = dict.fromkeys(calls, 0)
        for row in calls.values():
            if row["parent"]:
                below[row["parent"]] += row["cumulative_" + measure]
        assert all(row["cumulative_" + measure] == row[measure] + below[number] for number, row in calls.items())


def test_tree_of_functions(trace_path):
    calls = view_json("tree", "--frames", "function", trace_path)["calls"]
    by_id = {row["id"]: row for row in calls}

    def path(row):
        return (path(by_id[row["parent"]]) if row["parent"] else ()) + (row["function"],)

    found = {path(row): row for row in calls}
    main = ("<module>", "main")
    assert found[(*main, "parse", "blocks")]["cumulative_allocated_bytes"] == mib(2)
    assert found[(*main, "render", "draw", "blocks")]["cumulative_allocated_bytes"] == mib(5)
    assert found[(*main, "render", "blocks")]["cumulative_allocated_bytes"] == mib(1)
    assert found[(*main, "render")]["cumulative_allocated_bytes"] == mib(6)
    assert found[(*main, "count", "count", "count", "count", "blocks")]["cumulative_allocated_bytes"] == mib(4)
    assert found[main]["cumulative_allocated_bytes"] == mib(13)


def test_tree_as_text_fits_the_terminal(trace_path):
    done = vbt.vbtrace("tree", trace_path, env={"COLUMNS": "70"})
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and max(map(len, lines)) <= 70
    assert any("blocks (call_tree.py:" in line for line in lines)
    large = re.findall(r"^ *\S+ \S+ +([\d.]+)%", vbt.vbtrace("tree", "--min", "30%", trace_path).stdout, re.MULTILINE)
    assert 0 < len(large) < len(lines) / 2 and min(map(float, large)) >= 30


VIEWS = "report lines functions tree peak leaks temporary intervals timeline".split()


def test_no_view_is_wider_than_the_terminal(trace_path, tmp_path):
    """But for the commands that a report suggests, which are to be copied."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    program = folder / "lines.py"
    program.write_text("import threading, time\nbegan = time.time()\nkept = [str(i) for i in range(1000)]\n" * 2 + "print(time.time() - began)\n")
    traces = [trace_path]
    for options in (("--lines", "--objects"), ()):
        traces.append(tmp_path / f"{len(traces)}.vbt")
        done = vbt.vbtrace("run", "--quiet", *options, "-o", traces[-1], "/usr/bin/python3", program)
        assert done.returncode == 0, done.stderr
    views = [[command] for command in VIEWS] + [["report", "--by", "leaf"], ["peak", "--by", "thread"], ["leaks", "--by", "module"], ["intervals", "--sites"]]
    for path in traces:
        for command in views:
            done = vbt.vbtrace(*command, path, env={"COLUMNS": "80"})
            assert done.returncode == 0, done.stderr
            wide = [line for line in done.stdout.splitlines() if len(line) > 80 and not line.startswith("vbtrace ")]
            assert not wide, (command, wide)


def test_functions_count_recursion_once(trace_path):
    rows = functions_of(view_json("functions", trace_path))
    assert rows["blocks"]["allocated_bytes"] == mib(12)
    assert rows["count"]["cumulative_allocated_bytes"] == mib(4) and rows["count"]["allocated_bytes"] < SLACK
    assert rows["main"]["cumulative_allocated_bytes"] == mib(13)
    assert rows["render"]["cumulative_live_bytes"] == mib(6)


def test_peak_holds_all_blocks_and_the_temporary_one(trace_path):
    reported = view_json("peak", "--frames", "function", trace_path)
    stacks = [([reported["frames"][i]["function"] for i in reversed(row["frames"])], row["at_peak_bytes"]) for row in reported["stacks"]]
    assert sum(value for _, value in stacks) == vbt.Report(trace_path).totals["peak_bytes"]

    def live(*outermost):
        return sum(value for stack, value in stacks if stack[: len(outermost)] == list(outermost))

    assert live("<module>", "main", "render") == mib(6)
    assert live("<module>", "main", "scratch") == mib(1)
    assert live("<module>", "main") == mib(13)


def test_leaks_tell_the_runtime_apart(trace_path):
    reported, flat = view_json("leaks", trace_path), view_json("leaks", "--ungroup", trace_path)
    assert "Python imports" in {group["name"] for group in reported["runtime"]} and not flat["runtime"]
    for name in ("live_bytes", "live_blocks"):
        grouped = sum(row[name] for row in reported["stacks"]) + sum(group[name] for group in reported["runtime"])
        assert grouped == sum(row[name] for row in flat["stacks"]) == flat["totals"][name]
    assert len(reported["stacks"]) + sum(group["stacks"] for group in reported["runtime"]) == len(flat["stacks"])


def test_temporary_allocations(trace_path):
    rows = functions_of(view_json("functions", "--sort", "temporary", trace_path))
    assert rows["scratch"]["cumulative_temporary_allocs"] >= 1 and rows["parse"]["cumulative_temporary_allocs"] == 0
    assert "Temporary allocations: " in view("temporary", trace_path)


def test_collapsed_stacks_add_up(trace_path):
    for measure, total in (("bytes", "allocated_bytes"), ("allocs", "allocs"), ("peak", "peak_bytes"), ("leaks", "live_bytes")):
        lines = view("flamegraph", "--format", "collapsed", "--measure", measure, trace_path).splitlines()
        assert sum(int(line.rsplit(" ", 1)[1]) for line in lines) == vbt.Report(trace_path).totals[total]
    stacks = dict(line.rsplit(" ", 1) for line in view("flamegraph", "--format=collapsed", "--frames=function", trace_path).splitlines())
    (blocks,) = [int(n) for stack, n in stacks.items() if ";parse (" in stack and stack.rsplit(";", 1)[1].startswith("blocks (")]
    assert blocks == mib(2)


def test_collapsed_stacks_leave_out_small_calls(trace_path):
    """As the picture does, and without losing what they hold."""
    for options in ((), ("--reverse",), ("--measure", "peak", "--by", "domain")):
        every, large = (view("flamegraph", "--format=collapsed", *options, "--min", least, trace_path).splitlines() for least in ("0", "20%"))
        assert not any("[smaller ones]" in line for line in every) and len(large) < len(every) / 2
        sums = [sum(int(line.rsplit(" ", 1)[1]) for line in lines) for lines in (every, large)]
        assert sums[0] == sums[1]
        kept = {line.rsplit(" ", 1)[0] for line in large}
        for stack in (stack.split(";") for stack in kept):
            if stack[-1] != "[smaller ones]":
                below = sum(int(line.rsplit(" ", 1)[1]) for line in every if line.rsplit(" ", 1)[0].split(";")[: len(stack)] == stack)
                assert below >= 0.2 * sums[0]


def test_export_of_stacks(trace_path):
    """What flamegraph writes, export does; what holds no stacks takes no option for them."""
    for options in ((), ("--measure", "peak", "--by", "domain"), ("--reverse", "--frames", "function", "--filter", "function=draw")):
        exported = view("export", "--format", "collapsed", *options, trace_path)
        assert exported and exported == view("flamegraph", "--format", "collapsed", *options, trace_path)
        if options:
            done = vbt.vbtrace("export", "--format", "mprof", *options, trace_path)
            assert (done.returncode, done.stdout) == (2, "")
            assert done.stderr.startswith("vbtrace: export --format mprof does not take --"), done.stderr


@pytest.mark.parametrize("form", ["pprof", "callgrind", "speedscope", "massif", "heaptrack", "dhat", "sqlite"])
def test_formats_without_what_grew(form, trace_path):
    """It is a difference, which no measure of theirs is."""
    for options in (("--grown",), ("--measure", "grown")):
        done = vbt.vbtrace("export", "--format", form, *options, trace_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"vbtrace: export --format {form} does not take --{options[0][2:]}"), done.stderr


def test_filters(trace_path):
    def total(*filters):
        options = [word for text in filters for word in ("--filter", text)]
        return view_json("tree", *options, trace_path)["totals"]["allocated_bytes"]

    everything = total()
    assert total("function=^render$") == mib(6)
    assert total("function=^render$", "function!=^draw$") == mib(1)
    assert total("function=^blocks$") + total("function!=^blocks$") == everything
    assert total("file=call_tree\\.py$") + total("file!=call_tree\\.py$") == everything
    assert total("domain=heap") + total("domain=python") == everything
    lines = view_json("lines", "--filter", "function=^draw$", "--by", "leaf", trace_path)["lines"]
    assert sum(row["allocated_bytes"] for row in lines) == mib(5)


def test_groups_add_up(trace_path):
    for by in ("module", "domain"):
        reported = view_json("tree", "--by", by, trace_path)
        first = [row for row in reported["calls"] if row["parent"] == 0]
        assert sum(row["cumulative_allocs"] for row in first) == reported["totals"]["allocs"]
    assert {row["function"] for row in first} <= {"[heap]", "[python]"}
    modules = {row["function"]: row for row in view_json("functions", "--by", "module", trace_path)["functions"]}
    assert modules["call_tree.py"]["cumulative_allocated_bytes"] == mib(13)


@pytest.mark.parametrize("command", ["tree", "peak", "leaks", "temporary", "functions"])
def test_csv_says_what_json_says(command, trace_path):
    rows = list(csv.DictReader(io.StringIO(view(command, "--format", "csv", trace_path))))
    reported = view_json(command, trace_path)
    of_json = reported.get("calls") or reported.get("functions") or reported["stacks"] + reported["runtime"]
    assert len(rows) == len(of_json)
    for measure in ("allocs", "live_bytes", "temporary_allocs"):
        assert [int(row[measure]) for row in rows] == [row[measure] for row in of_json]


def test_rows_that_are_left_out_are_named(trace_path):
    for by, rows in (((), "functions"), (("--by", "module"), "modules")):
        assert view("functions", *by, "--limit", "1", trace_path).splitlines()[-1].endswith(f" more {rows}")
    path = vbt.traced_python("short_threads.py", vbt.interpreters()[0]).paths[0]
    assert view("functions", "--by", "thread", "--limit", "2", path).splitlines()[-1].endswith(" more threads")
    assert " more threads\n" in view("temporary", "--by", "thread", path)


def test_reports_are_the_same_in_every_time_zone(trace_path):
    for command in ("report", "info", "timeline"):
        here, there = (vbt.vbtrace(command, trace_path, env={"TZ": zone}).stdout for zone in ("Asia/Tokyo", "America/New_York"))
        assert here == there
    started = datetime.datetime.fromtimestamp(vbt.Report(trace_path).json["program"]["started_ns"] // 10**9, datetime.timezone.utc)
    assert f" · started {started:%Y-%m-%d %H:%M:%S} UTC · " in view("report", trace_path)


def test_csv_is_empty_where_json_is_null(trace_path):
    """Lines that only freed, or whose blocks are all inherited, have no sizes."""
    reports = vbt.traced_python("only_frees.py", vbt.interpreters()[0]).reports
    (path,) = [report.path for report in reports if report.totals["inherited_blocks"]]
    for command, options in (("report", ()), ("lines", ("--by", "leaf"))):
        rows = list(csv.DictReader(io.StringIO(view(command, *options, "--format", "csv", path))))
        reported = view_json(command, *options, path)
        of_json = reported["user_lines"] if command == "report" else reported["lines"]
        assert len(rows) == len(of_json) and any(row["min_bytes"] is None for row in of_json)
        for row, other in zip(rows, of_json):
            for name in ("min_bytes", "max_bytes", "max_rss_bytes"):
                assert row[name] == ("" if other[name] is None else str(other[name])), (row, name)


NOTHING = (("function=zzzz",), ("zzzz",), ("domain=python", "domain=heap"))


@pytest.mark.parametrize("command", ["report", "lines", "functions", "tree", "peak", "leaks", "temporary", "flamegraph", "intervals", "export"])
def test_a_filter_that_matches_nothing_says_so(command, trace_path):
    """One line on standard error, whatever the format; and none where something passes."""
    path = vbt.trace([vbt.compiled("library_calls.c")]).paths[0] if command == "intervals" else trace_path
    forms = {"flamegraph": ["svg", "collapsed"], "export": ["collapsed"]}.get(command, ["text", "json", "csv"])
    for form in forms:
        for filters in NOTHING:
            options = [word for text in filters for word in ("--filter", text)]
            done = vbt.vbtrace(command, "--format", form, *options, path)
            assert (done.returncode, done.stderr) == (0, f"vbtrace: warning: {path}: nothing passes --filter\n"), (form, filters)
        view(command, "--format", form, "--filter", "function=main", path)


@pytest.mark.parametrize("command", ["report", "lines", "functions", "tree", "peak", "leaks", "temporary", "flamegraph", "intervals", "export"])
def test_a_filter_that_leaves_nothing_out_says_so(command, trace_path):
    path = vbt.trace([vbt.compiled("library_calls.c")]).paths[0] if command == "intervals" else trace_path
    form = {"flamegraph": "svg", "export": "collapsed"}.get(command, "json")
    for words, idle in (
        (["function!=zzzz"], ["function!=zzzz"]),
        (["file!=zzzz", "module!=zzzz", "function=main"], ["file!=zzzz", "module!=zzzz"]),
        (["domain!=zzzz", "function=."], ["domain!=zzzz"]),
        (["domain!=^python$" if command == "intervals" else "domain!=^heap$"], ["domain!=^python$"] if command == "intervals" else None),
    ):
        done = vbt.vbtrace(command, "--format", form, *(word for text in words for word in ("--filter", text)), path)
        said = [f"vbtrace: warning: {path}: --filter {text} leaves nothing out" for text in idle or ()]
        assert done.returncode == 0 and (idle is None or done.stderr.splitlines() == said), (words, done.stderr)
        assert idle is not None or "leaves nothing out" not in done.stderr


def test_iterations_of_nothing():
    """--per, where each section knows its own, or where there is no interval."""
    every = vbt.trace([vbt.compiled("sections.c")]).paths[0]
    none = vbt.trace([vbt.compiled("peaks.c")]).paths[0]
    said = "--per has no effect: there is no interval whose iterations are not known"
    for command in ("report", "intervals"):
        assert vbt.vbtrace(command, "--per", "3", every).stderr == ""
        assert vbt.vbtrace(command, "--per", "3", none).stderr == f"vbtrace: warning: {none}: {said}\n"


def test_what_is_vbtraces_own_is_told_apart(trace_path):
    report = vbt.Report(trace_path)
    resident = report.json["resident"]["highest"] or report.json["resident"]["latest"]
    peak, without = report.totals["max_rss_bytes"], report.totals["max_rss_without_vbtrace_bytes"]
    assert 0 < without == peak - resident["vbtrace_bytes"] < peak
    said = r"^Resident set     [\d.]+ MiB at its highest, [\d.]+ MiB without vbtrace's own memory$"
    assert re.search(said, view("report", trace_path), re.M)
    said = "Mem usage is the largest resident set seen at a line, vbtrace's own memory included."
    lined = vbt.trace(["/usr/bin/python3", "-c", "x = [0] * 100"], env={"VBTRACE_FILES": "<string>"}).paths[0]
    cases = [(trace_path, view, width, "rss" in view) for view in ("report", "lines", "report --sort rss", "lines --sort rss") for width in ("200", "60")]
    for path, command, width, shows in [*cases, (lined, "lines", "200", True), (lined, "lines", "60", False)]:
        text = vbt.vbtrace(*command.split(), path, env={"COLUMNS": width}).stdout
        table = text.split("Omitted to fit")[0]
        assert (re.search("Mem usage(?! is)", table) is not None) == (said in text.replace("\n", " ")) == shows, (width, command, text)
        assert "Max RSS" not in text
    assert re.search(r"^vbtrace's own memory is included: without it the peak is [\d.]+ MiB\.$", view("timeline", trace_path), re.M)
    timeline = json.loads(view("timeline", "--format", "json", trace_path))
    assert (timeline["max_rss_bytes"], timeline["max_rss_without_vbtrace_bytes"]) == (peak, without)


def test_native_program():
    """Without Python: the views work, and a leaking function is on top."""
    path = vbt.trace([vbt.compiled("heap_calls.c")], silent=False).paths[0]
    report = vbt.Report(path)
    assert view_json("tree", path)["totals"]["allocs"] == report.totals["allocs"]
    reported = view_json("leaks", path)
    assert sum(row["live_bytes"] for row in reported["stacks"] + reported["runtime"]) == report.totals["live_bytes"]
