"""What a workload can run under: nothing, vbtrace, and the tools people use today."""

import json
import pathlib
import shutil
import subprocess

from .measure import Failed


STARTS_OF_SLOW = 2
NATIVE = "leaf"  # what VBTRACE_NATIVE is for native programs, if nothing else is asked for


class Tool:
    """A way to run a command."""

    name = "untraced"
    note = ""
    slow_start = False  # so slow that the run at size 0 is measured in the first STARTS_OF_SLOW rounds only
    sees_every_allocation = False

    def share_of(self, workload):
        """The part of the workload's size that it is given: slow ones would take hours otherwise."""
        return 1.0

    def unusable(self, python, workload):
        """Why it cannot run this workload, or None."""
        return None

    def dress(self, command, python, directory):
        """The command line that runs command under the tool, and the environment variables it takes."""
        return command, {}

    def examine(self, directory, launcher):
        """What is to be known of the run that is over, as a dict; directory is where it could leave files."""
        return {}


class Vbtrace(Tool):
    name = "vbtrace"
    sees_every_allocation = True

    def __init__(self, library, analyzer, **options):
        """options are more variables for it, without their VBTRACE_."""
        self.library, self.analyzer = library, analyzer
        self.options = {f"VBTRACE_{name.upper()}": str(value) for name, value in options.items()}

    def dress(self, command, python, directory):
        return command, {"LD_PRELOAD": self.library, "VBTRACE_OUTPUT": f"{directory}/%p.vbt", "VBTRACE_QUIET": "1", **self.options}

    def examine(self, directory, launcher):
        traces = sorted(pathlib.Path(directory).glob("*.vbt"))
        if not traces:
            raise Failed(launcher.last_said() or "left no trace")
        used = launcher.run([self.analyzer, "report", traces[0]])
        done = subprocess.run([self.analyzer, "report", "--format", "json", traces[0]], capture_output=True, text=True)
        try:
            report = json.loads(done.stdout)
            totals = report["totals"]
            events, lost = totals["allocs"] + totals["frees"], totals["lost_events"]
        except (ValueError, KeyError, TypeError):
            raise Failed(f"vbtrace report: no totals in its JSON: {done.stderr.strip()}") from None
        told = {"verify": report["verify"]} if report.get("verify") else {}
        return {
            **told,
            "trace_bytes": traces[0].stat().st_size,
            "events": events,
            "lost_events": lost,
            "report_wall_s": used.wall_s,
            "report_max_rss_bytes": used.max_rss_bytes,
        }


class Tracemalloc(Tool):
    name = "tracemalloc"
    sees_every_allocation = True

    def share_of(self, workload):
        return 1 / 10

    def unusable(self, python, workload):
        return "traces Python only" if workload.native else None

    def dress(self, command, python, directory):
        return command, {"PYTHONTRACEMALLOC": "1"}


class Heaptrack(Tool):
    name = "heaptrack"
    slow_start = True
    note = (
        "sees only what reaches malloc: Python's own allocator hides the small blocks from it. Its start-up takes seconds with NumPy, "
        "which makes small ratios rough"
    )

    def share_of(self, workload):
        return workload.share_of_slow

    def unusable(self, python, workload):
        return None if shutil.which("heaptrack") else "not installed (on Debian: apt install heaptrack)"

    def dress(self, command, python, directory):
        return ["heaptrack", "-o", f"{directory}/heaptrack", *command], {}

    def examine(self, directory, launcher):
        traces = sorted(pathlib.Path(directory).glob("heaptrack*"))
        if not traces:
            raise Failed("left no trace")
        return {"trace_bytes": traces[0].stat().st_size}


class HeaptrackMalloc(Heaptrack):
    name = "heaptrack-malloc"
    note = "heaptrack with PYTHONMALLOC=malloc, so that it sees every allocation"
    sees_every_allocation = True

    def share_of(self, workload):
        return workload.share_of_slow / 20

    def unusable(self, python, workload):
        return "the same as heaptrack" if workload.native else super().unusable(python, workload)

    def dress(self, command, python, directory):
        command, _ = super().dress(command, python, directory)
        return command, {"PYTHONMALLOC": "malloc"}


class MemoryProfiler(Tool):
    name = "memory_profiler"
    note = "@profile on the hot function only"

    def share_of(self, workload):
        return 1 / 2000

    def unusable(self, python, workload):
        if not workload.profiled:
            return "needs a Python function with @profile"
        if python.memory_profiler is None:
            return f"not installed for {python.path} (on Debian: apt install python3-memory-profiler)"
        return None

    def dress(self, command, python, directory):
        return [command[0], "-m", "memory_profiler", *command[1:]], {}


PEERS = [Tracemalloc(), Heaptrack(), HeaptrackMalloc(), MemoryProfiler()]
