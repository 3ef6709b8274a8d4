"""vbtrace diff: what it says of pairs of programs with one known change each."""

import csv
import io
import json
import re

import pytest

import golden
import pairs
import vbt

PYTHON = "/usr/bin/python3"
KINDS = ("allocs", "allocated_bytes", "at_peak_bytes", "live_bytes", "live_blocks", "temporary_allocs")


def diff(*arguments, quiet=True):
    done = vbt.vbtrace("diff", *arguments)
    assert done.returncode == 0 and (not quiet or not done.stderr), done.stderr
    return done.stdout


def data(*arguments):
    return json.loads(diff("--format", "json", *arguments))


def sums(rows, which="difference", scale=1):
    """Means of several runs, times `scale`, are whole."""
    return {kind: sum(round(row[which][kind] * scale) for row in rows) for kind in KINDS}


def check_sums(found):
    """All rows add up, on both sides and so in their differences."""
    assert found["conservation"] == {"holds": True, "difference": None}
    scale = len(found["old_runs"]) * len(found["new_runs"])
    for table in ("lines", "functions", "modules"):
        for which in ("old", "new", "difference"):
            assert sums(found[table], which, scale) == sums([found["totals"]], which, scale), (table, which)
    assert sums(found["calls"], "difference", scale) == sums([found["totals"]], "difference", scale)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """{the name of a pair: what diff says of it, as JSON, and its traces}"""
    found = {}
    for pair in pairs.PAIRS:
        traces = pairs.traces_of(pair, tmp_path_factory.mktemp("pair"))
        found[pair.name] = (data(*traces), traces)
    return found


@pytest.mark.parametrize("pair", pairs.PAIRS, ids=lambda pair: pair.name)
def test_a_known_change_is_all_that_is_found(compared, pair):
    found, _ = compared[pair.name]
    changed = {}
    for row in found["lines"]:
        if row["changed"]:
            key = (row["function"], row["source"])
            before = changed.get(key, dict.fromkeys(KINDS, 0))
            changed[key] = {kind: before[kind] + row["difference"][kind] for kind in KINDS}
    assert changed == pair.lines
    assert found["differs"] == bool(pair.lines) and (found["line_counts"]["moved"] > 0) == pair.moved
    assert found["totals"]["difference"] == {kind: sum(line[kind] for line in pair.lines.values()) for kind in KINDS}
    check_sums(found)


@pytest.mark.parametrize("pair", pairs.PAIRS, ids=lambda pair: pair.name)
def test_the_other_way_round_everything_is_negative(compared, pair):
    found, (old, new) = compared[pair.name]
    back = data(new, old)
    for name in ("totals", "runs"):
        whole = {kind: -value for kind, value in found[name]["difference"].items()}
        assert back[name]["difference"] == whole

    def by_place(report, sign):
        return sorted((row["function"] if row["was"] is None else "", sign * row["difference"]["allocs"], sign * row["difference"]["live_bytes"]) for row in report["lines"] if row["changed"])

    assert by_place(back, -1) == by_place(found, 1)


def test_the_verdict_says_what_it_comes_to(compared):
    verdicts = {name: found["verdict"] for name, (found, _) in compared.items()}
    assert verdicts["nothing"] == "No change: all counts of 3 lines are the same."
    assert verdicts["a leak"] == "+50 B left at the end (new); 1 line changed."
    assert verdicts["more iterations"] == "+50 allocations (+43.5%), +4.9 KiB allocated (+47.3%); 1 line changed."
    assert verdicts["a function taken apart"] == "The totals are the same, but 2 lines changed."


def test_renamed_functions_and_moved_files_are_the_same(compared, tmp_path):
    found, _ = compared["a function renamed"]
    assert [row["was"]["function"] for row in found["functions"] if row["function"] == "fill_rows"] == ["fill"]
    old, new = (pairs.traced(pairs.compiled(tmp_path / name, pairs.BASE, f"{name}.c")) for name in ("program", "other"))
    moved = data(old, new)
    assert not moved["differs"] and moved["line_counts"]["changed"] == 0
    assert {row["was"]["file"].rpartition("/")[2] for row in moved["lines"] if row["was"]} == {"program.c"}
    check_sums(moved)


def test_without_source_lines_are_found_by_their_distance(tmp_path):
    old, new = (pairs.compiled(tmp_path / side, text) for side, text in (("old", pairs.BASE), ("new", "\n\n" + pairs.BASE)))
    traces = [pairs.traced(program) for program in (old, new)]
    for side in ("old", "new"):
        (tmp_path / side / "program.c").unlink()
    found = data(*traces)
    assert not found["differs"] and found["line_counts"]["moved"] > 0
    assert any("was not to be had" in note for note in found["notes"])


def test_text_shows_what_changed_most_first(compared):
    _, traces = compared["an allocation more in a loop"]
    for width in (80, 120):
        done = vbt.vbtrace("diff", *traces, env={"COLUMNS": str(width)})
        lines = done.stdout.splitlines()
        assert max(map(len, lines)) <= width
        table = lines[lines.index(next(line for line in lines if line.startswith("Lines"))) :]
        assert re.fullmatch(r" +\+100 +\+800 B +\+100 +new +fill \(program\.c:10\)( +void \*more = mal.*)?", table[2]), table[2]
        assert re.fullmatch(r" +\+100 +\+800 B +total", table[4]), table[4]


def test_only_one_table(compared):
    _, traces = compared["an allocation more in a loop"]
    whole = diff(*traces)
    for name, title in (("totals", "Totals"), ("lines", "Lines"), ("functions", "Functions"), ("tree", "Call paths"), ("modules", "Modules")):
        text = diff("--table", name, *traces)
        assert text.startswith(title) and text in whole


def test_csv_has_the_rows_of_json(compared):
    found, traces = compared["a line edited"]
    rows = list(csv.DictReader(io.StringIO(diff("--format", "csv", *traces))))
    assert [(row["status"], row["new_function"], row["new_source"]) for row in rows] == [(row["status"], row["function"], row["source"] or "") for row in found["lines"]]
    for kind in KINDS:
        assert [int(row[f"difference_{kind}"]) for row in rows] == [row["difference"][kind] for row in found["lines"]]
    tree = list(csv.DictReader(io.StringIO(diff("--format", "csv", "--table", "tree", *traces))))
    assert sum(int(row["difference_allocated_bytes"]) for row in tree) == found["totals"]["difference"]["allocated_bytes"]


def test_markdown_is_a_comment(compared):
    _, traces = compared["a leak"]
    text = diff("--format", "markdown", *traces)
    assert text.startswith("## vbtrace diff\n\n**+50 B left at the end (new); 1 line changed.**\n")
    assert "| +50 B | left new | store (program.c:16) | kept\\[i\\] = malloc(50); |" in text


def test_filters_hold_on_both_sides(compared):
    _, traces = compared["an allocation more in a loop"]
    found = data("--filter", "function=^fill$", *traces)
    assert found["totals"]["difference"] == pairs.counts(100, 800)
    assert {row["function"] for row in found["lines"]} == {"fill"}
    check_sums(found)


PROGRAM = """\
import json
import vbtrace

def rows(n):
    return [{"number": i, "text": str(i) * 3} for i in range(n)]

def parse(text):
    return json.loads(text)

text = json.dumps(rows(200))
with vbtrace.section("parse", iterations=200):
    parsed = parse(text)
kept = {row["text"]: row for row in parsed}
"""


def python_trace(folder, text, name="orders.py", **options):
    folder.mkdir(exist_ok=True)
    if not (folder / name).exists():  # else it would be newer than the first trace
        (folder / name).write_text(text)
    environment = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", **options}
    (path,) = vbt.trace([PYTHON, folder / name], python_paths=[vbt.MODULE_DIRECTORY], env=environment).paths
    return path


def test_python_lines_sections_and_paths(tmp_path):
    old = python_trace(tmp_path / "old", PROGRAM)
    new = python_trace(tmp_path / "new", PROGRAM.replace("import json\n", "import json\n\n\n").replace("parse(", "read(").replace("json.dumps(rows(200))", "json.dumps(rows(200), indent=1)"))
    found = data(old, new)
    check_sums(found)
    (section,) = [row for row in found["sections"] if row["label"] == "parse"]
    assert section["old"]["iterations"] == section["new"]["iterations"] == 200
    mine = {(row["function"], row["source"]): row for row in found["lines"] if row["user"] and row["file"].endswith("orders.py")}
    (same,) = [row for (_, source), row in mine.items() if (source or "").startswith("return [{") and row["old"]["allocs"] >= 200]
    assert same["status"] == "same" and same["was"]["line"] == same["line"] - 2
    renamed = mine["read", "return json.loads(text)"]
    assert renamed["was"]["function"] == "parse"
    edited = mine["<module>", "text = json.dumps(rows(200), indent=1)"]
    assert edited["was"]["source"] == "text = json.dumps(rows(200))" and edited["difference"]["allocs"] > 0


def test_several_runs_tell_noise_from_change(tmp_path):
    noisy = "import os\ndef noise():\n    return [bytes(100 + i) for i in range(int(os.environ['NOISE']))]\ndef work():\n    return [bytearray(50) for i in range(10)]\nkept = noise(), work()\n"
    old = [python_trace(tmp_path / "old", noisy, NOISE=str(n)) for n in (10, 30, 20, 25, 15)]
    new = [python_trace(tmp_path / "new", noisy.replace("range(10)", "range(11)"), NOISE=str(n)) for n in (12, 28, 21, 24, 16)]
    found = data(*old, "--", *new)
    check_sums(found)
    by_allocs = sorted(found["lines"], key=lambda row: row["new"]["allocs"])  # a comprehension may be a function of its own
    rows = {row["source"]: row for row in by_allocs if row["file"].endswith("orders.py")}
    changed, noise = rows["return [bytearray(50) for i in range(11)]"], rows["return [bytes(100 + i) for i in range(int(os.environ['NOISE']))]"]
    assert "allocs" in changed["changed"] and "allocs" not in changed["noisy"] and changed["difference"]["allocs"] == 2
    assert "allocs" in noise["noisy"] and noise["changed"] == [] and noise["status"] == "same"
    much = [python_trace(tmp_path / "much", noisy, NOISE=str(n)) for n in (112, 128, 121, 124, 116)]
    more = data(*old, "--", *much)
    row = max((row for row in more["lines"] if row["source"] == noise["source"] and row["changed"]), key=lambda row: row["new"]["allocs"])
    assert "allocs" in row["changed"] and row["status"] == "grown" and dict((test["name"], test["p"]) for test in row["p"])["allocs"] <= 0.05


def test_a_folder_of_repetitions_is_several_runs(tmp_path):
    folder = tmp_path / "runs"
    program = pairs.compiled(tmp_path / "program", pairs.BASE)
    for _ in range(3):
        vbt.run([program], traced=folder) if folder.mkdir(exist_ok=True) is None else None
    found = data(folder, *[path for path in sorted(folder.glob("*.vbt"))][:1])
    assert len(found["old_runs"]) == 3 and len(found["new_runs"]) == 1 and not found["differs"]
    assert len(data("--runs", "one", folder, folder)["old_runs"]) == 1
    assert len(data("--runs", "each", folder, folder)["new_runs"]) == 3
    check_sums(found)


def test_a_folder_of_one_run_of_several_processes_is_one_run():
    code = "import subprocess, sys; [subprocess.run([sys.executable, '-c', 'pass'], check=True) for i in range(2)]"
    run = vbt.trace([PYTHON, "-c", code])
    assert len(run.paths) == 3
    (folder,) = {path.parent for path in run.paths}
    found = data(folder, folder)
    assert [row["processes"] for row in found["old_runs"]] == [3] and not found["differs"]
    check_sums(found)


def test_what_cannot_be_compared_says_so(tmp_path):
    trace = str(pairs.traced(pairs.compiled(tmp_path / "program", pairs.BASE)))
    for arguments, message in [
        ([trace], f"vbtrace: diff: expected two sides, OLD and NEW, found only {trace}\n"),
        ([trace, trace, trace], "vbtrace: diff: found 3 traces; of several runs a side, put -- between the sides: OLD ... -- NEW ...\n"),
        ([trace, tmp_path / "absent"], f"vbtrace: {tmp_path / 'absent'}: cannot be opened: No such file or directory\n"),
        (["--table", "lines", "--format", "json", trace, trace], "vbtrace: diff: --table has no effect with --format json, which has all\n"),
    ]:
        done = vbt.vbtrace("diff", *arguments)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr == message


ORDER = """\
import os
seen = []
for word in {str(number) for number in range(1000)}:  # in an order that its hashes make
    seen.append([word])
    if word == "500":
        break
"""


def notes(*arguments):
    return " ".join(data(*arguments)["notes"])


def test_known_sources_of_noise_are_named(tmp_path):
    runs = [python_trace(tmp_path / "order", ORDER, "order.py", PYTHONHASHSEED=str(seed)) for seed in range(1, 5)]
    assert "PYTHONHASHSEED=0" in notes(*runs[:2], "--", *runs[2:])
    assert "PYTHONHASHSEED" not in notes(runs[0], runs[0])


def test_a_folder_that_imports_look_into_is_named(tmp_path):
    before = python_trace(tmp_path / "program", PROGRAM)
    for number in range(200):
        (tmp_path / "program" / f"{number}.txt").write_text("")
    after = python_trace(tmp_path / "program", PROGRAM)
    assert "a folder that imports look into" in notes(before, after)
    assert "a folder that imports look into" not in notes(before, before)


def test_modules_that_are_compiled_are_named(tmp_path):
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "helper.py").write_text("def help():\n    return 1\n")
    text = "import helper\nhelper.help()\n"
    first, second = (python_trace(tmp_path / "program", text, "main.py", PYTHONDONTWRITEBYTECODE="") for _ in range(2))
    assert "modules that are compiled" in notes(first, second)
    assert "modules that are compiled" not in notes(second, second)


GOLDEN = sorted(path for path in golden.TRACES.iterdir())


@pytest.mark.parametrize("number", range(len(GOLDEN)), ids=lambda number: GOLDEN[number].stem)
def test_rows_of_real_programs_add_up(number):
    """Python, NumPy, C++, Rust, threads, several processes, one that was killed."""
    check_sums(json.loads(vbt.vbtrace("diff", "--format", "json", GOLDEN[number], GOLDEN[number - 1], check=True).stdout))
