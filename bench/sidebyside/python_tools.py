"""Profilers of Python programs."""

import pathlib
import re

from .tools import Tool, no_profile

SOURCES = pathlib.Path(__file__).resolve().parent


class Tracemalloc(Tool):
    name = "tracemalloc"
    nature = "exact, of live blocks"
    sees = ("python",)
    sees_every_allocation = True

    def share_of(self, workload):
        return 1 / 10

    def unusable(self, python, workload):
        return "traces Python only" if workload.native else None

    def dress(self, command, python, directory):
        return command, {"PYTHONTRACEMALLOC": "1"}

    def dress_to_see(self, command, python, directory):
        return [command[0], str(SOURCES / "tracemalloc_run.py"), f"{directory}/snapshot", *command[1:]], {}

    def report_command(self, directory, command, python):
        return [python.path, str(SOURCES / "tracemalloc_run.py"), f"{directory}/snapshot"]

    def found(self, directory, report):
        return {"allocs": int(re.search(r"^all: .*count=(\d+)$", report, re.MULTILINE)[1])}


class EmptyTrace(Tool):
    name = "empty-trace"
    note = "a trace function in C that does nothing, while the hot function runs: the interpreter's own cost of reporting lines"
    sees = ()
    sees_every_line = True

    def unusable(self, python, workload):
        return no_profile(workload)

    def dress(self, command, python, directory):
        return [command[0], str(SOURCES / "empty_trace_run.py"), *command[1:]], {}


class Module(Tool):
    """A profiler that runs as a module of the interpreter."""

    sees = ("python",)
    package = ""  # in Debian, if there is one

    def unusable(self, python, workload):
        if workload.native or workload.program == "":
            return "needs a Python program"
        if python.modules.get(self.name) is None:
            where = f"on Debian: apt install {self.package}" if self.package else f"not in Debian: pip install {self.name}"
            return f"not installed for {python.path} ({where})"
        return None


class Decorating(Module):
    """A profiler that needs the hot function decorated with its @profile."""

    note = "@profile on only the hot function"
    sees_every_line = True

    def unusable(self, python, workload):
        return no_profile(workload) or super().unusable(python, workload)

    def row(self, report, number):
        """The columns of a line in its table."""
        match = re.search(rf"^\s*{number}\s+(\S.*)$", report, re.MULTILINE)
        return match[1].split() if match else []


class MemoryProfiler(Decorating):
    name = "memory_profiler"
    nature = "resident set"
    package = "python3-memory-profiler"
    most_rounds = 2

    def share_of(self, workload):
        return 1 / 2000

    def dress(self, command, python, directory):
        return [command[0], "-m", "memory_profiler", "-o", f"{directory}/table", *command[1:]], {}

    def report_command(self, directory, command, python):
        return ["cat", f"{directory}/table"]  # it prints its table as the program ends

    def increments(self, report):
        """{line: MiB}, without the function's first line, which has what the process used
        before."""
        rows = re.findall(r"^\s*(\d+)\s+[\d.]+ MiB\s+(-?[\d.]+) MiB\s", report, re.MULTILINE)
        return {int(line): float(increment) for line, increment in rows[1:]}

    def found(self, directory, report):
        return {"bytes": sum(self.increments(report).values()) * 2**20}

    def named(self, directory, report, file, numbers):
        return sum(self.increments(report).get(number, 0) > 0 for number in numbers)


class LineProfiler(Decorating):
    name = "line_profiler"
    nature = "time and hits"
    package = "python3-line-profiler"

    def share_of(self, workload):
        return 1 / 20

    def dress(self, command, python, directory):
        return [command[0], "-m", "kernprof", "-l", "-o", f"{directory}/lprof", *command[1:]], {}

    def report_command(self, directory, command, python):
        return [python.path, "-m", "line_profiler", f"{directory}/lprof"]

    def named(self, directory, report, file, numbers):
        return sum(self.row(report, number)[:1] not in ([], ["0"]) for number in numbers)


class Memray(Module):
    name = "memray"
    nature = "exact"
    note = "memray with --trace-python-allocators, without which it sees only arenas"

    def dress(self, command, python, directory):
        options = ["run", "--trace-python-allocators", "-q", "-o", f"{directory}/memray.bin"]
        return [command[0], "-m", "memray", *options, *command[1:]], {}

    def report_command(self, directory, command, python):
        return [python.path, "-m", "memray", "stats", f"{directory}/memray.bin"]

    def found(self, directory, report):
        total = re.search(r"Total allocations:\s*([\d,]+)", report)
        return {"allocs": int(total[1].replace(",", ""))} if total else {}


class Scalene(Module):
    name = "scalene"
    nature = "samples"

    def dress(self, command, python, directory):
        return [command[0], "-m", "scalene", "--cli", "--json", "--outfile", f"{directory}/scalene.json", *command[1:]], {}


class Fil(Module):
    name = "filprofiler"
    nature = "peak only"

    def dress(self, command, python, directory):
        return [command[0], "-m", "filprofiler", "-o", directory, "run", *command[1:]], {}


ALL = [Tracemalloc(), EmptyTrace(), MemoryProfiler(), LineProfiler(), Memray(), Scalene(), Fil()]
