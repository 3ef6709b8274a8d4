"""vbtrace check: what holds passes, what does not fails with 1 and says what made it."""

import json
import re
import xml.etree.ElementTree

import pytest

import pairs
import vbt

PYTHON = "/usr/bin/python3"


def check(*arguments, status=0, stderr="", **options):
    done = vbt.vbtrace("check", *arguments, **options)
    assert (done.returncode, done.stderr) == (status, stderr), (done.returncode, done.stdout, done.stderr)
    return done.stdout


def results(*arguments, **options):
    """{limit: what is said of it}"""
    return {row["limit"]: row for row in json.loads(check("--format", "json", *arguments, **options))["limits"]}


def approved(path, *traces):
    runs = "1 run; several show what varies from run to run by itself" if len(traces) == 1 else f"{len(traces)} runs"
    assert check("--approve", "--against", path, *traces) == f"{path}: approved, of {runs}\n"
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return pairs.traced(pairs.compiled(tmp_path_factory.mktemp("base") / "old", pairs.BASE))


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """{the name of a pair: a trace of its old program, and one of its new}"""
    folder = tmp_path_factory.mktemp("changed")
    found = {}
    for number, pair in enumerate(pairs.PAIRS):
        (folder / str(number)).mkdir()
        found[pair.name] = pairs.traces_of(pair, folder / str(number))
    return found


# fill: 100 blocks of 100 bytes; store: 10 of 50, live at the peak; nest: 5 of 16.
@pytest.mark.parametrize(
    ("limit", "holds", "value"),
    [
        ("allocs <= 115", True, 115),
        ("allocs < 115", False, 115),
        ("allocs == 115", True, 115),
        ("allocs >= 116", False, 115),
        ("allocs > 114", True, 115),
        ("bytes <= 10KiB", False, 10580),
        ("bytes <= 10KiB ± 5%", True, 10580),
        ("bytes <= 10KiB ± 5% and ± 1KiB", True, 10580),
        ("bytes <= 10KiB ± 1% and ± 100B", False, 10580),
        ("peak <= 516", True, 516),
        ("left == 0", True, 0),
        ("temporary <= 104", False, 105),
        ("own: bytes == 10580", True, 10580),
        ("function fill: bytes <= 10000", True, 10000),
        ("function f*: allocs == 100", True, 100),
        ("function s?ore: peak <= 499B", False, 500),
        ("program.c:8: bytes == 10000", True, 10000),
        ("program.c:9: bytes == 0", True, 0),
        ("file program.c: allocs == 115", True, 115),
        ("file *.c: allocs == 115", True, 115),
    ],
)
def test_limits_hold_or_do_not(base, limit, holds, value):
    (row,) = results("--limit", limit, base, status=0 if holds else 1).values()
    assert (row["holds"], row["value"]) == (holds, value) and row["limit"] == limit


@pytest.mark.parametrize("pair", pairs.PAIRS, ids=lambda pair: pair.name)
def test_the_usual_limits_say_what_is_true(changed, pair):
    """More of anything fails, less passes, whether the baseline is a trace or a text."""
    old, new = changed[pair.name]
    total = {kind: sum(line[kind] for line in pair.lines.values()) for kind in pairs.counts()}
    expected = {"own: +allocs <= 0": total["allocs"], "own: +bytes <= 0": total["allocated_bytes"], "own: +left <= 0": total["live_bytes"]}
    for baseline in (old, approved(new.parent / "baseline.txt", old)):
        status = 1 if any(value > 0 for value in expected.values()) or total["at_peak_bytes"] > 4096 else 0
        found = results("--against", baseline, new, status=status)
        for limit, value in expected.items():
            assert (found[limit]["value"], found[limit]["holds"]) == (value, value <= 0)


def test_the_other_direction_can_be_asked_for(changed):
    old, new = changed["fewer iterations"]
    check("--against", old, "--limit", "+allocs <= 0", new)
    found = results("--against", old, "--limit", "+allocs == 0 ±5%", "--limit", "+bytes >= 0", new, status=1)
    assert [row["holds"] for row in found.values()] == [False, False]


def test_failure_text_is_short_and_says_what_made_the_difference(changed):
    old, new = changed["more is kept"]
    text = check("--against", old, "--limit", "+bytes <= 100B", new, status=1, env={"COLUMNS": "100"})
    lines = text.splitlines()
    assert len(lines) <= 10 and lines[0] == "FAILED: 1 of 1 limit does not hold"
    assert lines[1] == "FAILED  +bytes <= 100B: is +1000 B (10.3 KiB → 11.3 KiB)"
    assert lines[2] == "        lines  +1000 B  store (program.c:16)  kept[i] = malloc(50);"
    assert re.fullmatch(r"        path   .*main \(program\.c:33\), edited › store \(program\.c:16\)", lines[3])
    assert lines[4] == f"more    vbtrace diff {old} {new}"


def test_a_baseline_is_a_small_text_in_order(base, tmp_path):
    text = approved(tmp_path / "baseline.txt", base, base).read_text()
    assert text.splitlines()[0].startswith("# vbtrace baseline") and "\nruns 2\n" in text
    lines = text[text.index("\nfile ") :].splitlines()[1:]
    assert lines[0] == "file program.c" or lines[0].endswith("/program.c")
    assert lines[1:] == [
        "  function fill",
        "    | void *row = malloc(100);",
        "       allocs 100  bytes 10000  peak 0  left 0  blocks 0  temporary 100",
        "  function nest",
        "    | free(malloc(16));",
        "       allocs 5  bytes 80  peak 16  left 0  blocks 0  temporary 5",
        "  function store",
        "    | kept[i] = malloc(50);",
        "       allocs 10  bytes 500  peak 500  left 0  blocks 0  temporary 0",
    ]
    assert "total  allocs 115  bytes 10580  peak 516  left 0  blocks 0  temporary 105\nheap  peak 516\n" in text


def test_lines_that_moved_leave_the_baseline_as_it_is(changed, tmp_path):
    texts = [approved(tmp_path / f"{number}.txt", trace).read_text() for number, trace in enumerate(changed["lines shifted"])]
    without = [re.sub(r"^file .*$", "file", text, flags=re.MULTILINE) for text in texts]
    assert without[0] == without[1]


def test_a_missing_baseline_fails(base, tmp_path):
    path = tmp_path / "absent.txt"
    text = check("--against", path, base, status=1)
    assert text.splitlines()[:2] == ["FAILED: there is no baseline", f"FAILED  no baseline: {path} is not there; vbtrace check --approve --against {path} TRACE writes it"]


@pytest.mark.parametrize(("fact", "line", "other"), [("libc", r"libc .*", "libc musl 1.2"), ("program", "program .*", "program other"), ("libraries", r"library libc\.so\.6 .*", "library libc.so.6 00000000"), ("python", "runs 1", "python 3.1\nruns 1"), ("allocator", "runs 1", "allocator libjemalloc.so.2\nruns 1")])
def test_another_environment_fails(base, tmp_path, fact, line, other):
    path = approved(tmp_path / "baseline.txt", base)
    path.write_text(re.sub(line, other, path.read_text(), count=1))
    text = check("--against", path, base, status=1)
    assert text.startswith("FAILED: 1 fact of the environment differs from the baseline's\nFAILED  another ") and f"(--allow {fact})" in text
    check("--against", path, "--allow", f"vbtrace,{fact}", base)


def test_runs_that_vary_are_let_vary(tmp_path):
    text = pairs.BASE.replace("int main(void) {", "int main(int count, char **arguments) {").replace("fill(100)", "fill(100 + atoi(arguments[count - 1]))")
    program = pairs.compiled(tmp_path / "program", text)

    def run(more):
        (path,) = vbt.trace([program, str(more)]).paths
        return path

    path = approved(tmp_path / "baseline.txt", *[run(more) for more in (0, 3, 1)])
    assert "allocs 100..103" in path.read_text()
    for more in (0, 1, 2, 3, 4):
        check("--against", path, run(more))
    found = results("--against", path, run(20), status=1)
    assert found["own: +allocs <= 0"]["noisy"] and not found["own: +allocs <= 0"]["holds"]
    assert found["own: +left <= 0"]["holds"] and not found["own: +left <= 0"]["noisy"]


def test_unchanged_programs_never_fail(tmp_path):
    """Counts do not vary: over two hundred comparisons of runs of one program none fails."""
    program = pairs.compiled(tmp_path / "program", pairs.BASE)
    traces = [pairs.traced(program) for _ in range(15)]
    baselines = [approved(tmp_path / f"{number}.txt", trace) for number, trace in enumerate(traces)]
    for baseline in baselines:
        for trace in traces:
            check("--against", baseline, trace)


def test_formats_for_machines(changed):
    old, new = changed["a leak"]
    given = ["--against", old, "--limit", "+left <= 0", "--limit", "+allocs <= 0", new]
    suite = xml.etree.ElementTree.fromstring(check("--format", "junit", *given, status=1)).find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["+left <= 0"]
    sarif = json.loads(check("--format", "sarif", *given, status=1))
    (result,) = sarif["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert sarif["version"] == "2.1.0" and place["artifactLocation"]["uri"].endswith("program.c") and place["region"]["startLine"] == 16
    (annotation, verdict) = check("--format", "github", *given, status=1).splitlines()
    assert re.fullmatch(r"::error file=.*program\.c,line=16,title=vbtrace check::\+left <= 0: is \+50 B \(0 B → 50 B\)", annotation)
    assert verdict == "FAILED: 1 of 2 limits does not hold"
    assert check("--format", "markdown", *given, status=1).startswith("## vbtrace check\n\n**FAILED: 1 of 2 limits does not hold**\n")
    for kind in ("junit", "sarif", "github", "markdown", "text"):
        check("--format", kind, "--against", old, old)


def test_a_gate_that_does_nothing_is_noticed(base):
    """The positive control: a planted regression must be found by every limit."""
    text = check("--self-test", "--limit", "allocs <= 115", "--limit", "left == 0", "--limit", "function fill: bytes <= 10000", base)
    assert text.splitlines()[0] == "Self-test: all of 3 limits would notice a regression"
    text = check("--self-test", "--limit", "allocs <= 115", "--limit", "peak <= 40MiB", base, status=1)
    assert text.splitlines()[:2] == ["Self-test FAILED: 1 of 2 limits would not notice a regression", "FAILED  peak <= 40MiB: is 5.0 KiB"]
    check("--self-test", "--against", base, base)


BUDGETS = """\
import vbtrace

def load(n):  # vbtrace: left == 0, allocs <= 1000
    return [bytearray(10) for i in range(n)]

def main():
    with vbtrace.section("load", iterations=100):
        rows = load(100)
        text = "# vbtrace: no budget"
        copies = [bytes(row) for row in rows]  # vbtrace: allocs/iter <= LIMIT, bytes <= 200*n

main()
"""


def test_budgets_stand_in_the_source(tmp_path):
    traces = []
    for number, limit in enumerate(("3", "0.5")):
        (tmp_path / f"{number}").mkdir()
        program = tmp_path / f"{number}" / "budgets.py"
        program.write_text(BUDGETS.replace("LIMIT", limit))
        traces += vbt.trace([PYTHON, program], python_paths=[vbt.MODULE_DIRECTORY], env={"PYTHONHASHSEED": "0"}).paths
    good = results("--budgets", traces[0])
    assert len(good) == 4 and all(row["holds"] and row["matched"] for row in good.values())
    bad = results("--budgets", traces[1], status=1)
    assert [limit.rpartition("/budgets.py")[2] for limit, row in bad.items() if not row["holds"]] == [":10: allocs/iter <= 0.5"]
    assert re.search(r"file=.*budgets\.py,line=10,", check("--budgets", "--format", "github", traces[1], status=1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "check: expected --against BASELINE, --limit EXPR or --budgets: what should hold"),
        (["--limit", "x <= 1"], '--limit x <= 1: expected a quantity (allocs, bytes, peak, left, blocks, temporary, ...), found "x <= 1"'),
        (["--limit", "bytes <= 1s"], '--limit bytes <= 1s: expected a size, found "s"'),
        (["--limit", "bytes"], "--limit bytes: expected <=, <, >=, > or == at the end"),
        (["--limit", "bytes <= 5%"], "--limit bytes <= 5%: a share (%) is of the baseline: it needs a difference, such as +bytes <= 5%"),
        (["--limit", "own: rss < 1"], "--limit own: rss < 1: rss is not known of a part of the program"),
        (["--limit", "bytes <= 1 ± 5% or"], '--limit bytes <= 1 ± 5% or: expected the end, found "or"'),
        (["--limit", "+bytes <= 1"], "check: --limit +bytes <= 1: is about a difference; it needs --against BASELINE"),
        (["--approve"], "check: --approve needs --against FILE, the baseline that it writes"),
        (["--allow", "cpu", "--limit", "bytes < 1"], "--allow cpu: expected some of program, python, libc, vbtrace, native, allocator, libraries"),
    ],
)
def test_bad_usage_is_said_in_a_line(base, arguments, message):
    check(*arguments, base, status=2, stderr=f"vbtrace: {message}\n")


def test_bad_baselines_are_said_in_a_line(base, tmp_path):
    path = approved(tmp_path / "baseline.txt", base)
    good = path.read_text()
    for old, new, fault in [("allocs 115", "allocs many", "total  allocs many"), ("  function fill", "  fun fill", "  fun fill"), ("version 1", "version 9", "version 9")]:
        path.write_text(good.replace(old, new, 1))
        done = vbt.vbtrace("check", "--against", path, base)
        assert (done.returncode, done.stdout) == (2, "") and re.match(rf"vbtrace: {re.escape(str(path))}: line \d+: expected what vbtrace check --approve writes, found \"{fault}", done.stderr)
    other = tmp_path / "notes.txt"
    other.write_text("mine\n")
    check("--approve", "--against", other, base, status=2, stderr=f"vbtrace: {other}: is no baseline that vbtrace check --approve wrote; choose another name for --against\n")
    assert other.read_text() == "mine\n"
