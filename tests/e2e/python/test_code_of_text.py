"""Code without a file, such as exec compiles: it belongs to the file that ran it."""

import pytest

import vbt

LIBRARY = """
def make(text):
    space = {}
    exec(text, space)
    return space
"""

TEXT = "def work(n):\\n    kept = [None] * n\\n    for i in range(n):\\n        kept[i] = object()\\n    return kept\\nkept = work(100)\\n"

PROGRAM = f"""import maker
TEXT = "{TEXT}"
theirs = maker.make(TEXT)
more = theirs["work"](1000)
own = {{}}
exec(TEXT, own)
again = own["work"](500)
nested = maker.make("exec(" + repr(TEXT) + ")\\nkept = work(2000)")
last = nested["work"](3000)
"""



@pytest.fixture
def run(interpreter, tmp_path):
    library = tmp_path / "site-packages"
    library.mkdir()
    (library / "maker.py").write_text(LIBRARY)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    found = vbt.trace([interpreter.path, program], python_paths=[library])
    found.program = program
    return found


def test_it_is_the_users_only_if_the_users_file_ran_it(run):
    """The objects of line 4 of the text, and little else."""
    of_text = [row for row in run.report.json["user_lines"] if row["file"] == "<string>" and row["user"]]
    assert {row["line"]: row["allocs"] for row in of_text}[4] == 600
    for line, objects in (3, 100), (4, 1000), (8, 2100), (9, 3000):
        assert run.report.line(run.program, line, "user_lines")["allocs"] >= objects


def test_what_the_library_makes_of_it(interpreter, tmp_path):
    """namedtuple and dataclass exec code."""
    program = tmp_path / "program.py"
    program.write_text(
        "from collections import namedtuple\nfrom dataclasses import dataclass, make_dataclass\n"
        "Point = namedtuple('Point', 'x y')\n@dataclass\nclass Pair:\n    left: object\n"
        "Made = make_dataclass('Made', ['one'])\n"
        "points = [Point(i, object()) for i in range(200)]\npairs = [Pair(object()) for i in range(200)]\n"
        "made = [Made(object()) for i in range(200)]\n"
    )
    report = vbt.trace([interpreter.path, program]).report
    assert not [row for row in report.json["user_lines"] if row["user"] and row["file"].startswith("<")]
    for line in 8, 9, 10:
        assert report.line(program, line, "user_lines")["allocs"] >= 400


def test_what_the_interpreter_runs_before_the_program(tmp_path):
    """A .pth file of an installed package, and sitecustomize."""
    environment = tmp_path / "venv"
    assert vbt.run(["/usr/bin/python3", "-m", "venv", "--without-pip", environment]).returncode == 0
    packages = next(environment.glob("lib/python3*/site-packages"))
    (packages / "a.pth").write_text("import sys; exec('kept = [object() for i in range(5000)]\\nsys.kept = kept')\n")
    (packages / "sitecustomize.py").write_text("exec('def f():\\n    return [object() for i in range(5000)]\\nkept = f()')\n")
    report = vbt.trace([environment / "bin" / "python", "-c", "kept = [object() for i in range(300)]"]).report
    rows = [row for row in report.json["user_lines"] if row["user"] and row["file"] == "<string>"]
    assert {row["line"] for row in rows} == {1} and 300 <= sum(row["allocs"] for row in rows) < 700
