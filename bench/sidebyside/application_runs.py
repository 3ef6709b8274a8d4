"""What an application of bench/run real runs under, and one such run: its output must be that of
the untraced run, and several processes may leave traces.

Profilers from PyPI run on an interpreter of their own (a virtual environment on top of Debian's
packages), and are compared with untraced runs on that one.
"""

import pathlib
import shutil
import subprocess
import tempfile

from . import command_line, measure
from .compare import Side
from .native_tools import Heaptrack
from .python_tools import Fil, Memray, Scalene, Tracemalloc
from .tools import Tool, Vbtrace

PYPI = ("memray", "scalene", "filprofiler")


class VbtraceOfAll(Vbtrace):
    """vbtrace, with the traces of all processes of a run added up."""

    def __init__(self, name, library, analyzer, **options):
        super().__init__(library, analyzer, **options)
        self.name = name

    def examine(self, directory, launcher):
        every = self.files(directory)
        if not every:
            raise measure.Failed(launcher.last_said() or "left no trace")
        found = []
        for trace in every:
            with tempfile.TemporaryDirectory(dir=directory) as alone:
                found.append(super().examine(shutil.move(trace, alone) and alone, launcher))
        sums = ("trace_bytes", "events", "lost_events", "report_wall_s")
        verify = [one["verify"] for one in found if "verify" in one]
        return {
            **({"verify": {field: sum(one[field] for one in verify) for field in ("compared", "different")}} if verify else {}),
            **{field: sum(one[field] for one in found) for field in sums},
            "report_max_rss_bytes": max(one["report_max_rss_bytes"] for one in found),
            "traces": len(found),
        }


class AnyHeaptrack(Heaptrack):
    slow_start = False

    def examine(self, directory, launcher):
        return Tool.examine(self, directory, launcher)


class MemrayDefault(Memray):
    note = "memray as it is by default: of Python's own allocator it sees the arenas"

    def dress(self, command, python, directory):
        return [command[0], "-m", "memray", "run", "-q", "-o", f"{directory}/memray.bin", *command[1:]], {}


class MemrayNative(Memray):
    name = "memray-native"
    note = "memray with --native --trace-python-allocators: every allocation, whole stacks"

    def dress(self, command, python, directory):
        options = ["run", "--native", "--trace-python-allocators", "-q", "-o", f"{directory}/memray.bin"]
        return [command[0], "-m", "memray", *options, *command[1:]], {}

    def unusable(self, python, workload):
        return None if python.modules.get("memray") else "not installed"


BESIDE = [AnyHeaptrack(), Tracemalloc()]  # run on the same interpreter as vbtrace
ON_THEIR_OWN = [MemrayDefault(), MemrayNative(), Scalene(), Fil()]


class ApplicationSide(Side):
    """An application under a tool."""

    def __init__(self, workload, python, tool, options):
        super().__init__(workload, python, tool, options)
        self.size, self.share = 0 if options.quick else 1, 1.0
        self.expected = None  # what the untraced run prints
        if self.status == "ok" and (reason := workload.absent(python.path)):
            self.give_up("skipped", reason)

    def run(self, launcher, size, left_behind):
        """One run in a new folder. The home folder is the same for all, so that only the first
        fills the caches there."""
        output, home = launcher.directory / "output", launcher.directory / "home"
        home.mkdir(exist_ok=True)
        variables = {"HOME": home, "XDG_CACHE_HOME": home / "cache", "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home, "PYTHONDONTWRITEBYTECODE": 1}
        with tempfile.TemporaryDirectory(dir=launcher.directory) as folder:
            command, more = self.tool.dress(self.workload.command(self.python.path, self.size, 0, folder), self.python, left_behind)
            beside = self.workload.beside(self.size, 0, folder)
            usage = launcher.run(command, {**variables, **more}, beside, folder, output)
        self.compare(output.read_bytes())
        return usage, self.tool.examine(left_behind, launcher)

    def compare(self, printed):
        """Fails if the run did not print what the untraced one did. Other tools print something of
        their own around it."""
        if self.expected is None:
            self.expected = printed
        ours = isinstance(self.tool, Vbtrace) or self.tool.name == "untraced"
        if printed != self.expected if ours else self.expected not in printed:
            raise measure.Failed("its output is not that of the untraced run")


def prepare(groups, launcher):
    """Run each application untraced once, which fills caches, and keep what it prints."""
    for untraced, *others in groups:
        if untraced.status != "ok":
            continue
        command_line.progress(f"first run of {untraced.workload.name}")
        try:
            with tempfile.TemporaryDirectory(dir=launcher.directory) as left_behind:
                untraced.run(launcher, untraced.size, left_behind)
            for side in others:
                side.expected = untraced.expected
        except measure.Failed as failure:
            untraced.give_up("failed", str(failure))
            for side in others:
                side.give_up("skipped", "the untraced run failed")


def make_peers(python, directory):
    """Make a virtual environment with the profilers that PyPI has; returns {name: why not}."""
    venv = subprocess.run([python, "-m", "venv", "--system-site-packages", directory], capture_output=True, text=True)
    if venv.returncode != 0:
        raise measure.Failed(f"{directory}: no virtual environment (on Debian: apt install python3-venv): {measure.last_line(venv.stdout)}")
    absent = {}
    for name in PYPI:
        command_line.progress(f"installing {name}")
        pip = subprocess.run([pathlib.Path(directory) / "bin" / "pip", "install", "-q", name], capture_output=True, text=True)
        if pip.returncode != 0:
            absent[name] = measure.last_line(pip.stderr)
    command_line.progress("")
    return absent
