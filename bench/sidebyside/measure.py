"""Runs one command and reports the resources it used."""

import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess

TIMEOUT_S = 900
SOURCES = pathlib.Path(__file__).resolve().parent
WORKLOADS = SOURCES.parent / "workloads"


class Failed(Exception):
    """A command failed; the text is the reason, in one line."""


@dataclasses.dataclass(frozen=True)
class Usage:
    """The usage of a command and its children: user and system time, wall time, the largest of
    their greatest resident sets."""

    cpu_s: float
    wall_s: float
    max_rss_bytes: int


COMPILERS = {".c": ("cc", "gcc libc6-dev"), ".cpp": ("g++", "g++")}  # with its package in Debian


def no_compiler(source):
    """Why a source file cannot be compiled on this machine, or None."""
    name, package = COMPILERS[pathlib.Path(source).suffix]
    return None if shutil.which(name) else f"no compiler: {name} is not in PATH (on Debian: apt install {package})"


def build(name, source, directory, *flags):
    """Compile a C or C++ file into directory; returns the program's path."""
    if why := no_compiler(source):
        raise Failed(why)
    compiler, _ = COMPILERS[pathlib.Path(source).suffix]
    program = pathlib.Path(directory) / name
    done = subprocess.run([compiler, "-O2", "-g", *flags, "-o", program, source], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{compiler} {source}: {last_line(done.stderr) or done.returncode}")
    return program


def quiet_environment():
    """This process's environment without variables that affect Python, malloc or tracers."""
    steering = ("LD_PRELOAD", "PYTHON", "VBTRACE_", "MALLOC_", "GLIBC_TUNABLES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    return {**kept, **one_thread, "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}  # perl complains about locales that are not installed


class Launcher:
    """Runs commands through launch.c, in `directory`, where everything they leave behind goes."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.program = build("launch", SOURCES / "launch.c", directory)
        self.environment = quiet_environment()

    def run(self, command, variables=None, beside=None, folder=None, output=os.devnull):
        """The Usage of one run of command, with these environment variables added; raises Failed.

        beside is a command that runs at the same time and is not measured, such as the clients of a
        server. folder is the working directory of both, by default the launcher's; output is the
        file for what command prints.
        """
        result, errors = self.directory / "usage", self.directory / "errors"
        settings = [f"{name}={value}" for name, value in (variables or {}).items()]
        with errors.open("wb") as stderr, open(output, "wb") as stdout:
            process = self.start([self.program, result, *settings, "--", *command], stdout, stderr, folder)
            other = self.start(beside, subprocess.DEVNULL, stderr, folder) if beside else None
            try:
                code = process.wait(TIMEOUT_S)
                beside_code = other.wait(TIMEOUT_S) if other else 0
            except subprocess.TimeoutExpired:
                raise Failed(f"not finished after {TIMEOUT_S} s") from None
            finally:
                for one in filter(None, (process, other)):
                    if one.poll() is None:
                        os.killpg(one.pid, signal.SIGKILL)
                        one.wait()
        said = self.last_said()
        if code != 0:
            raise Failed(said or f"launch: exit status {code}")
        user_us, system_us, wall_ns, max_rss_kib, status = map(int, result.read_text().split())
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            how = f"exit status {code}" if code > 0 else f"killed by signal {-code}"
            raise Failed(f"{how}: {said}" if said else how)
        if beside_code != 0:
            raise Failed(f"{pathlib.Path(beside[0]).name}: {said or f'exit status {beside_code}'}")
        return Usage((user_us + system_us) / 1e6, wall_ns / 1e9, max_rss_kib * 1024)

    def start(self, command, stdout, stderr, folder):
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=folder or self.directory,
            env=self.environment,
            start_new_session=True,
        )

    def last_said(self):
        """The last line of the latest command's stderr."""
        return last_line((self.directory / "errors").read_text(errors="replace"))


def last_line(text):
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
