"""What is printed of eleven programs, byte for byte: scripts/golden makes the files again."""

import re

import golden
import pytest

QUESTIONS = ("Allocated  ", "Peak heap  ", "Left at the end  ")


def first_lines(name, width):
    return golden.path_of(name, "report", width).read_text().splitlines()[:30]


@pytest.mark.parametrize("name, view, width", golden.cases(), ids=lambda value: str(value).replace(" --", "."))
def test_report_is_the_same(name, view, width):
    assert golden.made(name, view, width) == golden.path_of(name, view, width).read_text()


def test_no_file_is_left_over():
    assert set(golden.REPORTS.iterdir()) == {golden.path_of(*case) for case in golden.cases()}
    assert set(golden.TRACES.iterdir()) == set(map(golden.trace_of, golden.SAMPLES))


@pytest.mark.parametrize("width", golden.WIDTHS)
@pytest.mark.parametrize("name", golden.SAMPLES)
def test_first_screen_answers(name, width):
    """What allocates most, what is it at the peak, what stayed: an amount and a place each; then
    the lines begin."""
    lines = first_lines(name, width)
    for question in QUESTIONS:
        (at,) = [i for i, line in enumerate(lines) if line.startswith(question)]
        places = [line for line in lines[at + 1 : at + 3] if re.match(r" +[\d.]+ [KMG]?i?B +[<\d.]+% +\S", line)]
        assert re.search(r"\d [KMG]?i?B", lines[at]) and places, lines[at : at + 3]
    assert any(line.startswith(" Line ") for line in lines)


@pytest.mark.parametrize("name, view, width", golden.cases(), ids=lambda value: str(value).replace(" --", "."))
def test_lines_fit_the_width(name, view, width):
    """But for words that cannot be broken: paths and commands."""
    text = golden.path_of(name, view, width).read_text()
    assert [line for line in text.splitlines() if len(line) > width and not line.startswith("vbtrace ")] == []
