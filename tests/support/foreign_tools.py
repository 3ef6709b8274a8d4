"""Tools that read our exports and that Debian does not have, from npm and PyPI. They are installed
once, in a folder outside the tree; where that cannot be done, the tests that need them are skipped
with the reason."""

import fcntl
import functools
import os
import pathlib
import shutil
import subprocess
import sys

FOLDER = pathlib.Path(os.environ.get("VBTRACE_TOOLS", f"/tmp/vbtrace-tools-{os.getuid()}"))
SPEEDSCOPE, PERFETTO = "1.25.0", "0.59.1"
LONGEST = 240  # seconds that an installation may take


def _installed(name, commands):
    """Makes FOLDER/NAME by these commands, unless it is there; returns why it could not be made, or
    None. A failure is not tried again by the same run of tests."""
    place = FOLDER / name
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    with open(FOLDER / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failed = FOLDER / f"{name}.failed"
        if (place / "complete").exists():
            return None
        if failed.exists() and failed.read_text().startswith(f"{os.getppid()}\n"):
            return failed.read_text().partition("\n")[2]
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for command in commands:
            try:
                done = subprocess.run(list(map(str, command)), cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST)
                why = None if done.returncode == 0 else f"{command[0]} failed: " + (done.stderr or done.stdout).strip()[-300:]
            except (OSError, subprocess.TimeoutExpired) as error:
                why = f"{command[0]}: {error}"
            if why is not None:
                failed.write_text(f"{os.getppid()}\n{why}")
                return why
        (place / "complete").touch()
    return None


@functools.lru_cache(maxsize=None)
def speedscope():
    """(speedscope's page on disk, why it cannot be had): one of them is None."""
    name = f"speedscope-{SPEEDSCOPE}"
    if shutil.which("npm") is None:
        return None, "needs npm, for speedscope"
    why = _installed(name, [["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", f"speedscope@{SPEEDSCOPE}"]])
    page = FOLDER / name / "node_modules" / "speedscope" / "dist" / "release" / "index.html"
    return (page, None) if why is None else (None, f"speedscope cannot be had: {why}")


@functools.lru_cache(maxsize=None)
def perfetto():
    """(a Python with the package perfetto, why it cannot be had): one of them is None."""
    name = f"perfetto-{PERFETTO}"
    place = FOLDER / name
    commands = [[sys.executable, "-m", "venv", place / "venv"], [place / "venv/bin/pip", "install", "--quiet", "--retries", "1", f"perfetto=={PERFETTO}"]]
    why = _installed(name, commands)
    return (place / "venv" / "bin" / "python", None) if why is None else (None, f"the wheel perfetto cannot be had: {why}")


@functools.lru_cache(maxsize=None)
def trace_processor():
    """(a Python whose perfetto can start its trace_processor, why there is none). The wheel loads
    the program itself from elsewhere when it is first used."""
    python, why = perfetto()
    if python is None:
        return None, why
    start = "from perfetto.trace_processor import TraceProcessor; TraceProcessor().close()"
    try:
        done = subprocess.run([python, "-c", start], capture_output=True, text=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return None, "Perfetto's trace_processor did not start"
    return (python, None) if done.returncode == 0 else (None, "the program trace_processor cannot be had: " + done.stderr.strip()[-200:])
