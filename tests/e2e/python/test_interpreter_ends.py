"""Interpreters that end while Python code is running: C code that it called ends them."""

import pytest

import vbt

SCRIPT = """
import ctypes, os, sys
library = ctypes.PyDLL(sys.argv[1])
def call(n):
    if n > 0:
        call(n - 1)
    else:
        getattr(library, sys.argv[2])(*map(str.encode, sys.argv[3:]))
kept = bytearray(777_777)
sys.setrecursionlimit(5000)
call(int(os.environ["DEPTH"]))
"""

AGAIN = "kept = [bytes(2000) for i in range(100)]; print(len(kept), flush=True)"


@pytest.mark.parametrize(
    "options",
    [{"DEPTH": "0"}, {"DEPTH": "20", "VBTRACE_NATIVE": "full"}, {"DEPTH": "900", "VBTRACE_LINES": "1"}],
    ids=["leaf", "full", "lines"],
)
@pytest.mark.parametrize(
    "function, arguments, status, output",
    [("leave", [], 5, ""), ("start_again", [AGAIN], 6, "100\n"), ("visit_another", [AGAIN], 0, "100\n")],
    ids=["leave", "start again", "visit another"],
)
def test_called_from_python_code(interpreter, tmp_path, options, function, arguments, status, output):
    """The program ends as it does untraced, and what C code allocates when the frames are gone is
    not charged to the lines that they were at."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [interpreter.path, script, vbt.compiled("ends_interpreter.c", "-shared", "-fPIC", "-ldl"), function, *arguments]
    run = vbt.trace(command, status=status, env=options)
    assert run.stdout == output
    report = run.report
    assert report.json["complete"] is True
    assert report.line(script, 9)["allocated_bytes"] >= 777_777
    if status != 0:
        assert report.line(script, 8)["allocated_bytes"] < 3_333_000
