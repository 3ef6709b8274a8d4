"""What `vbtrace html` puts into a page is what the reports say, for any window of the run. The data
are read by tests/support/page_reader.py, from analyzer/report/page/DATA.md alone."""

import collections
import json
import os
import random
import shutil
import signal
import subprocess

import golden
import page_reader
import pytest
import vbt

PYTHON = "/usr/bin/python3"
LIVE = ("live_blocks", "live_bytes")
COUNTS = page_reader.COUNTS + LIVE
WITHOUT = "built without the page"


@pytest.fixture(scope="module", autouse=True)
def built():
    if WITHOUT in vbt.vbtrace("html", "-o", "/dev/null", "no.vbt").stderr:
        pytest.skip("vbtrace was built without the page: there is no Node.js, or no npm")


def shown(view, *arguments):
    done = vbt.vbtrace(view, "--format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def written(path, *arguments):
    """The page of some traces; path: where to write it."""
    done = vbt.vbtrace("html", "-o", path, *arguments)
    assert done.returncode == 0, done.stderr
    return page_reader.read(path)


def summed(rows, names):
    """Sums by line of rows of JSON, those of 0 left out."""
    sums = collections.defaultdict(collections.Counter)
    for row in rows:
        for name in names:
            sums[row["file"], row["line"], row["function"]][name] += row[name]
    return {key: +counts for key, counts in sums.items() if +counts}


def nonzero(sums, names):
    sums = {key: collections.Counter({name: counts[name] for name in names}) for key, counts in sums.items()}
    return {key: +counts for key, counts in sums.items() if +counts}


def compare(page, begin, end, traces, options=()):
    """From one step to another: totals by domain, lines, and lines of the user."""
    last = len(page.steps) - 1
    part = ["--from", f"{page.steps[begin]}ns"] if begin > 0 else []
    part += ["--to", f"{page.steps[end]}ns"] if end < last else []
    report = shown("report", *options, *part, *traces)
    cells = page.cells(begin, end)
    if not options:
        domains = page.domains(cells)
        for name, totals in report["totals"]["domains"].items():
            assert {count: domains[name][count] for count in COUNTS} == {count: totals[count] for count in COUNTS}, (begin, end, name)
    names = COUNTS
    if cells and cells[0]["at_peak_bytes"] is not None and report["totals"]["peak_bytes"] is not None:
        names += ("at_peak_bytes",)
    assert nonzero(page.lines(cells, "leaf"), names) == summed(report["lines"], names), (begin, end)
    assert nonzero(page.lines(cells, "user"), names) == summed(report["user_lines"], names), (begin, end)


def compare_windows(page, *traces):
    """The whole run, every step alone if they are few, and some windows."""
    last = len(page.steps) - 1
    draw = random.Random(1)
    windows = [(0, last)] + [(step, step + 1) for step in draw.sample(range(last), min(last, 4))]
    windows += [tuple(sorted(draw.sample(range(last + 1), 2))) for _ in range(4)]
    for begin, end in sorted(set(windows)):
        compare(page, begin, end, traces)


WORKS = {
    "objects": "kept.append([str(step)] * 50); json.loads('[1, 2, {\"a\": 3}]'); len(kept) > 60 and kept.clear()",
    "threads": "t = [threading.Thread(target=lambda: kept.append(bytes(500 + step))) for i in range(3)]; [x.start() for x in t]; [x.join() for x in t]",
    "mapped": "m = mmap.mmap(-1, 8192); kept.append(m); len(kept) > 20 and [x.close() for x in kept] and kept.clear()",
}
PROGRAM = """
import json, mmap, threading, time
kept = []
end = time.monotonic() + 2
step = 0
while time.monotonic() < end:
    step += 1
    WORK
    time.sleep(0.002)
"""


@pytest.mark.parametrize("work", WORKS)
def test_windows_of_a_program_are_as_reported(work, tmp_path):
    trace = vbt.trace([PYTHON, "-c", PROGRAM.replace("WORK", WORKS[work])]).paths[0]
    compare_windows(written(tmp_path / "page.html", trace), trace)


def test_windows_of_a_killed_program_are_as_reported(tmp_path):
    code = PROGRAM.replace("WORK", WORKS["objects"]) + "\nimport os; os.kill(os.getpid(), 9)"
    trace = vbt.trace([PYTHON, "-c", code], status=-signal.SIGKILL).paths[0]
    compare_windows(written(tmp_path / "page.html", trace), trace)


def test_what_was_live_is_what_the_program_held(tmp_path):
    """The program waits until the trace has a state of each of its steps."""
    path, source = tmp_path / "held.vbt", vbt.program("held_blocks.c")
    run = vbt.trace([vbt.compiled("held_blocks.c"), path], tmp_path, env={"VBTRACE_OUTPUT": str(path)})
    started, line = run.report.json["program"]["started_ns"], vbt.line_of(source, "// held")
    page = written(tmp_path / "page.html", path)
    assert len(page.steps) > 6
    compare_windows(page, path)
    for time, allocs, live in (map(int, text.split()) for text in run.stdout.splitlines()):
        until = written(tmp_path / "until.html", "--to", f"{time - started}ns", path)
        (counts,) = [counts for (_, number, _), counts in until.lines(until.cells(), "leaf").items() if number == line]
        assert (counts["allocs"], counts["live_blocks"], counts["live_bytes"]) == (allocs, live, 100 * live)


FORKS = """
import os, time
inherited = [bytes(5000) for i in range(200)]
children = []
for number in range(3):
    child = os.fork()
    if child == 0:
        own = []
        for i in range(100):
            own.append(bytearray(3000 + number))
            time.sleep(0.003)
            if i == 50 and number > 0:
                inherited.clear()
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""


def test_windows_of_several_processes_are_as_reported(tmp_path):
    """Whose inherited blocks are another's, and freed at different times."""
    run = vbt.trace([PYTHON, "-c", FORKS], directory=tmp_path)
    assert len(run.paths) == 4
    page = written(tmp_path / "page.html", tmp_path)
    compare_windows(page, tmp_path)
    assert page.header["peak_step"] is None
    assert len(page.header["processes"]) == 4
    for number, process in enumerate(page.header["processes"]):
        assert of_owner(page, number, "allocs", "allocs") == process["allocs"]
    merged = tmp_path / "merged"
    assert vbt.vbtrace("merge", "-o", merged, tmp_path).returncode == 0
    whole = written(tmp_path / "merged.html", merged)
    assert len(whole.steps) == 2
    compare(whole, 0, 1, [merged])


def of_owner(page, owner, name, column):
    """What a thread or process did, in the heap and Python domains; column: what parts call it."""
    cells, domains = page.cells(), page.of("cell.domain")
    total = sum(cell[name] for cell, domain, whose in zip(cells, domains, page.of("cell.owner")) if domain < 2 and whose == owner + 1)
    return total + sum(value for cell, whose, value in page.rows("part", "cell", "owner", column) if domains[cell] < 2 and whose == owner + 1)


@pytest.mark.parametrize("name", golden.SAMPLES)
def test_a_page_has_what_reports_have(name, tmp_path):
    trace = golden.trace_of(name)
    page = written(tmp_path / "page.html", trace)
    compare(page, 0, len(page.steps) - 1, [trace])
    report = shown("report", trace)
    same = "schema vbtrace program processes together totals resident complete damage end_reason conservation stacks verify threads unended_sections"
    for member in same.split():
        assert page.header[member] == report[member], member
    assert page.header["view"] == "html"
    # The page asks for names of whole stacks, the report for those of lines.
    assert [note for note in page.header["notes"] if " no name " not in note] == [note for note in report["notes"] if " no name " not in note]
    assert page.header["intervals"] == shown("intervals", trace)["intervals"]
    lines = shown("lines", trace)
    for member in ("line_events", "line_profile"):
        assert page.header.get(member) == lines.get(member), member
    ticks = shown("timeline", trace)["timeline"]
    course = page.header["timeline"]
    if len(ticks) <= 1000:
        assert [dict(zip(course, row)) for row in zip(*course.values())] == ticks
    assert max(course["heap_bytes"], default=0) == max((tick["heap_bytes"] for tick in ticks), default=0)


def test_threads_did_what_is_said(tmp_path):
    trace = golden.trace_of("threads")
    page = written(tmp_path / "page.html", trace)
    assert len(page.header["threads"]) > 1
    for thread in page.header["threads"]:
        for name, column in (("allocs", "allocs"), ("allocated_bytes", "bytes"), ("temporary_allocs", "temporary")):
            assert of_owner(page, thread["thread"], name, column) == thread[name], (thread["label"], name)
    # What is live belongs to the thread that allocated it.
    live = collections.Counter()
    for row in shown("tree", "--by", "thread", trace)["calls"]:
        if row["parent"] == 0 and row["id"] != 0:
            live[row["function"]] = row["cumulative_live_bytes"]
    cells, domains = page.cells(), page.of("cell.domain")
    ours = collections.Counter()
    for cell, domain, owner in zip(cells, domains, page.of("cell.owner")):
        ours[owner - 1] += cell["live_bytes"] if domain < 2 and owner > 0 else 0
    for cell, owner, value in page.rows("part", "cell", "owner", "live_bytes"):
        ours[owner - 1] += value if domains[cell] < 2 else 0
    labels = {thread["thread"]: thread["label"] for thread in page.header["threads"]}
    assert +collections.Counter({labels.get(thread, "[unknown thread]"): value for thread, value in ours.items()}) == +live


def test_calls_are_those_of_the_tree(tmp_path):
    """Each path from the outside in, with what was counted at it itself."""
    trace = golden.trace_of("cpp")
    page = written(tmp_path / "page.html", trace)
    paths = {0: ()}
    for row in shown("tree", trace)["calls"]:
        if row["id"] != 0:
            paths[row["id"]] = paths[row["parent"]] + ((row["file"], row["line"], row["function"]),)
    expected = {paths[row["id"]]: row["allocs"] for row in shown("tree", trace)["calls"] if row["allocs"]}
    ours = collections.Counter()
    places, parents = page.places(), page.of("node.parent")
    for node, domain, cell in zip(page.of("cell.node"), page.of("cell.domain"), page.cells()):
        path = []
        while node != 0:
            path.insert(0, places[node])
            assert parents[node] < node
            node = parents[node]
        ours[tuple(path)] += cell["allocs"] if domain < 2 else 0
    assert +ours == collections.Counter(expected)


def test_filters_hold_for_the_page(tmp_path):
    trace = golden.trace_of("script")
    (function,) = {row["function"] for row in shown("lines", "--limit", "1", trace)["lines"]}
    filters = ["--filter", f"function=^{function}$", "--filter", "domain=python"]
    page = written(tmp_path / "page.html", *filters, trace)
    assert page.header["filters"] == filters[1::2]
    compare(page, 0, 1, [trace], filters)
    assert sum(cell["allocs"] for cell in page.cells()) > 0
    done = vbt.vbtrace("html", "-o", tmp_path / "none.html", "--filter", "function=nowhere", trace)
    assert done.returncode == 0 and done.stderr == f"vbtrace: warning: {trace}: nothing passes --filter\n"


def test_a_part_of_the_run(tmp_path):
    trace = vbt.trace([PYTHON, "-c", PROGRAM.replace("WORK", WORKS["objects"])]).paths[0]
    whole = written(tmp_path / "whole.html", trace)
    begin, end = f"{whole.steps[1]}ns", f"{whole.steps[-1]}ns"
    page = written(tmp_path / "part.html", "--from", begin, "--to", end, trace)
    report = shown("report", "--from", begin, "--to", end, trace)
    assert page.header["part"] == report["part"] and page.header["part_text"].startswith("From ")
    assert (page.steps[0], page.steps[-1]) == (report["part"]["from_ns"], report["part"]["to_ns"])
    assert page.header["totals"] == report["totals"] and page.header["notes"] == report["notes"]
    cells = page.cells()
    assert nonzero(page.lines(cells, "leaf"), COUNTS) == summed(report["lines"], COUNTS)


def test_the_same_input_gives_the_same_bytes(tmp_path):
    run = vbt.trace([vbt.compiled("pool_sums.c")], directory=tmp_path)
    assert len(run.paths) > 2
    pages = set()
    for number, names in enumerate((run.paths, run.paths[::-1], run.paths)):
        page = tmp_path / f"{number}.html"
        env = {"TZ": ("UTC", "Asia/Tokyo")[number % 2], "LC_ALL": ("C", "C.UTF-8")[number % 2]}
        assert vbt.vbtrace("html", "-o", page, *names, env=env).returncode == 0
        pages.add(page.read_bytes())
    assert len(pages) == 1


ODD = ["</script><script>alert(1)</script>", "<!--<script>", "\"'&<b>", "\u202egnp.exe\u202c", "\x1b[31mred", "]]>", "{{against}}", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")]


def test_names_stay_text(tmp_path):
    """Functions, files and sections may be called as they like: the page is the bundled one, with
    data in two places."""
    folder = tmp_path / "<" / "script><b>"  # "</script><b>", once it is a path
    folder.mkdir(parents=True)
    script = folder / "\u202eodd.py"
    script.write_text(
        "import vbtrace\nkept = []\n"
        + "".join(f"def f{i}(): kept.append(bytes(1000))  # {name!r}\nf{i}.__code__ = f{i}.__code__.replace(co_name={name!r}, **({{'co_qualname': {name!r}}} if hasattr(f{i}.__code__, 'co_qualname') else {{}}))\n" for i, name in enumerate(ODD))
        + "".join(f"with vbtrace.section({name!r}): f{i}()\n" for i, name in enumerate(ODD)),
        encoding="utf-8",
    )
    trace = vbt.trace([PYTHON, script], python_paths=[vbt.MODULE_DIRECTORY]).paths[0]
    page = written(tmp_path / "page.html", trace)
    text = (tmp_path / "page.html").read_text()
    template = (vbt.BUILD / "page" / "page.html").read_text()
    data = page_reader.element(text, "data")
    assert text == template.replace("{{data}}", data).replace("{{against}}", "")
    strings, files = page.header["strings"], page.header["files"]
    assert set(ODD) <= set(strings) and str(script) in strings
    assert set(ODD) <= {row["label"] for row in page.header["intervals"]}
    (source,) = [file for file in files if strings[file["file"]] == str(script)]
    assert "\n".join(line for part in source["parts"] for line in part["text"]) + "\n" == script.read_text(encoding="utf-8")


SECRET = "the text of nobody's business"


def test_no_source_leaves_sources_out(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"kept = [bytes(1000) for i in range(100)]  # {SECRET}\nprint(len(kept))  # {SECRET}\n")
    trace = vbt.trace([PYTHON, script], env={"VBTRACE_LINES": "1"}).paths[0]
    with_text, without = written(tmp_path / "with.html", trace), written(tmp_path / "without.html", "--no-source", trace)
    assert json.dumps(with_text.header).count(SECRET) >= 4  # in files, and in line_profile
    assert SECRET not in json.dumps(without.header)
    assert without.header["files"] == [] and len(without.header["line_profile"]) == len(with_text.header["line_profile"])
    assert without.columns == with_text.columns


def test_large_sources_are_shown_around_their_lines(tmp_path):
    module = tmp_path / "module.py"
    module.write_text("\n" * 5000 + "def f(): return bytes(10000)\n" + "# after\n" * 5000)
    script = tmp_path / "script.py"
    script.write_text("import module\nkept = module.f()\n" + "x" + "é" * 1000 + " = 1\n")
    trace = vbt.trace([PYTHON, script], python_paths=[tmp_path]).paths[0]
    page = written(tmp_path / "page.html", trace)
    strings = page.header["strings"]
    files = {os.path.basename(strings[file["file"]]): file["parts"] for file in page.header["files"]}
    parts = {part["line"]: part["text"] for part in files["module.py"]}
    (start,) = [line for line, text in parts.items() if line <= 5001 < line + len(text)]
    assert parts[start][5001 - start] == "def f(): return bytes(10000)"
    assert sum(map(len, parts.values())) < 100
    (whole,) = files["script.py"]
    assert whole["line"] == 1 and whole["text"][:2] == ["import module", "kept = module.f()"]
    assert whole["text"][2] == "x" + "é" * 249 + "…"


def test_against_an_older_run(tmp_path):
    new, old = golden.trace_of("cpp"), golden.trace_of("script")
    page = written(tmp_path / "page.html", "--against", old, new)
    compare(page, 0, len(page.steps) - 1, [new])
    before = page_reader.read(tmp_path / "page.html", "against")
    compare(before, 0, len(before.steps) - 1, [old])
    assert before.header["trace"] == str(old) and before.header["files"] == []
    alone = written(tmp_path / "alone.html", new)
    assert alone.header == page.header
    assert page_reader.element((tmp_path / "alone.html").read_text(), "against") == ""


def refused(text, *arguments):
    done = vbt.vbtrace("html", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"vbtrace: {text}\n")


def test_what_cannot_be_done_is_said(tmp_path):
    trace = tmp_path / "trace.vbt"
    shutil.copy(golden.trace_of("cpp"), trace)
    before = trace.read_bytes()
    page = tmp_path / "page.html"
    refused("missing.vbt: cannot be opened: No such file or directory", "-o", page, "missing.vbt")
    refused("missing.vbt: cannot be opened: No such file or directory", "-o", page, "--against", "missing.vbt", trace)
    refused("/dev/full: cannot be written: No space left on device", "-o", "/dev/full", trace)
    refused(f"{tmp_path}/no/page.html: cannot be written: No such file or directory", "-o", tmp_path / "no" / "page.html", trace)
    refused(f"{trace}: is the trace itself; choose another name for --output", "-o", trace, trace)
    refused(f"{trace}: is what --against reads; choose another name for --output", "-o", trace, "--against", trace, golden.trace_of("cpp"))
    refused("html does not take --format; see vbtrace html --help", "--format", "json", trace)
    assert not page.exists() and trace.read_bytes() == before


def test_a_tool_without_the_page_says_so(tmp_path):
    """As it is built where there is no Node.js."""
    tool = tmp_path / "vbtrace"
    sources = [vbt.ROOT / "analyzer" / "main.c", vbt.ROOT / "analyzer" / "report" / "page" / "page_template.c"]
    archives = [vbt.BUILD / "analyzer" / "libvbt_analyzer.a", vbt.BUILD / "format" / "libvbt_format.a"]
    libraries = ["-lzstd", "-lz", "-ljansson", "-ldw", "-lelf", "-liberty", "-lpthread", "-lm"]
    vbt.run(["gcc", "-D_GNU_SOURCE=", '-DVBT_VERSION="0.1.0"', f"-I{vbt.ROOT}", "-o", tool, *sources, *archives, *libraries], check=True)
    done = vbt.run([tool, "html", "-o", tmp_path / "page.html", golden.trace_of("cpp")])
    assert (done.returncode, done.stdout) == (2, "") and not (tmp_path / "page.html").exists()
    assert done.stderr == f"vbtrace: html: this vbtrace was {WITHOUT}, which takes Node.js 18 or newer and npm\n"
    assert vbt.run([tool, "report", golden.trace_of("cpp")]).returncode == 0


def configured(folder, *options, **env):
    """What CMake says of the page."""
    done = vbt.run(["cmake", "-S", vbt.ROOT, "-B", folder, "-D", "VBT_TESTS=OFF", *options], env=env, stderr=subprocess.STDOUT)
    return done.returncode, [line.removeprefix("-- ") for line in done.stdout.splitlines() if "vbtrace html" in line]


def test_a_build_without_packages_goes_on(tmp_path):
    nowhere = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_cache": str(tmp_path / "cache")}
    status, said = configured(tmp_path / "build", **nowhere)
    assert status == 0 and said == [f"vbtrace html: not built: npm ci failed, see {tmp_path}/build/page/npm.log"]
    status, said = configured(tmp_path / "build", "-D", "VBT_PAGE=ON", **nowhere)
    assert status == 1 and "the page cannot be built: npm ci failed" in said[0]
    status, said = configured(tmp_path / "build", "-D", "VBT_PAGE=OFF", **nowhere)
    assert (status, said) == (0, ["vbtrace html: not built: VBT_PAGE is OFF"])
    modules = vbt.BUILD / "page" / "node_modules"
    status, said = configured(tmp_path / "build", "-D", "VBT_PAGE=ON", "-D", f"VBT_PAGE_MODULES={modules}", **nowhere)
    assert status == 0 and said[0].startswith("vbtrace html: built with ") and said[0].endswith(str(modules))
