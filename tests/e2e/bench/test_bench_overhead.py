"""bench/run overhead: figures from made-up measurements, tables, options, what tools see, and whole
runs with a fake vbtrace."""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

import vbt
from sidebyside import compare, figures, machine, markdown, measure, native_tools, python_tools, results, seen, text_table, tools, workloads

BENCH = vbt.ROOT / "bench"
PEERS = [*python_tools.ALL, *native_tools.ALL]
needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


def a_round(cpu, zero_cpu=None, rss=10_000_000, **facts):
    made = {"cpu_s": cpu, "wall_s": 2 * cpu, "max_rss_bytes": rss, **facts}
    if zero_cpu is not None:
        made.update(zero_cpu_s=zero_cpu, zero_wall_s=2 * zero_cpu)
    return made


UNTRACED = [a_round(1.1, 0.1), a_round(9.0, 0.1), a_round(1.0, 0.1), a_round(1.2, 0.2), a_round(1.1, 0.1)]  # net: 1.0 in the median


def test_ratio_is_of_medians_without_start_up():
    traced = [a_round(1.7, 0.2, rss=14_000_000), a_round(1.6, 0.1, rss=15_000_000), a_round(7.0, 0.2, rss=13_000_000)]
    found = figures.of_tool(traced, UNTRACED, share=1.0, events=10_000_000)
    assert figures.of_untraced(UNTRACED)["cpu_s"] == pytest.approx(1.0)
    assert found["cpu_ratio"] == found["wall_ratio"] == pytest.approx(1.5)
    assert (found["cpu_added_s"], found["wall_added_s"]) == pytest.approx((0.5, 1.0))
    assert (found["ns_per_event"], found["ns_per_pair"]) == pytest.approx((50, 100))
    assert found["rss_added_bytes"] == 4_000_000
    assert found["trace_bytes"] is found["report_wall_s"] is found["events"] is None


def test_ratio_of_minima():
    """The best round of each side, with its own best start-up."""
    traced = [a_round(1.9, 0.2), a_round(1.6, 0.3), a_round(9.0, 0.1)]
    assert figures.of_tool(traced, UNTRACED, share=1.0, events=None)["least_cpu_ratio"] == pytest.approx((1.6 - 0.1) / (1.0 - 0.1))
    assert figures.of_untraced(UNTRACED)["least_cpu_s"] == pytest.approx(0.9)


def test_start_up_may_be_measured_in_some_rounds_only():
    found = figures.of_tool([a_round(1.7, 0.2), a_round(1.7), a_round(1.9)], UNTRACED, share=1.0, events=None)
    assert found["cpu_ratio"] == pytest.approx(1.5)


def test_smaller_share_of_the_size_is_scaled():
    found = figures.of_tool([a_round(5.2, 0.2)], UNTRACED, share=1 / 100, events=100_000_000)
    assert found["cpu_ratio"] == pytest.approx(500)
    assert found["cpu_added_s"] == pytest.approx(4.99)
    assert found["ns_per_event"] == pytest.approx(4990)


def test_few_events_give_no_time_per_event():
    assert figures.of_tool([a_round(1.2, 0.1)], UNTRACED, share=1.0, events=99_999)["ns_per_event"] is None
    assert figures.of_tool([a_round(1.2, 0.1)], UNTRACED, share=1.0, events=None)["ns_per_event"] is None
    assert figures.of_tool([a_round(1.2, 0.1)], UNTRACED, share=0.5, events=100_000)["ns_per_event"] is None


def test_nothing_to_divide_by_gives_no_ratio():
    assert figures.of_tool([a_round(1.2, 0.1)], [a_round(0.1, 0.1)], share=1.0, events=None)["cpu_ratio"] is None


def test_events_are_those_of_the_work():
    rounds = [a_round(1, 0.1, events=1100, zero_events=100), a_round(1, 0.1, events=1102, zero_events=102)]
    assert figures.counted(rounds, "events") == 1000
    assert figures.counted([a_round(1, events=1100)], "events") == 1100
    assert figures.counted([a_round(1)], "events") is figures.counted(rounds, "hits") is None


def test_time_per_line():
    found = figures.of_tool([a_round(0.6, 0.1)], UNTRACED, share=0.25, events=None, hits=10_000_000)
    assert found["ns_per_line"] == pytest.approx(100) and found["ns_per_event"] is None
    assert figures.of_tool([a_round(0.6, 0.1)], UNTRACED, share=0.25, events=None, hits=3_999)["ns_per_line"] is None


def row(tool, **fields):
    common = {"workload": "loop", "python": "CPython 3.11.2", "tool": tool, "status": "ok", "reason": None}
    return {**common, "ratios": True, "share": 1.0, **fields}


def rows():
    untraced = row("untraced", **figures.of_untraced(UNTRACED))
    facts = {"events": 2_000_000, "lost_events": 0, "trace_bytes": 45_000, "report_wall_s": 0.05, "report_max_rss_bytes": 22_000_000}
    vbtrace = row("vbtrace", **figures.of_tool([a_round(1.5, 0.1, **facts)], UNTRACED, 1.0, 2_000_000))
    slow = row("slow", share=0.01, **figures.of_tool([a_round(2.1, 0.1)], UNTRACED, 0.01, None))
    slow["share"] = 0.01
    broken = row("broken", status="failed", reason="exit status 3: no")
    startup = row("untraced", workload="startup", **figures.of_untraced([a_round(0.010)]))
    late = row("vbtrace", workload="startup", **figures.of_tool([a_round(0.022)], [a_round(0.010)], 1.0, None))
    late["ratios"] = False
    return [untraced, vbtrace, slow, broken, startup, late]


def test_table():
    lines = list(text_table.lines(rows(), [("slow", "is slow")]))
    text = [" ".join(line.split()) for line in lines]
    assert text[0] == "workload under CPU least wall ns/event events RSS trace report takes"
    assert text[2:6] == [
        "loop untraced 1.00 s 900.0 ms 2.00 s 10.0 MB",
        "vbtrace 1.40x 1.56x 1.40x 200.0 2,000,000 +0 B 45 KB 50.0 ms, 22.0 MB",
        "slow 1/100 200x 222x 200x +0 B",
        "broken failed: exit status 3: no",
    ]
    assert text[7:9] == ["startup untraced 10.0 ms 10.0 ms 20.0 ms 10.0 MB", "vbtrace +12.0 ms +24.0 ms +0 B"]
    assert text[-1] == "slow: is slow."
    in_pairs = " ".join(next(text_table.lines(rows(), [], "pair")).split())
    assert in_pairs == text[0].replace("ns/event", "ns/pair")


def test_table_has_a_column_for_lines_where_there_are_such():
    counting = row("counting", **figures.of_tool([a_round(1.5, 0.1)], UNTRACED, 1.0, None, 8_000_000))
    text = [" ".join(line.split()) for line in text_table.lines([*rows(), counting], [])]
    assert text[0] == "workload under CPU least wall ns/event ns/line events RSS trace report takes"
    assert "loop counting 1.40x 1.56x 1.40x 50.0 +0 B" in text and any(line.startswith("ns/line: ") for line in text)


def test_table_names_the_interpreters_when_there_are_several():
    other = [{**one, "python": "CPython 3.13.0"} for one in rows()[:2]]
    text = "\n".join(text_table.lines(rows()[:2] + other, []))
    assert "loop CPython 3.11.2" in text and "loop CPython 3.13.0" in text


def test_lost_events_are_shown():
    lossy = rows()[1]
    lossy["lost_events"] = 12
    assert "2,000,000 and 12 lost" in "\n".join(text_table.lines([rows()[0], lossy], []))


def test_every_tool_says_what_it_cannot_run():
    python = machine.Python("/usr/bin/python3", "CPython 3.11.2")
    native = next(one for one in workloads.ALL if one.native)
    loop = next(one for one in workloads.ALL if one.name == "objects_loop")
    unusable = {tool.name: tool.unusable(python, native) for tool in PEERS}
    assert unusable["tracemalloc"] == "traces Python only"
    assert "@profile" in unusable["memory_profiler"]
    assert "not installed for /usr/bin/python3" in python_tools.MemoryProfiler().unusable(python, loop)


@needs_cc
def test_launcher_measures_the_command_and_not_itself(tmp_path):
    launcher = measure.Launcher(tmp_path)
    script = "import os, time; a = bytearray(100_000_000); time.sleep(0.1); assert os.environ['GIVEN'] == 'a b'"
    used = launcher.run([sys.executable, "-c", script], {"GIVEN": "a b"})
    assert used.wall_s >= 0.1 and 0 < used.cpu_s and used.max_rss_bytes > 100_000_000
    assert launcher.run(["true"]).max_rss_bytes < 8_000_000  # far less than this process uses
    orphan = "import os\nwhile sum(os.times()[:2]) < 0.2: pass"
    assert launcher.run(["sh", "-c", f"{sys.executable} -c '{orphan}' &"]).cpu_s >= 0.2
    with pytest.raises(measure.Failed, match="^exit status 3: why$"):
        launcher.run(["sh", "-c", "echo why >&2; exit 3"])
    with pytest.raises(measure.Failed, match="^killed by signal 9$"):
        launcher.run(["sh", "-c", "kill -9 $$"])
    with pytest.raises(measure.Failed, match="no-such-program"):
        launcher.run(["no-such-program"])


@needs_cc
@pytest.mark.parametrize("workload", [one for one in workloads.ALL if one.sized], ids=lambda one: one.name)
def test_workloads_run_at_any_size(tmp_path, workload):
    if workload.numpy:
        pytest.importorskip("numpy")
    workload.prepare(tmp_path)
    for size in (0, 1, 100):
        done = subprocess.run(workload.command(sys.executable, size, 1, tmp_path), capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "" or workload.name == "bench_sum"


def overhead(*arguments):
    command = [sys.executable, str(BENCH / "run"), "overhead", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--library", "/nowhere/libvbtrace.so"], "--library: no file /nowhere/libvbtrace.so; build vbtrace first"),
        (["--library", "/bin/sh", "--tool", "/nowhere/vbtrace"], "--tool: no file /nowhere/vbtrace"),
        (["--workloads", "startup,tea"], "'tea' is not one of float32_loop, "),
        (["--peers", ""], "'' is not one of tracemalloc, empty-trace"),
        (["--rounds", "0"], "'0' is not a whole number from 1 on"),
        (["--seed", "x"], "'x' is not a whole number from 0 on"),
        (["--without-vbtrace", "--out", "/dev/null/x"], "--out: cannot write /dev/null: "),
        (["--without-vbtrace", "--out", "/"], "--out: cannot write /: Is a directory"),
        (["extra"], "extra"),
    ],
)
def test_bad_options_are_one_line(arguments, says):
    done = overhead(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("run overhead: ") and says in done.stderr


@needs_cc
def test_what_is_no_interpreter_is_one_line(tmp_path):
    for path in ("/nowhere/python3", "/bin/true"):
        done = overhead("--without-vbtrace", "--python", path, "--out", tmp_path / "out.json")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1 and f"{path}: " in done.stderr and "expected a Python interpreter" in done.stderr


@pytest.fixture
def stand_ins(tmp_path):
    """A library that leaves a trace of three bytes, and a tool that reports ten events of any
    trace."""
    source, library, tool = tmp_path / "fake.c", tmp_path / "libvbtrace.so", tmp_path / "vbtrace"
    source.write_text(
        """
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        __attribute__((constructor)) static void leave_trace(void) {
            const char *pattern = getenv("VBTRACE_OUTPUT");
            const char *mark = pattern == NULL ? NULL : strstr(pattern, "%p");
            char path[4096];
            if (mark == NULL || getenv("VBTRACE_QUIET") == NULL)
                return;
            snprintf(path, sizeof path, "%.*s1%s", (int)(mark - pattern), pattern, mark + 2);
            FILE *trace = fopen(path, "w");
            fputs("VBT", trace);
            fclose(trace);
        }
        """
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    tool.write_text("""#!/bin/sh\necho '{"totals": {"allocs": 7, "frees": 3, "lost_events": 0}}'\n""")
    tool.chmod(0o755)
    return ["--library", library, "--tool", tool]


@needs_cc
def test_a_run(tmp_path, stand_ins):
    out = tmp_path / "new" / "overhead.json"
    asked = ["--quick", "--costs-only", "--rounds", "1", "--workloads", "malloc_mix,startup", "--peers", "tracemalloc", "--seed", "5"]
    done = overhead(*stand_ins, *asked, "--python", sys.executable, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(out.read_text())
    assert result["manifest"].keys() >= {"date", "cpu", "cpus", "kernel", "pythons", "seed", "rounds", "quick", "library", "tool"}
    assert (result["manifest"]["seed"], result["manifest"]["rounds"], result["manifest"]["quick"]) == (5, 1, True)
    assert result["manifest"]["rounds_done"] == 1 and list(out.parent.iterdir()) == [out]
    assert [(one["workload"], one["tool"], one["status"]) for one in result["rows"]] == [
        ("malloc_mix", "untraced", "ok"),
        ("malloc_mix", "vbtrace", "ok"),
        ("malloc_mix", "vbtrace-lines", "skipped"),
        ("malloc_mix", "tracemalloc", "skipped"),
        ("startup", "untraced", "ok"),
        ("startup", "vbtrace", "ok"),
        ("startup", "vbtrace-lines", "skipped"),
        ("startup", "tracemalloc", "ok"),
    ]
    mix, start = result["rows"][1], result["rows"][5]
    assert mix["trace_bytes"] == 3 and mix["events"] == 0 and mix["cpu_ratio"] > 0 and mix["report_max_rss_bytes"] > 0
    assert start["events"] == 10 and "cpu_added_s" in start and len(start["rounds"]) == 1
    assert "skipped: traces Python only" in done.stdout and str(out) in done.stdout


@needs_cc
def test_a_tool_that_fails_is_shown_with_the_reason(tmp_path, stand_ins):
    stand_ins[3].write_text("#!/bin/sh\necho 'vbtrace: not a trace' >&2; exit 2\n")
    out = tmp_path / "overhead.json"
    done = overhead(*stand_ins, "--quick", "--costs-only", "--workloads", "malloc_mix", "--peers", "tracemalloc", "--out", out)
    assert done.returncode == 1
    failed = json.loads(out.read_text())["rows"][1]
    assert (failed["status"], failed["reason"]) == ("failed", "exit status 2: vbtrace: not a trace")
    assert "failed: exit status 2: vbtrace: not a trace" in done.stdout


@needs_cc
def test_who_stops_a_run_keeps_its_rounds_and_the_last_whole_run(tmp_path, stand_ins):
    out, unfinished = tmp_path / "overhead.json", tmp_path / "overhead.unfinished.json"
    out.write_text("of a whole run")
    asked = ["--quick", "--workloads", "malloc_mix", "--peers", "tracemalloc", "--rounds", "1000", "--out", out]
    running = subprocess.Popen(
        [sys.executable, *map(str, [BENCH / "run", "overhead", *stand_ins, *asked])],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not unfinished.exists() and running.poll() is None:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == 130
    kept = json.loads(unfinished.read_text())
    done = kept["manifest"]["rounds_done"]
    assert len(kept["rows"][0]["rounds"]) == done and 0 < done < 1000
    assert said == f"run overhead: stopped after {done} of 1000 rounds, which are in {unfinished}\n"
    assert out.read_text() == "of a whole run" and len(list(tmp_path.glob("*.json*"))) == 2
    refused = subprocess.run([sys.executable, str(BENCH / "run"), "table", str(unfinished)], capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"run table: {unfinished}: expected the results of a whole run; this one was stopped, or made with --costs-only\n"


# What tools see of a known number of allocations.


def seen_row(**fields):
    common = {"tool": "t", "kind": "python", "nature": "exact", "status": "ok", "reason": None, "lines": 2, "trace_bytes": 2_000, "report_wall_s": 0.5}
    return {**common, "found": {"allocs": 400}, "known": {"allocs": 400, "bytes": 16_000}, **fields}


def test_what_was_counted_is_set_against_what_there_was():
    assert seen.counted(seen_row()) == "400 of 400" and not seen.wrong(seen_row())
    assert seen.counted(seen_row(found={"bytes": 8_000_000})) == "8.0 of 0.0 MB"
    assert seen.counted(seen_row(found={})) == "no counts" and seen.counted(seen_row(found={"allocs": -3})) == "none of 400"
    assert seen.wrong(seen_row(found={"allocs": 399})) and seen.wrong(seen_row(status="failed", reason="why"))
    text = "\n".join(seen.lines([seen_row(), seen_row(tool="u", status="failed", reason="why"), seen_row(tool="s", status="skipped", reason="not for native programs")]))
    assert "400 of 400" in text and "failed: why" in text and "\ns " not in text


MANIFEST = {"date": "2026-11-21T12:00:00", "cpu": "a CPU", "cpus": 2, "load_average": [0.21, 0.1, 0.0], "rounds": 5}


def test_markdown():
    ratios = [{"workload": workload, "tool": "t", "status": "ok", "cpu_ratio": ratio} for workload, ratio in (("objects_loop", 1.5), ("malloc_mix", 57.3))]
    absent = seen_row(tool="u", status="skipped", reason="not installed (on Debian: apt install u)")
    results = {"manifest": MANIFEST, "rows": ratios, "seen": [seen_row(), seen_row(kind="native", lines=1), absent]}
    assert list(markdown.lines(results))[2:] == [
        "| `t` | exact | 400 of 400 | 2 of 2 | 400 of 400 | 1 of 2 | 1.50 | 57 | 2000 B | 500.0 ms |",
        "",
        "Made 2026-11-21 on a CPU, 2 CPUs with a load average of 0.2; 5 rounds.",
    ]
    assert markdown.left_out(results) == ["u"]


def test_markdown_of_lines():
    by_tool = {"vbtrace-lines": 42.4, "slow": 57_123.0}
    rows = [{"workload": "loop", "tool": tool, "ns_per_line": ns} for tool, ns in by_tool.items()]
    rows += [{"workload": "calls", "tool": "slow", "ns_per_line": 7.0}, {"workload": "calls", "tool": "vbtrace", "ns_per_line": None}]
    assert list(markdown.of_lines({"manifest": MANIFEST, "rows": rows})) == [
        "| ns a line | `vbtrace-lines` | `slow` |",
        "|---|--:|--:|",
        "| `loop` | 42 | 57,123 |",
        "| `calls` |  | 7 |",
        "",
        "Made 2026-11-21 on a CPU, 2 CPUs with a load average of 0.2; 5 rounds.",
    ]


def test_tools_that_are_not_installed_are_named_once():
    there, absent = row("vbtrace"), row("memray", status="skipped", reason="not installed (not in Debian)")
    unfit = row("memray", status="skipped", reason="needs a Python program")
    assert compare.installed([there, absent, unfit]) == ([there], {"memray": "not installed (not in Debian)"})
    assert compare.installed([there, unfit]) == ([there, unfit], {})


def test_a_busy_machine_is_reported():
    assert machine.busy(MANIFEST) is None
    assert "load average of 25.9 on 2 CPUs" in machine.busy({**MANIFEST, "load_average": [25.89, 20.0, 20.0]})


def test_results_have_a_row_a_line():
    text = results.as_json({"manifest": {"date": "now"}, "rows": [{"a": 1}, {"a": 2}]})
    assert json.loads(text) == {"manifest": {"date": "now"}, "rows": [{"a": 1}, {"a": 2}]} and ' {"a": 2}\n' in text


@pytest.fixture(scope="module")
def launcher(tmp_path_factory):
    made = measure.Launcher(tmp_path_factory.mktemp("seen"))
    seen.KNOWN["native"].prepare(made.directory)
    return made


@needs_cc
def test_vbtrace_sees_all_of_it(launcher):
    python = machine.probe("/usr/bin/python3", launcher.environment)
    vbtrace = tools.Vbtrace(vbt.LIBRARY, vbt.ANALYZER)
    for kind in seen.KNOWN:
        row = seen.row_of(vbtrace, kind, python if kind == "python" else None, launcher, 5_000)
        assert (row["status"], row["found"], row["lines"]) == ("ok", {"allocs": 10_000}, 2), row
        assert not seen.wrong(row)


@needs_cc
@pytest.mark.parametrize("sorts", [0, 2])
def test_lines_are_counted_and_an_empty_trace_function_can_be_asked(launcher, tmp_path, sorts):
    python = machine.probe("/usr/bin/python3", launcher.environment)
    workload = next(one for one in workloads.ALL if one.name == "insertion_sort")
    command = workload.command(python.path, sorts, 0, tmp_path)
    for tool, hits in ((tools.VbtraceLines(vbt.LIBRARY, vbt.ANALYZER), sorts * 15_346), (python_tools.EmptyTrace(), None)):
        assert tool.unusable(python, workload) is None
        left = tmp_path / tool.name
        left.mkdir()
        dressed, variables = tool.dress(command, python, left)
        launcher.run(dressed, variables)
        assert tool.examine(left, launcher).get("hits") == hits


@needs_cc
@pytest.mark.parametrize("tool", [tool for tool in PEERS if tool.sees], ids=lambda tool: tool.name)
def test_peers_can_be_asked(launcher, tool):
    """Each runs, leaves files, and its output is parsed, whatever it counts."""
    python = machine.probe("/usr/bin/python3", launcher.environment)
    kind = "python" if tool.sees == ("python",) else "native"
    row = seen.row_of(tool, kind, python if kind == "python" else None, launcher, 4_000)
    if row["status"] == "skipped":
        pytest.skip(row["reason"])
    assert row["status"] == "ok", row["reason"]
    assert row["trace_bytes"] > 0
    if tool.name in ("heaptrack", "dhat", "massif", "gperftools"):
        assert (row["found"], row["lines"]) == ({"allocs": 8_000}, 2)
    if tool.name == "tracemalloc":
        assert abs(row["found"]["allocs"] - 4_000) < 10 and row["lines"] == 1  # those that stay
    if tool.name == "line_profiler":
        assert (row["found"], row["lines"]) == ({}, 2)


def test_table_for_a_readme(tmp_path):
    results = tmp_path / "overhead.json"
    results.write_text(json.dumps({"manifest": MANIFEST, "rows": [], "seen": [seen_row()]}))
    command = [sys.executable, str(BENCH / "run"), "table"]
    done = subprocess.run([*command, str(results)], capture_output=True, text=True)
    assert done.returncode == 0 and "| `t` | exact | 400 of 400 |" in done.stdout
    results.write_text("[]")
    for path, says in ((results, "expected what bench/run overhead writes"), (tmp_path / "none.json", "No such file")):
        done = subprocess.run([*command, str(path)], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1 and says in done.stderr
