"""The programs that are run side by side."""

import dataclasses
import pathlib

from .measure import WORKLOADS, build

STARTS = 20  # a start of Python is short: so many make up one measurement


@dataclasses.dataclass(frozen=True)
class Workload:
    """A program that takes its size as an argument, so that size 0 shows what everything but the work costs."""

    name: str
    size: int
    program: str  # a file in bench/workloads, or what is in bench/ for bench_sum
    arguments: tuple = ("{size}",)
    runs: int = 1  # runs that make up one measurement; more than 1 only where the size plays no part
    sized: bool = True  # False: the whole process is measured, there is no size 0
    numpy: bool = False
    profiled: bool = True  # its hot function carries memory_profiler's decorator
    asked_for: bool = False  # too long for a run that does not name it

    @property
    def native(self):
        return self.program.endswith(".c")

    def command(self, python, size, seed, directory):
        """The command line that runs it; whatever it writes goes to directory."""
        arguments = [part.format(size=size, seed=seed, directory=directory) for part in self.arguments]
        if self.native:
            return [str(pathlib.Path(directory) / self.name), *arguments]
        if self.program == "":
            return [python, *arguments]
        return [python, str(WORKLOADS / self.program), *arguments]

    def prepare(self, directory):
        if self.native:
            build(self.name, WORKLOADS / self.program, directory)


BENCH_SUM = ("--elements", "{size}", "--seed", "{seed}", "--out", "{directory}/results.json")

ALL = [
    Workload("float32_loop", 2**23, "float32_loop.py", ("{size}", "{seed}"), numpy=True),
    Workload("float_list_loop", 2**25, "float_list_loop.py", ("{size}", "{seed}")),
    Workload("objects_loop", 2_000_000, "objects_loop.py"),
    Workload("call_heavy", 4_000_000, "call_heavy.py"),
    Workload("depth50", 20_000_000, "depth50.py"),
    Workload("malloc_mix", 15_000_000, "malloc_mix.c", ("{size}", "{seed}"), profiled=False),
    Workload("bench_sum", 2**20, "../bench_sum.py", ("--quick", *BENCH_SUM), sized=False, numpy=True, profiled=False),
    Workload("bench_sum_full", 2**20, "../bench_sum.py", BENCH_SUM, sized=False, numpy=True, profiled=False, asked_for=True),
    Workload("startup", 0, "", ("-c", "pass"), runs=STARTS, sized=False, profiled=False),
]
