"""Programs of the C library musl that traced programs start: they run, untraced."""

import shutil
import subprocess

import pytest

import vbt

PYTHON = "/usr/bin/python3"
WAYS = {
    "spawned": [PYTHON, "-c", "import os, sys; print(os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)[1] >> 8)"],
    "called": [PYTHON, "-c", "import subprocess, sys; print(subprocess.call(sys.argv[1:]))"],
    "by a shell": [PYTHON, "-c", "import os, sys; print(os.system(sys.argv[1]) >> 8)"],
    "replaced": [PYTHON, "-c", "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"],
    "env": ["/usr/bin/env"],
    "sh": ["/bin/sh", "-c", '"$0"; echo $?'],
}


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A program of musl's that ends with status 3."""
    compiler = shutil.which("musl-gcc")
    if compiler is None:
        pytest.skip("needs musl-gcc (Debian: musl-tools)")
    folder = tmp_path_factory.mktemp("musl")
    (folder / "foreign.c").write_text('#include <stdio.h>\nint main(void) { puts("foreign"); return 3; }\n')
    subprocess.run([compiler, "-o", folder / "foreign", folder / "foreign.c"], check=True)
    return folder / "foreign"


@pytest.mark.parametrize("way", WAYS)
def test_the_child_runs(foreign, way, tmp_path):
    """musl's loader ends a program into which it is to load what it cannot link."""
    command = [*WAYS[way], foreign]
    untraced = vbt.run(command)
    traced = vbt.vbtrace("run", "--quiet", "-o", f"{tmp_path}/", *command)
    assert "foreign" in untraced.stdout and (untraced.returncode == 3 or "3" in untraced.stdout)
    assert (traced.returncode, traced.stdout, traced.stderr) == (untraced.returncode, untraced.stdout, untraced.stderr)
    assert not [path for path in tmp_path.iterdir() if "foreign" in path.name]


def test_programs_in_deep_folders_are_traced(tmp_path):
    """The way to the library begins at the program, and leads up to the root."""
    folder = tmp_path.joinpath(*(["deeper"] * (40 - len(tmp_path.parts) + 1)))
    folder.mkdir(parents=True)
    program = shutil.copy(vbt.compiled("ends.c", "-O0", "-fno-builtin"), folder / "program")
    for command in ([program, "return"], ["/bin/sh", "-c", '"$0" return; exit $?', program]):
        done = vbt.vbtrace("run", "--quiet", "-o", tmp_path / "t.vbt", *command)
        assert (done.returncode, done.stderr) == (3, "")
        (trace,) = tmp_path.glob("t*.vbt")
        report = vbt.Report(trace)
        assert report.heap["allocs"] >= 1000
        assert not [row for row in vbt.trace_reader.Trace(trace).modules if b"/.." in bytes(str(row), "utf-8")]
        trace.unlink()
