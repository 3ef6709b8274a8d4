"""The source of code that is in no file: cells of a notebook, doctests, standard input, -c. The
trace has it, with counted lines or without, and nothing is counted for it."""

import pytest

import vbt

BODY = "def made(n):\n    first = 'caf\u00e9'\n    return [bytes(n) for i in range(50)]\nkept = made(3000)\n"
LINE = "    return [bytes(n) for i in range(50)]"

CELLS = f"""
import linecache
text = {BODY!r}
for name in "/tmp/ipykernel_4711/1234.py", "<ipython-input-3-abc>", "<python-input-0>":
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile(text, name, "exec"), {{}})
    linecache.clearcache() if name == "<python-input-0>" else None
"""

DOCTEST = '''
def f():
    """
    >>> kept = [bytes(1000)
    ...         for i in range(50)]
    >>> for i in range(50):
    ...     kept.append(bytes(2000))
    """

import doctest, linecache
print(doctest.testmod())
print(linecache.getlines.__name__)
'''


def sources(path):
    """{(file, line): source} of the user's lines."""
    report = vbt.Report(path)
    assert report.totals["lost_events"] == 0
    return {(row["file"], row["line"]): row["source"] for row in report.json["lines"] if row["user"]}


@pytest.fixture(params=["", "1"], ids=["", "counted"])
def run(request, interpreter, tmp_path):
    """Runs an interpreter; returns what it printed, and the sources in its trace."""

    def start(*arguments, **options):
        env = {"VBTRACE_LINES": "1"} if request.param else {}
        ran = vbt.trace([interpreter.path, *arguments], directory=tmp_path, env=env, **options)
        return ran.stdout, sources(ran.paths[-1])

    return start


def program(folder, text):
    path = folder / "program.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_cells(run, tmp_path):
    _, found = run(program(tmp_path, CELLS))
    for name in "/tmp/ipykernel_4711/1234.py", "<ipython-input-3-abc>", "<python-input-0>":
        assert found[name, 3] == LINE, name


def test_doctests(run, tmp_path):
    printed, found = run(program(tmp_path, DOCTEST))
    assert printed == "TestResults(failed=0, attempted=2)\ngetlines\n"
    assert found["<doctest __main__.f[0]>", 1] == "kept = [bytes(1000)"
    assert found["<doctest __main__.f[1]>", 2] == "    kept.append(bytes(2000))"


def test_standard_input(run, tmp_path):
    """If it is a file: what the program reads there itself is not touched."""
    path = program(tmp_path, BODY + "import sys\nprint(repr(sys.stdin.read()))\n")
    with open(path) as given:
        printed, found = run("-", stdin=given)
    assert printed == "''\n" and found["<stdin>", 3] == LINE
    printed, found = run("-", stdin=None, input=BODY)
    assert found["<stdin>", 3] is None


@pytest.mark.parametrize("options", [["-c", BODY], ["-Bc", BODY], ["-c" + BODY], ["-X", "utf8", "-W", "error", "-c", BODY, "-c", "other"]], ids=range(4))
def test_the_command_line(options, run):
    _, found = run(*options)
    assert found["<string>", 3] == LINE


OTHERS = {
    "a module": BODY + "exec('more = [bytes(1000) for i in range(50)]')",
    "a function": "space = {}\n" + BODY + "exec('def other(n):\\n    return [bytes(1000) for i in range(n)]\\n', space)\nspace['other'](50)",
    "a script": None,
}


@pytest.mark.parametrize("other", OTHERS)
def test_text_that_may_be_anothers_is_not_shown(other, interpreter, tmp_path):
    code = OTHERS[other]
    arguments = ["-c", code] if code else [program(tmp_path, f"exec({BODY!r})"), "-c", BODY]
    found = sources(vbt.trace([interpreter.path, *arguments], directory=tmp_path).paths[0])
    assert {source for (file, _), source in found.items() if file == "<string>"} == {None}


def test_the_text_stays_in_a_symbolized_trace(interpreter, tmp_path):
    trace = vbt.trace([interpreter.path, program(tmp_path, CELLS)], directory=tmp_path).paths[0]
    assert vbt.vbtrace("symbolize", "-o", tmp_path / "symbolized.vbt", trace).returncode == 0
    assert sources(tmp_path / "symbolized.vbt")["<ipython-input-3-abc>", 3] == LINE
    command = vbt.trace([interpreter.path, "-c", BODY]).paths[0]
    assert vbt.vbtrace("symbolize", command).returncode == 0 and sources(command)["<string>", 3] == LINE


def test_looking_it_up_is_not_the_programs(interpreter, tmp_path):
    """The same lines have the same counts without a text to be found."""
    counts = []
    for text in CELLS, CELLS.replace("linecache.cache[name] =", "unused ="):
        report = vbt.trace([interpreter.path, program(tmp_path, text)], directory=tmp_path).reports[-1]
        lines = {line: report.line("<ipython-input-3-abc>", line) for line in (1, 2, 3, 4)}
        counts.append({line: (row["allocs"], row["allocated_bytes"]) for line, row in lines.items()})
        (tmp_path / "program.py").unlink()
        [path.unlink() for path in tmp_path.glob("*.vbt")]
    assert counts[0] == counts[1] and counts[0][3][0] >= 50
