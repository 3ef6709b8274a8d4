"""What the pages show is what there is: sizes, samples, tables, names of files."""

import functools
import pathlib
import re
import subprocess
import sys

import markdown
import pytest
import vbt

README = markdown.read("README.md")
BENCH_SUM = markdown.ROOT / "bench" / "bench_sum.py"


def test_readme_is_short():
    assert len(README.splitlines()) <= 180


def too_wide(text):
    """The numbers of the lines of prose beyond column 100: no tables, no fenced or indented code,
    no links alone."""
    lines = markdown.FENCE.sub(lambda block: "\n" * block[0].count("\n"), text).split("\n")
    return [n for n, line in enumerate(lines, 1) if len(line) > 100 and not line.startswith(("|", "    ", "<!--"))]


@pytest.mark.parametrize("path", markdown.paths(), ids=lambda path: str(path.relative_to(markdown.ROOT)))
def test_prose_ends_at_column_100(path):
    assert too_wide(path.read_text()) == []


def test_wide_prose_is_found():
    wide = "x" * 101
    assert too_wide(f"{wide}\n```\n{wide}\n```\n| {wide} |\n\n    {wide}\n- {wide}\n") == [1, 8]


@pytest.mark.parametrize(
    "name, made, has",
    [
        ("side by side", ["table"], "| `vbtrace` | exact | 400,000 of 400,000 | 2 of 2 |"),
        ("ns a line", ["table", "--lines"], "| ns a line | `vbtrace-lines` |"),
    ],
)
def test_tables_are_those_of_the_results(name, made, has):
    """What docs/overhead.md shows is what bench/results has."""
    shown = markdown.between(markdown.read("docs/overhead.md"), name)
    done = subprocess.run([sys.executable, str(markdown.ROOT / "bench" / "run"), *made], capture_output=True, text=True)
    assert done.returncode == 0 and shown == done.stdout and has in shown


@pytest.mark.parametrize(
    "page, name, option, results",
    [
        ("docs/overhead.md", "real applications", "--real", "real"),
        ("docs/overhead.md", "memory", "--memory", "memory"),
        ("README.md", "real applications", "--real-short", "real"),
    ],
)
def test_tables_are_there_once_there_are_results(page, name, option, results):
    """Results that are in the repository are shown, and nothing else is."""
    file = f"bench/results/{results}.json"
    tracked = subprocess.run(["git", "ls-files", file], cwd=markdown.ROOT, capture_output=True, text=True, check=True).stdout
    text = markdown.read(page)
    if not tracked:
        assert f"<!-- {name}: begin -->" not in text
        return
    done = subprocess.run([sys.executable, str(markdown.ROOT / "bench" / "run"), "table", option], capture_output=True, text=True)
    assert done.returncode == 0 and markdown.between(text, name) == done.stdout


@pytest.fixture(scope="module")
def sample_report(tmp_path_factory):
    """The report that the README shows a part of."""
    numpy = pytest.importorskip("numpy")
    versions = (*sys.version_info[:2], *map(int, numpy.__version__.split(".")[:2]))
    if versions != (3, 11, 1, 24):
        pytest.skip("the sample is that of Debian 12's Python and NumPy")
    folder = tmp_path_factory.mktemp("sample")
    run = vbt.trace(["/usr/bin/python3", BENCH_SUM, "--quick", "--elements", 2**20, "--repeats", 2], directory=folder)
    done = vbt.vbtrace("report", "--limit", "0", run.paths[0])
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def names_in(text):
    """The words in backticks, and in lines of commands."""
    without = markdown.FENCE.sub("", text)
    code = re.findall(r"`([^`]+)`|^    (.+)$", without, re.MULTILINE)
    return [word for pair in code for word in re.split(r"[\s=:]+", "".join(pair))]


WRITTEN = {f"bench/results/{name}.json" for name in ("native", "real", "instructions", "memory", "forks", "views", "many")}  # by bench/run, not in the repository


def absent(path):
    """The files and the names of the code that a document names and that do not exist."""
    words = names_in(path.read_text())
    tracked = subprocess.run(["git", "ls-files"], cwd=markdown.ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders = {str(parent) + "/" for name in tracked for parent in pathlib.PurePosixPath(name).parents}
    known, tops = folders | set(tracked), {folder for folder in folders if folder.count("/") == 1}
    here = str(path.parent.relative_to(markdown.ROOT)) + "/"
    files = [word for word in words if re.fullmatch(r"[\w.-]+/[\w./-]*", word) and word.split("/")[0] + "/" in tops]
    found = {word for word in files if not {word, word + "/", here + word, here + word + "/"} & known}
    return (found - WRITTEN) | {word for word in words if re.fullmatch(r"vbt_\w+|VBT_\w+", word) and word not in names_of_code()}


@functools.lru_cache(maxsize=None)
def names_of_code():
    command = ["git", "grep", "-ohwE", "vbt_[a-z0-9_]+|VBT_[A-Z0-9_]+", "--", "*.[ch]", "*CMakeLists.txt", "*.cmake"]
    return set(subprocess.run(command, cwd=markdown.ROOT, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("path", markdown.paths(), ids=lambda path: str(path.relative_to(markdown.ROOT)))
def test_files_and_names_of_the_code_exist(path):
    assert absent(path) == set()


def test_recipes_are_lists_of_files():
    """Each recipe names files in an order; that they exist is tested above."""
    recipes = markdown.section(markdown.read("docs/CONTRIBUTING.md"), "Recipes")
    titles = [title for level, title in markdown.headings(recipes) if level == 3]
    options = {"An option of the library", "An option of the tool"}
    assert {"A hook", *options, "A view", "An export", "A Python version", "A trap test", "A bench"} <= set(titles)
    for title in titles:
        steps = re.findall(r"^\d+\. (.*)", markdown.section(recipes, title), re.MULTILINE)
        assert len(steps) >= 2 and any("/" in step for step in steps), title


def test_versions_of_python_are_those_that_are_known():
    header = markdown.read("preload/python/cpython.h")
    first, last = (re.search(rf"^#define VBT_PYTHON_{name} (\d+)$", header, re.MULTILINE)[1] for name in ("FIRST", "LAST"))
    for path in ("README.md", "docs/limits.md"):
        assert re.findall(r"CPython 3\.(\d+) to 3\.(\d+)", markdown.read(path)) == [(first, last)], path


TIME = r"\d[\d.,]* (ns|µs|ms|s)"


def counts(line):
    """The words of a line of the report, without what differs from run to run."""
    return re.sub(rf"{TIME}|(?<= )\d+\.\d{{3}} MiB", "*", line).split()


def test_sample_report_is_one(sample_report):
    """Same headings, same lines of source, same counts, for all that is the same from run to
    run."""
    printed = [counts(line) for line in sample_report.splitlines()]
    shown = [line for line in markdown.between(README, "report").splitlines() if line.strip("`")]
    assert len(shown) == 9
    for line in shown:
        if not line.startswith(("bench_sum.py", "-")):
            assert counts(line) in printed, line
