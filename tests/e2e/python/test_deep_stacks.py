"""Stacks of hundreds of Python frames, of which most are not looked at for each event: they are the
same as if all were."""

import pytest

import vbt

PROGRAM = "deep_frames.py"


@pytest.fixture(params=[("leaf", "1"), ("full", "100")], ids=["leaf", "full"])
def run(request, interpreter):
    native, every = request.param
    return vbt.traced_python(PROGRAM, interpreter, VBTRACE_NATIVE=native, VBTRACE_VERIFY=every)


def test_stacks_are_those_read_anew(run):
    verify = run.report.json["verify"]
    assert verify["compared"] > 1000 and verify["different"] == 0
    assert run.report.json["stacks"]["truncated"] == 0


def test_lines_are_exact(run):
    wrong = vbt.wrong_lines(run.report.by_line(), vbt.program(PROGRAM), vbt.truths(vbt.program(PROGRAM), TURNS=5000))
    assert not wrong, f"\n{wrong}"
