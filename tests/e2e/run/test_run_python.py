"""vbtrace run script.py, -m MODULE and -c CODE: as the interpreter would run them, and which
interpreter that is."""

import os
import pathlib

import pytest

import vbt

SHOW = "import sys\nprint(sys.argv, sys.path[0], __name__, globals().get('__file__'), sys.flags.dont_write_bytecode, sys.stdin.read())\nsys.exit(3)\n"


def run(*arguments, directory, **options):
    """vbtrace run in a folder; its traces, including those in subfolders."""
    done = vbt.vbtrace("run", *arguments, directory=directory, **options)
    return vbt.Run(done, sorted(pathlib.Path(directory).rglob("*.vbt")))


def names(ran):
    """Of its traces, without process ids."""
    return sorted(".".join(path.name.split(".")[:-2]) for path in ran.paths)


def outcome(done):
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def place(tmp_path):
    (tmp_path / "script.py").write_text(SHOW)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(SHOW)
    (tmp_path / "named").write_text("#!/usr/bin/env python3\n" + SHOW)  # not executable
    for name, first_line in ("executable.py", ""), ("runs.py", "#!/bin/false\n"):
        (tmp_path / name).write_text(first_line + SHOW)
        (tmp_path / name).chmod(0o755)
    return tmp_path


WAYS = {
    "script": ["script.py", "a", "--limit", "-o", "--"],
    "path": ["./script.py"],
    "folder": ["package/", "-c"],
    "another name": ["./named", "x"],
    "executable": ["executable.py", "x"],
    "module": ["-m", "package", "-m", "x"],
    "executable, first line": ["./runs.py", "x"],
    "attached": ["-mpackage", "x"],
    "code": ["-c", SHOW, "-c", "--", "x"],
}


@pytest.mark.parametrize("way", WAYS)
def test_as_the_interpreter_would(way, interpreter, place):
    alone = vbt.run([interpreter.path, *WAYS[way]], directory=place, input="typed", stdin=None)
    ran = run("--quiet", "--python", interpreter.path, *WAYS[way], directory=place, input="typed", stdin=None)
    assert outcome(ran.done) == outcome(alone) and alone.returncode == 3
    assert ran.report.json["program"]["python"] == ".".join(map(str, interpreter.version))


def test_an_exception_is_shown_as_python_shows_it(place):
    (place / "raises.py").write_text("def f():\n    raise KeyError('here')\nf()\n")
    alone = vbt.run(["/usr/bin/python3", "raises.py"], directory=place)
    ran = run("--quiet", "--python", "/usr/bin/python3", "raises.py", directory=place)
    assert outcome(ran.done) == outcome(alone) and alone.returncode == 1 and "KeyError" in alone.stderr


@pytest.mark.parametrize("way, name", [("script", "script.py"), ("folder", "package"), ("another name", "named"), ("module", "package")])
def test_traces_are_called_after_the_script(way, name, place):
    ran = run("--quiet", *WAYS[way], directory=place)
    assert names(ran) == [f"vbtrace.{name}"] and ran.paths[0].parent == place
    filtered = vbt.vbtrace("report", "--filter", f"process=^{name} ", ran.paths[0])
    assert (filtered.returncode, filtered.stderr) == (0, "")


def test_so_are_those_of_several_processes(place):
    """What the script forks, but no other program that it starts."""
    (place / "forks.py").write_text(
        "import os, subprocess, sys\n"
        "for i in range(2):\n    if os.fork() == 0:\n        kept = bytes(1000)\n        os._exit(0)\n    os.wait()\n"
        "subprocess.run([sys.executable, '-c', 'pass'])\nsubprocess.run([sys.executable, 'script.py'], stdin=subprocess.DEVNULL)\n"
    )
    ran = run("--quiet", "--python", "/usr/bin/python3", "forks.py", directory=place)
    assert {path.parent.name.rpartition(".")[0] for path in ran.paths} == {"vbtrace.forks.py"}
    assert names(ran) == ["vbtrace.forks.py"] * 3 + [f"vbtrace.{os.path.basename(os.path.realpath('/usr/bin/python3'))}", "vbtrace.script.py"]
    assert all(f".{report.json['program']['pid']}.vbt" in report.path.name for report in ran.reports)


def test_o_says_what_the_trace_is_called(place):
    assert names(run("--quiet", "-o", "a.b.vbt", "script.py", directory=place)) == ["a"]


def test_so_are_those_of_a_parallel_job(place):
    """Their names have the host and the rank, too."""
    ran = run("--quiet", "script.py", directory=place, env={"SLURM_PROCID": "3", "SLURM_JOB_ID": "1"})
    assert ran.paths[0].name == f"vbtrace.script.py.{os.uname().nodename}.3.{ran.report.json['program']['pid']}.vbt"


def which(*arguments, directory, **variables):
    """The interpreter that runs a script, as it says itself."""
    (directory / "who.py").write_text((directory / "who.py").read_text() if (directory / "who.py").exists() else "import sys\nprint(sys.executable)\n")
    done = vbt.vbtrace("run", "--quiet", *(arguments or ["who.py"]), directory=directory, env=variables)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    """Two virtual environments, as paths of their interpreters."""
    found = []
    for name in "one", "two":
        folder = tmp_path_factory.mktemp(name)
        assert vbt.run(["/usr/bin/python3", "-m", "venv", "--without-pip", folder]).returncode == 0
        found.append(folder / "bin" / "python3")
    return found


def active(python):
    """The environment variable of an active virtual environment."""
    return {"VIRTUAL_ENV": str(python.parent.parent)}


def test_which_interpreter(environments, tmp_path):
    """What is said, else that of `#!`, else the active environment's, else that beside the tool's
    command, else the one in PATH."""
    one, two = environments
    path = {"PATH": f"{one.parent}:/usr/bin:/bin"}
    ask = ["-c", "import sys; print(sys.executable)"]
    for way in [], ask:
        assert which(*way, directory=tmp_path, **path) == str(one)
        assert which(*way, directory=tmp_path, PATH="/usr/bin:/bin") == "/usr/bin/python3"
        assert which(*way, directory=tmp_path, **path, **active(two)) == str(two)
        assert which(*way, directory=tmp_path, PATH="/usr/bin:/bin", _VBTRACE_PYTHON_BESIDE=str(two)) == str(two)
        assert which(*way, directory=tmp_path, PATH="/usr/bin:/bin", _VBTRACE_PYTHON_BESIDE=str(two), **active(one)) == str(one)
        assert which(*way, directory=tmp_path, PATH="/usr/bin:/bin", VIRTUAL_ENV="/nowhere") == "/usr/bin/python3"
    for first_line, wanted in [
        (f"#!{two}", two),
        (f"#! {two} -B\r", two),
        ("#!/usr/bin/env python3", one),
        ("#!/usr/bin/env -S A=1 python3 -B -u", one),
        ("#!/bin/sh", two),
    ]:
        (tmp_path / "who.py").write_text(f"{first_line}\nimport sys\nprint(sys.executable)\n")
        assert which(directory=tmp_path, **path, **active(two)) == str(wanted), first_line
        assert which("--python", "/usr/bin/python3", "who.py", directory=tmp_path, **path) == "/usr/bin/python3"
        assert which(directory=tmp_path, **path, _VBTRACE_PYTHON=str(two)) == str(two)


def test_options_of_the_first_line(tmp_path):
    (tmp_path / "flags.py").write_text("#!/usr/bin/env -S python3 -B  -O\nimport os, sys\nprint(sys.flags.optimize, sys.flags.dont_write_bytecode, sys.argv)\n")
    done = vbt.vbtrace("run", "--quiet", "flags.py", "x", directory=tmp_path, env={"PYTHONDONTWRITEBYTECODE": ""})
    assert done.stdout == "1 1 ['flags.py', 'x']\n"


def test_nothing_of_the_search_is_left_in_the_environment(tmp_path):
    code = "import os; print([name for name in os.environ if name.startswith('_VBTRACE_PYTHON')])"
    done = vbt.vbtrace("run", "--quiet", "-c", code, directory=tmp_path, env={"_VBTRACE_PYTHON": "/usr/bin/python3", "_VBTRACE_PYTHON_BESIDE": "/x"})
    assert done.stdout == "[]\n"


def test_a_program_in_the_path_comes_first(place):
    """As in a shell: a name without a slash is looked for there."""
    (place / "bin").mkdir()
    program = place / "bin" / "script.py"
    program.write_text("#!/bin/sh\necho in PATH\n")
    program.chmod(0o755)
    assert run("--quiet", "script.py", directory=place, env={"PATH": f"{place}/bin:/usr/bin:/bin"}).stdout == "in PATH\n"


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["nowhere.py"], "run: nowhere.py: no such file, and no such program in PATH"),
        (["-m"], "run: -m: expected a value after it"),
        (["--python", "/nowhere/python", "script.py"], "run: /nowhere/python: No such file or directory"),
        (["--python", "/usr/bin/python3", "true"], "run: --python: expected a script, -m, -c or --memit, too"),
        (["wrong.py"], "run: /nowhere/python3: No such file or directory"),
        (["./package/nothing"], "run: ./package/nothing: No such file or directory"),
        (["./empty"], "run: ./empty: expected a program, found a directory"),
    ],
)
def test_refuses(arguments, says, place):
    (place / "wrong.py").write_text("#!/nowhere/python3\n")
    (place / "empty").mkdir()
    before = set(place.iterdir())
    done = vbt.vbtrace("run", *arguments, directory=place)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1) and says in done.stderr, done.stderr
    assert set(place.iterdir()) == before


def test_the_statement_runs_in_the_active_environment(environments, tmp_path):
    done = vbt.vbtrace("run", "--memit", "print(sys.executable)", "--setup", "import sys", directory=tmp_path, env=active(environments[1]))
    assert done.stdout.splitlines()[0] == str(environments[1]), done
