"""What a workload can run under: nothing, or vbtrace. Other tools are in python_tools.py and
native_tools.py."""

import json
import pathlib
import re
import subprocess

from .measure import Failed


STARTS_OF_SLOW = 2
NATIVE = "full"  # VBTRACE_NATIVE for native programs, by default


class Tool:
    """A way to run a command."""

    name = "untraced"
    note = ""
    nature = ""  # exact, samples, ...: the nature of its counts
    sees = ("python", "native")  # the kinds of program it can run
    most_rounds = None  # for tools too slow for more
    left = "*"  # the files it leaves
    slow_start = False  # slow to start: size 0 is measured only in the first STARTS_OF_SLOW rounds
    sees_every_allocation = False
    sees_every_line = False  # of the functions with @profile

    def share_of(self, workload):
        """The share of the workload's size that it gets: slow tools would take hours otherwise."""
        return 1.0

    def unusable(self, python, workload):
        """Why it cannot run this workload, or None."""
        return None

    def dress(self, command, python, directory):
        """The command line that runs command under the tool, and the environment variables it
        takes."""
        return command, {}

    def examine(self, directory, launcher):
        """The facts of a finished run, as a dict; directory is where it could leave files."""
        files = self.files(directory)
        return {"trace_bytes": sum(file.stat().st_size for file in files)} if files else {}

    def files(self, directory):
        return sorted(pathlib.Path(directory).glob(self.left))

    # How many of a known number of allocations it counts: see seen.py.

    def dress_to_see(self, command, python, directory):
        """As dress(), with what is needed to get counts."""
        return self.dress(command, python, directory)

    def report_command(self, directory, command, python):
        """The command that prints its report on stdout; None if it has none."""
        return None

    def found(self, directory, report):
        """{"allocs": number} or {"bytes": number}, or {} if it reports neither; report is its
        text."""
        return {}

    def named(self, directory, report, file, numbers):
        """How many of these lines of a file its report mentions."""
        return sum(re.search(rf"{re.escape(file)}:{number}\b", report) is not None for number in numbers)


def no_profile(workload):
    """Why a tool that follows functions with @profile cannot run it, or None."""
    return None if workload.profiled and not workload.native else "needs a Python function with @profile"


class Vbtrace(Tool):
    name = "vbtrace"
    nature = "exact"
    left = "*.vbt"
    sees_every_allocation = True

    def __init__(self, library, analyzer, **options):
        """options are further variables, without the prefix VBTRACE_."""
        self.library, self.analyzer = library, analyzer
        self.options = {f"VBTRACE_{name.upper()}": str(value) for name, value in options.items()}

    def dress(self, command, python, directory):
        return command, {"LD_PRELOAD": self.library, "VBTRACE_OUTPUT": f"{directory}/%p.vbt", "VBTRACE_QUIET": "1", **self.options}

    def examine(self, directory, launcher):
        traces = self.files(directory)
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
        facts = {"verify": report["verify"]} if report.get("verify") else {}
        return {
            **facts,
            "trace_bytes": traces[0].stat().st_size,
            "events": events,
            "lost_events": lost,
            "report_wall_s": used.wall_s,
            "report_max_rss_bytes": used.max_rss_bytes,
        }

    def report_command(self, directory, command, python):
        return [self.analyzer, "lines", "--by", "leaf", "--limit", "0", *self.files(directory)[:1]]

    def found(self, directory, report):
        command = [self.analyzer, "report", "--format", "json", *self.files(directory)[:1]]
        return {"allocs": json.loads(subprocess.run(command, capture_output=True, text=True).stdout)["totals"]["allocs"]}


class VbtraceLines(Vbtrace):
    name = "vbtrace-lines"
    sees_every_line = True
    note = "vbtrace counting the lines of the hot function, as line_profiler and memory_profiler do: VBTRACE_LINES=profile"

    def __init__(self, library, analyzer):
        super().__init__(library, analyzer, lines="profile")

    def unusable(self, python, workload):
        return no_profile(workload)

    def examine(self, directory, launcher):
        facts = super().examine(directory, launcher)
        done = subprocess.run([self.analyzer, "lines", "--format", "json", *self.files(directory)[:1]], capture_output=True, text=True)
        try:
            functions = json.loads(done.stdout).get("line_profile", [])  # missing if no function with @profile ran
            hits = sum(line["hits"] for function in functions for line in function["lines"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Failed(f"vbtrace lines: no hits in its JSON: {done.stderr.strip()}") from None
        return {**facts, "hits": hits}
