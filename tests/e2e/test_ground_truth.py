"""Programs whose every line has a known cost: what the trace says of each line, on every interpreter found."""

import pytest

import vbt

PROGRAMS = ["ground_truth_objects.py", "ground_truth_control.py"]


def expected(program, run, interpreter, **more):
    return vbt.truths(vbt.PROGRAMS / program, v=interpreter.v, **run.told, **more)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_line(program, interpreter):
    run = vbt.traced_python(program, interpreter)
    wrong = vbt.wrong_lines(run.report, vbt.PROGRAMS / program, expected(program, run, interpreter))
    assert not wrong, f"\n{wrong}"


@pytest.mark.parametrize("program", PROGRAMS)
def test_lines_of_the_user(program, interpreter):
    """All that a marked line asks for it asks for itself, in the user's file: nearest user line and leaf line are the same."""
    run = vbt.traced_python(program, interpreter)
    wrong = vbt.wrong_lines(run.report, vbt.PROGRAMS / program, expected(program, run, interpreter), rows="user_lines")
    assert not wrong, f"\n{wrong}"
