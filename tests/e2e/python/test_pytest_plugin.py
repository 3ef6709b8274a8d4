"""The plugin for pytest: exact figures of each test, limits, and pytest started again traced."""

import os
import re
import sys
import xml.etree.ElementTree

import pytest

import vbt

pytest.importorskip("xdist", reason="needs pytest-xdist")

TESTS = """
import os, sys, threading, unittest
import pytest

kept = []

def objects(number, size=1000):
    return [bytes(size) for _ in range(number)]

def test_nothing():
    pass

def test_blocks():
    one, two = bytes(10_000), bytes(20_000)
    del one

@pytest.mark.limit_memory("1 MB")
def test_memory_within():
    objects(900)

@pytest.mark.limit_memory("1 MB")
def test_memory_exceeded():
    objects(1500)

@pytest.mark.limit_memory("1 MB")
def test_memory_exceeded_by_a_thread():
    thread = threading.Thread(target=objects, args=(2000,))
    thread.start()
    thread.join()

@pytest.mark.limit_leaks("100 KB")
def test_leaks_within():
    kept.append(objects(5))
    objects(3000)

@pytest.mark.limit_leaks("100 KB")
def test_leaks_exceeded():
    kept.append(objects(500))

@pytest.mark.limit_leaks("100 KB", filter_fn=lambda stack: stack.frames[-1].function != "test_leaks_filtered")
def test_leaks_filtered():
    kept.append(objects(500))

@pytest.mark.limit_allocs(10)
def test_allocs_exceeded():
    objects(100)

@pytest.mark.limit_allocs(per_iteration=2, iterations=100)
def test_allocs_within():
    objects(100)

@pytest.mark.limit_growth("500 B", runs=5)
def test_growth_exceeded():
    kept.append(objects(1))

@pytest.mark.limit_growth("500 B", runs=5)
def test_growth_within():
    objects(100)

class TestUnit(unittest.TestCase):
    def test_of_unittest(self):
        kept.append(objects(10))

@pytest.mark.parametrize("number", [1, 2])
def test_fixture(number, tmp_path):
    print("printed", number)
    print("said", file=sys.stderr)

def test_fails():
    assert objects(2) == 1
"""

EXCEEDED = {
    "test_memory_exceeded": "Test was limited to 1.0 MiB but allocated 1.5 MiB",
    "test_memory_exceeded_by_a_thread": "Test was limited to 1.0 MiB but allocated 2.0 MiB",
    "test_leaks_exceeded": "Test was allowed to leak 100.0 KiB per location but at least one location leaked more",
    "test_allocs_exceeded": "Test was limited to 10 allocations but made ",
    "test_growth_exceeded": "Test was limited to a growth of 500 B per run but left 1.",
}
PYTEST = ["-p", "vbtrace.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:memray"]


@pytest.fixture
def project(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def run(folder, *arguments, traced=True, start=("-m", "pytest"), **options):
    command = [sys.executable, *start, *PYTEST, *(["--vbtrace"] if traced else []), *arguments]
    return vbt.run(command, directory=folder, python_paths=[vbt.MODULE_DIRECTORY], **options)


def properties(path):
    """{test: its vbtrace properties} of a JUnit file."""
    found = {}
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        names = {item.get("name"): item.get("value") for item in case.iter("property")}
        found[case.get("name")] = {name: int(value) for name, value in names.items() if name.startswith("vbtrace_")}
    return found


def failed(done):
    return {name: text for name, text in re.findall(r"^FAILED test_it.py::(\w+)(?: - (.*))?$", done.stdout, re.MULTILINE)}


def test_limits(project):
    done = run(project, "-q", env={"COLUMNS": "300"})
    assert done.returncode == 1 and done.stderr == ""
    assert set(failed(done)) == {*EXCEEDED, "test_fails"}
    for name, text in EXCEEDED.items():
        assert re.search(rf"^_+ {name} _+\n{text}", done.stdout, re.MULTILINE), done.stdout
    line = vbt.line_of(project / "test_it.py", "return [bytes(size) for _ in range(number)]")
    assert " left in " in done.stdout and f"{project}/test_it.py:{line}: objects" in done.stdout
    assert "pytest_plugin.py:" not in done.stdout and "pluggy" not in done.stdout
    assert re.search(r"^and \d+ in other threads, whose lines are in the trace", done.stdout, re.MULTILINE)
    assert "Tests that allocate most often" in done.stdout and "Tests that leave most behind" in done.stdout
    assert list(project.glob("**/*.vbt")) == []


def test_figures_are_exact(project):
    """And the same in each run. A test that does nothing costs nothing."""
    runs = []
    for number in range(3):
        run(project, "-q", "--junitxml", "it.xml", "-k", "not thread and not fixture")
        runs.append(properties(project / "it.xml"))
    figures = [{test: {name: value for name, value in of.items() if "call" in name} for test, of in of_run.items()} for of_run in runs]
    for test in "test_nothing", "test_blocks", "test_memory_within", "test_leaks_within", "test_allocs_within":
        allocations = [of_run[test]["vbtrace_call_allocations"] for of_run in figures]
        assert len(set(allocations)) == 1 and len({of_run[test]["vbtrace_call_peak_bytes"] for of_run in figures}) == 1, test
    assert set(figures[0]["test_nothing"].values()) == {0}
    header = sys.getsizeof(b"")
    wanted = {"allocations": 2, "frees": 2, "live_bytes": 0, "peak_bytes": 30_000 + 2 * header, "allocated_bytes": 30_000 + 2 * header}
    assert {name: figures[0]["test_blocks"]["vbtrace_call_" + name] for name in wanted} == wanted
    assert runs[0]["test_of_unittest"]["vbtrace_call_live_bytes"] >= 10_000
    assert runs[0]["test_nothing"]["vbtrace_setup_allocations"] > 0 and runs[0]["test_nothing"]["vbtrace_teardown_allocations"] > 0


def test_workers_are_traced(project):
    """By pytest-xdist."""
    alone, parallel = run(project, "-q", env={"COLUMNS": "300"}), run(project, "-q", "-n", "2", "--junitxml", "it.xml", env={"COLUMNS": "300"})
    assert parallel.returncode == 1 and set(failed(parallel)) == set(failed(alone))
    found = properties(project / "it.xml")
    assert found["test_blocks"]["vbtrace_call_allocations"] == 2 and set(found) >= {"test_nothing", "test_of_unittest"}
    assert "vbtrace: memory of 16 tests" in parallel.stdout and "vbtrace: memory of 16 tests" in alone.stdout


def test_the_trace_is_kept_where_asked(project):
    """Each phase of a test is a section."""
    run(project, "-q", "-k", "blocks", "--vbtrace-output", "kept.vbt")
    report = vbt.Report(project / "kept.vbt")
    for phase in "setup", "call", "teardown":
        (row,) = report.intervals(f"{phase} test_it.py::test_blocks")
        assert row["count"] == 1
        assert phase != "call" or (row["allocs"]["total"], row["frees"]["total"]) == (2, 2)


@pytest.mark.parametrize("options", [[], ["-s"], ["--capture=sys"], ["--capture=fd"]], ids=str)
def test_what_tests_print(options, project):
    """Goes where it goes without the plugin; so does what comes on standard input."""
    (project / "test_it.py").write_text("import sys\ndef test_prints():\n    print('printed')\n    print('said', file=sys.stderr)\n    print(repr(sys.argv))\n")
    outputs = []
    for traced in False, True:
        done = run(project, "-rA", *options, traced=traced)
        assert done.returncode == 0, done.stderr
        outputs.append((re.sub(r"in [\d.]+s|, '--vbtrace'|=+", "", done.stdout.partition("= vbtrace")[0].partition("= PASSES")[0]), done.stderr))
    assert outputs[0][1] == outputs[1][1] and outputs[0][0].split("short test")[0].strip() == outputs[1][0].split("short test")[0].strip()


@pytest.mark.parametrize("start", [["-m", "pytest"], ["-Bm", "pytest"], ["-c", "import sys, pytest; sys.exit(pytest.main())"]], ids=range(3))
def test_command_lines(start, project):
    """Options of the interpreter, and the place of the options of pytest, stay."""
    (project / "pytest.ini").write_text("[pytest]\naddopts = --vbtrace\n")
    (project / "test_it.py").write_text("import sys, vbtrace\ndef test_traced():\n    assert vbtrace.active()\n")
    done = run(project, "-q", "test_it.py", traced=False, start=start)
    assert done.returncode == 0 and "1 passed" in done.stdout and "vbtrace: memory of 1 test" in done.stdout


@pytest.mark.parametrize("text, status", [("import os\ndef test(): os._exit(7)\n", 7), ("def test(): raise SystemExit(3)\n", 1), ("import os\ndef test(): os.kill(os.getpid(), 9)\n", -9), ("", 5)])
def test_ends_as_pytest_ends(text, status, project):
    (project / "test_it.py").write_text(text)
    assert run(project).returncode == run(project, traced=False).returncode == status


def test_interrupted(project):
    (project / "test_it.py").write_text("import os, signal\ndef test(): os.kill(os.getpid(), signal.SIGINT)\n")
    done = run(project)
    assert done.returncode == 2 and "KeyboardInterrupt" in done.stdout


def test_refused(project):
    code = "import sys, pytest; sys.exit(pytest.main(['-p', 'vbtrace.pytest_plugin', '--vbtrace']))"
    done = vbt.run([sys.executable, "-c", code], directory=project, python_paths=[vbt.MODULE_DIRECTORY])
    assert done.returncode == 4 and "pytest.main() cannot be started again: run the program under vbtrace run" in done.stderr
    traced = vbt.vbtrace("run", "--quiet", sys.executable, "-c", code, directory=project, python_paths=[vbt.MODULE_DIRECTORY])
    assert traced.returncode == 1 and "vbtrace: memory of" in traced.stdout
    (project / "test_it.py").write_text("import pytest\n@pytest.mark.limit_memory('much')\ndef test_size(): pass\n")
    done = run(project)
    assert done.returncode != 0 and "'much': expected a size such as '24 MB'" in done.stdout


def test_without_the_option_nothing_is_measured(project):
    """And one line says what was not checked."""
    done = run(project, "-q", traced=False)
    assert set(failed(done)) == {"test_fails"}
    assert "vbtrace: 10 limits of memory were not checked: run pytest --vbtrace\n" in done.stdout
    assert "memory of" not in done.stdout.replace("limits of memory", "") and os.path.exists(project / "test_it.py")
