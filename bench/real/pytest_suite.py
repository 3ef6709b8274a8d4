"""pytest: a suite of tests, with fixtures, parameters and temporary folders. Argument: files."""

import contextlib
import pathlib
import sys

import pytest

SUITE = '''"""Tests of part {number}."""

import json
import textwrap
from collections import Counter

import pytest


@pytest.fixture
def words():
    return [f"word{{n * {number} % 13}}" for n in range(40)]


@pytest.fixture(scope="module")
def shared():
    return {{"part": {number}, "squares": [n * n for n in range(50)]}}


@pytest.fixture
def file(tmp_path, words):
    path = tmp_path / "words.txt"
    path.write_text("\\n".join(words))
    return path


@pytest.mark.parametrize("n", range(15))
def test_squares(shared, n):
    assert shared["squares"][n] == n**2
    assert [n] * n == [n for _ in range(n)]


@pytest.mark.parametrize("width", [20, 40, 60])
@pytest.mark.parametrize("indent", ["", "  "])
def test_wrapping(words, width, indent):
    lines = textwrap.wrap(" ".join(words), width, initial_indent=indent)
    assert max(map(len, lines)) <= width and lines[0].startswith(indent)
    assert " ".join(lines).split() == words


class TestFiles:
    def test_read(self, file, words):
        assert file.read_text().split() == words

    def test_json(self, file, shared):
        file.write_text(json.dumps(shared, indent=1))
        assert json.loads(file.read_text()) == shared

    def test_count(self, words, capsys):
        counted = Counter(words)
        print(counted.most_common(1)[0][1])
        assert int(capsys.readouterr().out) == max(counted.values())


def test_raises(monkeypatch):
    monkeypatch.setenv("PART", "{number}")
    with pytest.raises(ZeroDivisionError, match="division"):
        {number} / 0
    with pytest.raises(AssertionError) as caught:
        assert {number} == {number} + 1, "different"
    assert "different" in str(caught.value)


@pytest.mark.xfail(reason="known", strict=True)
def test_known(words):
    assert sorted(words) == words[:1]
'''


class Outcomes:
    """Counts outcomes: the summary that pytest prints has times."""

    def __init__(self):
        self.found = {}

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.found[report.outcome] = self.found.get(report.outcome, 0) + 1


folder = pathlib.Path("suite")
folder.mkdir()
for number in range(1, int(sys.argv[1]) + 1):
    (folder / f"test_part_{number}.py").write_text(SUITE.format(number=number))
outcomes = Outcomes()
options = ["-v", "-p", "no:cacheprovider", "--basetemp=tmp", "--rootdir=.", "suite"]
with open("log", "w") as log, contextlib.redirect_stdout(log):
    status = pytest.main(options, plugins=[outcomes])
lines = pathlib.Path("log").read_text().splitlines()
print(int(status), sorted(outcomes.found.items()), sum("::" in line for line in lines))
