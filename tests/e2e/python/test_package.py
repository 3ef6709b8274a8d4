"""The Python package as pip installs it: `python -m vbtrace` and the command `vbtrace`. (The wheel
itself: tests/install/wheel.)"""

import re
import shutil
import sys

import pytest

import vbt

COMMAND = "#!{python}\nimport sys\nfrom vbtrace.__main__ import command\nsys.exit(command())\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the package as a wheel holds it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(vbt.MODULE_DIRECTORY / "vbtrace", folder / "vbtrace", ignore=shutil.ignore_patterns("__pycache__"))
    tools = folder / "vbtrace" / "_bin"
    tools.mkdir()
    shutil.copy(vbt.ANALYZER, tools / "vbtrace")
    shutil.copy(vbt.LIBRARY, tools / "libvbtrace.so")
    return folder


def script(folder):
    path = folder / "script.py"
    path.write_text("import sys, vbtrace\nprint(sys.executable, sys.argv, vbtrace.active(), vbtrace.__file__)\nsys.exit(3)\n")
    return path


def test_as_a_module(interpreter, site, tmp_path):
    """The interpreter that runs the module runs the script, whatever the script says."""
    script(tmp_path).write_text("#!/bin/false python\n" + script(tmp_path).read_text())
    done = vbt.run([interpreter.path, "-m", "vbtrace", "run", "--quiet", "script.py", "-m"], directory=tmp_path, python_paths=[site])
    said = f"{interpreter.path} ['script.py', '-m'] True {site}/vbtrace/__init__.py\n"
    assert (done.returncode, done.stdout, done.stderr) == (3, said, "")
    (trace,) = tmp_path.glob("*.vbt")
    assert trace.name.startswith("vbtrace.script.py.")
    report = vbt.run([interpreter.path, "-m", "vbtrace", "report", trace], python_paths=[site])
    assert report.returncode == 0 and "script.py -m" in report.stdout


def test_the_package_that_is_not_installed_is_found(interpreter, site, tmp_path):
    """In an interpreter of another environment."""
    script(tmp_path)
    done = vbt.run([site / "vbtrace" / "_bin" / "vbtrace", "run", "--quiet", interpreter.path, "script.py"], directory=tmp_path)
    assert (done.returncode, done.stdout) == (3, f"{interpreter.path} ['script.py'] True {site}/vbtrace/__init__.py\n")


def test_as_a_command(site, tmp_path):
    """The Python beside the command runs scripts; a link to it elsewhere has none beside it."""
    environment = tmp_path / "environment"
    assert vbt.run([sys.executable, "-m", "venv", "--without-pip", environment]).returncode == 0
    python, command = environment / "bin" / "python3", environment / "bin" / "vbtrace"
    command.write_text(COMMAND.format(python=python))
    command.chmod(0o755)
    script(tmp_path)
    linked = tmp_path / "linked"
    linked.symlink_to(command)
    for path, wanted in (command, python), (linked, "/usr/bin/python3"):
        done = vbt.run([path, "run", "--quiet", "script.py"], directory=tmp_path, python_paths=[site], env={"PATH": "/usr/bin:/bin"})
        assert (done.returncode, done.stdout.split()[0], done.stderr) == (3, str(wanted), "")
    assert vbt.run([command, "--version"], python_paths=[site]).stdout == vbt.vbtrace("--version").stdout
    done = vbt.run([command, "nonsense"], python_paths=[site])
    assert done.returncode == 2 and done.stderr.startswith("vbtrace: nonsense: "), done.stderr


def test_the_tool_is_missing(site, tmp_path):
    folder = tmp_path / "vbtrace"
    shutil.copytree(site / "vbtrace", folder, ignore=shutil.ignore_patterns("_bin"))
    done = vbt.run(["/usr/bin/python3", "-m", "vbtrace", "--version"], python_paths=[tmp_path])
    assert (done.returncode, done.stderr) == (1, f"vbtrace: the tool is missing: expected {folder}/_bin/vbtrace\n")


def test_the_version_is_cmakes():
    """pyproject.toml finds it there."""
    expression = re.search(r"^regex = '(.*)'$", (vbt.ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]
    found = re.search(expression, (vbt.ROOT / "CMakeLists.txt").read_text())["value"]
    assert found in vbt.vbtrace("--version").stdout
