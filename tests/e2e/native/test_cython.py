"""Extension modules that Cython compiled: what their lines allocate is charged to the .pyx file, if
the module has its lines."""

import pytest

import vbt

MODULE = """# cython: language_level=3
from libc.stdlib cimport malloc

cdef void *reserve(int n):
    return malloc(n)

def make(int n):
    kept = []
    for i in range(n):
        kept.append(bytearray(1000))
    kept.append(<size_t>reserve(12345))
    return kept

cdef class Box:
    cdef object held
    def __init__(self, n):
        self.held = [bytearray(2000) for i in range(n)]

def each(n):
    for i in range(n):
        yield bytearray(3000)
"""

SCRIPT = """
import cyt
def main():
    kept = cyt.make(100)
    box = cyt.Box(50)
    each = list(cyt.each(30))
main()
"""


@pytest.fixture
def build(tmp_path):
    def build(python, *options):
        (tmp_path / "cyt.pyx").write_text(MODULE)
        (tmp_path / "script.py").write_text(SCRIPT)
        include = vbt.run([python, "-c", "import sysconfig; print(sysconfig.get_paths()['include'])"]).stdout.strip()
        assert vbt.run([python, "-m", "cython", "-3", *options, "cyt.pyx"], directory=tmp_path).returncode == 0
        compiler = ["cc", "-w", "-g", "-O1", "-shared", "-fPIC", f"-I{include}", "cyt.c", "-o", "cyt.so"]
        assert vbt.run(compiler, directory=tmp_path).returncode == 0
        return tmp_path

    return build


@pytest.fixture
def python():
    for found in vbt.interpreters():
        if vbt.run([found.path, "-c", "import Cython"]).returncode == 0:
            return found.path
    pytest.skip("needs Cython (on Debian: apt install cython3)")


def trace(python, folder, native):
    return vbt.trace([python, "script.py"], directory=folder, env={"VBTRACE_NATIVE": native}).report


def bytes_at(report, folder, file, line):
    return report.by_line("user_lines").get((str(folder / file), line), {"allocated_bytes": 0})["allocated_bytes"]


def test_lines_of_the_source(python, build):
    folder = build(python, "--line-directives")
    report = trace(python, folder, "full")
    assert 100 * 1000 <= bytes_at(report, folder, "cyt.pyx", 10) < 125 * 1000
    assert bytes_at(report, folder, "cyt.pyx", 5) == 12345
    assert 50 * 2000 <= bytes_at(report, folder, "cyt.pyx", 17) < 60 * 2000
    assert 30 * 3000 <= bytes_at(report, folder, "cyt.pyx", 21) < 40 * 3000
    for line in 4, 5, 6:
        assert bytes_at(report, folder, "script.py", line) < 5000
    names = {row["function"] for row in report.json["user_lines"] if row["file"].endswith(".pyx") and row["line"] in (10, 17)}
    assert names == {"cyt.make", "cyt.Box.__init__"}


@pytest.mark.parametrize("options, native", [((), "full"), (("--line-directives",), "leaf")])
def test_without_them_the_script_is_charged(python, build, options, native):
    folder = build(python, *options)
    report = trace(python, folder, native)
    assert bytes_at(report, folder, "script.py", 4) >= 100 * 1000
    assert bytes_at(report, folder, "script.py", 5) >= 50 * 2000
    assert bytes_at(report, folder, "script.py", 6) >= 30 * 3000
    assert not [row for row in report.json["user_lines"] if row["file"].endswith(".pyx") and row["line"] in (10, 17, 21)]
