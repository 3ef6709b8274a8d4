"""vbtrace run where the disk is full, or cannot be written: the program runs as ever, and what
could not be written is said."""

import subprocess

import pytest

import vbt

PYTHON = "/usr/bin/python3"


@pytest.fixture
def disk(tmp_path):
    """A function that mounts a small file system, with these options."""
    folders = []

    def mount(options):
        folder = tmp_path / f"disk{len(folders)}"
        folder.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
        if mounted.returncode != 0:
            pytest.skip(f"cannot mount: {mounted.stderr.strip()}")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", folder], check=True)


def test_refuses_a_disk_that_cannot_be_written(disk, tmp_path):
    """For the default name, too; root can write everywhere."""
    readable = disk("ro")
    for arguments, directory in ((["-o", f"{readable}/x.vbt"], tmp_path), (["-o", f"{readable}/"], tmp_path), ([], readable)):
        before = list(directory.iterdir())
        done = vbt.vbtrace("run", *arguments, "true", directory=directory)
        assert (done.returncode, done.stdout) == (2, "") and list(directory.iterdir()) == before
        assert done.stderr.startswith("vbtrace: run: ") and done.stderr.endswith(": Read-only file system\n")


@pytest.mark.parametrize("quiet", [["--quiet"], []])
def test_full_disk(quiet, disk, tmp_path):
    """Each trace that could not be written is reported once, whatever the program did with its
    standard error."""
    folder = disk("size=64k")
    filling = [PYTHON, "-c", "import sys; f = open(sys.argv[1], 'wb', 0)\nwhile True: f.write(bytes(4096))", folder / "fill"]
    assert vbt.run(filling).returncode == 1
    done = vbt.vbtrace("run", *quiet, "-o", f"{folder}/t.vbt", "/bin/echo", "works", directory=tmp_path)  # it closes its standard error at the end
    assert (done.returncode, done.stdout) == (0, "works\n")
    assert done.stderr == f"vbtrace: {folder}/t.vbt: not written: No space left on device\n"
    code = "import os, subprocess\nif os.fork() == 0: os._exit(0)\nos.wait(); subprocess.run(['/usr/bin/printenv', 'WORKS'])"
    done = vbt.vbtrace("run", *quiet, "-o", f"{folder}/", PYTHON, "-c", code, directory=tmp_path, env={"WORKS": "works"})
    assert (done.returncode, done.stdout) == (0, "works\n")
    lines = done.stderr.splitlines()
    assert len(set(lines)) == len(lines) == 3 and all(f"vbtrace: {folder}/vbtrace." in line and "not written: No space left" in line for line in lines)


def test_disk_that_is_full_in_the_end(disk, tmp_path):
    """The trace up to there is kept."""
    folder = disk("size=96k")
    code = """
import glob, sys, time
while not glob.glob(sys.argv[1] + "/*.vbt"): time.sleep(0.01)
fill = open(sys.argv[1] + "/fill", "wb", 0)
try:
    while True: fill.write(bytes(4096))
except OSError: pass
kept = []
for i in range(5000): exec(compile("kept.append(float(i))", f"file{i}.py", "exec"))
"""
    done = vbt.vbtrace("run", "--quiet", "-o", f"{folder}/t.vbt", PYTHON, "-c", code, folder, directory=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"vbtrace: {folder}/t.vbt: incomplete: No space left on device\n"
    assert not vbt.Report(folder / "t.vbt").json["complete"]
