"""Profilers of native memory. They also run Python programs, and see what the interpreter requests
from malloc."""

import ctypes.util
import json
import re
import shutil

from .measure import Failed
from .tools import Tool


class Heaptrack(Tool):
    name = "heaptrack"
    nature = "exact"
    left = "heaptrack*"
    slow_start = True
    note = (
        "sees only what reaches malloc, not the small blocks of Python's own allocator. Its start-up takes seconds with NumPy, "
        "which makes small ratios imprecise"
    )

    def share_of(self, workload):
        return workload.share_of_slow

    def unusable(self, python, workload):
        return None if shutil.which("heaptrack") else "not installed (on Debian: apt install heaptrack)"

    def dress(self, command, python, directory):
        return ["heaptrack", "-o", f"{directory}/heaptrack", *command], {}

    def examine(self, directory, launcher):
        traces = self.files(directory)
        if not traces:
            raise Failed("left no trace")
        return {"trace_bytes": traces[0].stat().st_size}

    def report_command(self, directory, command, python):
        return ["heaptrack_print", *self.files(directory)[:1]]

    def found(self, directory, report):
        return {"allocs": int(re.search(r"^calls to allocation functions: (\d+)", report, re.MULTILINE)[1])}


class HeaptrackMalloc(Heaptrack):
    name = "heaptrack-malloc"
    note = "heaptrack with PYTHONMALLOC=malloc, so that it sees every allocation"
    sees = ("python",)
    most_rounds = 3
    sees_every_allocation = True

    def share_of(self, workload):
        return workload.share_of_slow / 20

    def unusable(self, python, workload):
        return "the same as heaptrack" if workload.native else super().unusable(python, workload)

    def dress(self, command, python, directory):
        command, _ = super().dress(command, python, directory)
        return command, {"PYTHONMALLOC": "malloc"}


class Valgrind(Tool):
    """A Valgrind tool: runs the program on a simulated processor."""

    nature = "exact"
    slow_start = True
    most_rounds = 2
    options = ()

    def share_of(self, workload):
        return min(1 / 20, workload.share_of_slow / 5)

    def unusable(self, python, workload):
        return None if shutil.which("valgrind") else "not installed (on Debian: apt install valgrind)"

    def dress(self, command, python, directory):
        tool = self.name
        common = ["valgrind", f"--tool={tool}", f"--log-file={directory}/log", f"--{tool}-out-file={directory}/{tool}.out"]
        return [*common, *self.options, *command], {}

    @property
    def left(self):
        return f"{self.name}.out"

    def log(self, directory):
        with open(f"{directory}/log") as log:
            return log.read().replace(",", "")


class Dhat(Valgrind):
    name = "dhat"
    note = "part of Valgrind; its report is a web page"

    def found(self, directory, report):
        return {"allocs": int(re.search(r"Total: +\d+ bytes in (\d+) blocks", self.log(directory))[1])}

    def named(self, directory, report, file, numbers):
        with open(f"{directory}/dhat.out") as out:
            frames = "\n".join(json.load(out)["ftbl"])
        return super().named(directory, frames, file, numbers)


class Massif(Valgrind):
    name = "massif"
    nature = "exact, by snapshots"
    note = "part of Valgrind"
    options = ("--stats=yes",)

    def report_command(self, directory, command, python):
        return ["ms_print", f"{directory}/massif.out"]

    def found(self, directory, report):
        log = self.log(directory)
        return {"allocs": sum(int(number) for number in re.findall(r"Massif: heap (?:allocs|reallocs): +(\d+)", log))}


class Preloaded(Tool):
    """An allocator with a profiler, preloaded in place of malloc."""

    library = package = viewer = ""

    def unusable(self, python, workload):
        if ctypes.util.find_library(self.library) is None:
            return f"not installed (on Debian: apt install {self.package})"
        return None

    def report_command(self, directory, command, python):
        program = python.path if python else command[0]
        if shutil.which(self.viewer) is None:
            return None
        return [self.viewer, "--text", "--lines", "--alloc_objects", program, self.files(directory)[-1]]

    def found(self, directory, report):
        total = re.search(r"^Total: (\d+) objects", report, re.MULTILINE)
        return {"allocs": int(total[1])} if total else {}


class Gperftools(Preloaded):
    name = "gperftools"
    nature = "exact"
    note = "tcmalloc as the allocator, with HEAPPROFILE"
    library, package, viewer = "tcmalloc", "libgoogle-perftools4 google-perftools", "google-pprof"
    left = "profile.*.heap"

    def share_of(self, workload):
        return workload.share_of_slow

    def dress(self, command, python, directory):
        return command, {"LD_PRELOAD": ctypes.util.find_library(self.library), "HEAPPROFILE": f"{directory}/profile"}


class Jemalloc(Preloaded):
    name = "jemalloc"
    nature = "samples, one in 512 KiB"
    note = "jemalloc as the allocator, with prof:true; counts are estimated from samples"
    library, package, viewer = "jemalloc", "libjemalloc2 libjemalloc-dev", "jeprof"
    left = "profile.*.heap"

    def dress(self, command, python, directory):
        options = f"prof:true,prof_accum:true,prof_final:true,prof_prefix:{directory}/profile"
        return command, {"LD_PRELOAD": ctypes.util.find_library(self.library), "MALLOC_CONF": options}


ALL = [Heaptrack(), HeaptrackMalloc(), Dhat(), Massif(), Gperftools(), Jemalloc()]
