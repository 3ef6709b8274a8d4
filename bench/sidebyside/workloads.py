"""What a workload is, and the workloads of bench/run overhead."""

import dataclasses
import pathlib

from .measure import WORKLOADS, build, no_compiler

HEADER = WORKLOADS.parents[1] / "preload"  # the folder of vbtrace.h
STARTS = 20  # starting Python is short: a measurement is this many


@dataclasses.dataclass(frozen=True)
class Workload:
    """A program that takes its size as an argument, so that size 0 shows the cost of everything but
    the work."""

    name: str
    size: int
    program: str = ""  # a file in bench/workloads, or what is in bench/ for bench_sum
    arguments: tuple = ("{size}",)  # placeholders: name, size, elements (the size, at least 1), seed, directory, workloads (their folder)
    runs: int = 1  # runs in one measurement; more than 1 only where the size does not matter
    sized: bool = True  # False: the whole process is measured, there is no size 0
    share_of_slow: float = 1.0  # the share of the size that slow tools get
    numpy: bool = False
    profiled: bool = True  # its hot function carries memory_profiler's decorator
    asked_for: bool = False  # too long: runs only when named
    variables: dict = dataclasses.field(default_factory=dict)  # of its environment

    @property
    def native(self):
        """Whether it is native code."""
        return self.program.endswith((".c", ".cpp"))

    def missing(self):
        """Why it cannot run on this machine, or None."""
        return no_compiler(self.program) if self.native else None

    def prepare(self, directory):
        """Make what all its runs need, in directory."""
        if self.native:
            build(self.name, WORKLOADS / self.program, directory, f"-I{HEADER}")

    def filled(self, arguments, size, seed, directory):
        given = {"name": self.name, "size": size, "elements": max(1, size), "seed": seed, "directory": directory, "workloads": WORKLOADS}
        return [part.format(**given) for part in arguments]

    def command(self, python, size, seed, directory):
        """The command line that runs it; its output files go to directory."""
        arguments = self.filled(self.arguments, size, seed, directory)
        if self.native:
            return [str(pathlib.Path(directory) / self.name), *arguments]
        if self.program == "":
            return [python, *arguments]
        return [python, str(WORKLOADS / self.program), *arguments]

    def beside(self, size, seed, directory):
        """A command that runs beside it and is not measured, or None."""
        return None


BENCH_SUM = ("--seed", "{seed}", "--out", "{directory}/results.json")
SHORT_BENCH_SUM = ("--quick", "--sizes", "2^4,2^8,2^12,2^16", "--elements", "{elements}", *BENCH_SUM)

ALL = [
    Workload("float32_loop", 2**23, "float32_loop.py", ("{size}", "{seed}"), numpy=True),
    Workload("float_list_loop", 2**25, "float_list_loop.py", ("{size}", "{seed}")),
    Workload("objects_loop", 2_000_000, "objects_loop.py"),
    Workload("insertion_sort", 4_000, "insertion_sort.py"),
    Workload("call_heavy", 4_000_000, "call_heavy.py"),
    Workload("depth50", 20_000_000, "depth50.py"),
    Workload("malloc_mix", 15_000_000, "malloc_mix.c", ("{size}", "{seed}"), share_of_slow=1 / 10, profiled=False),
    Workload("object_pool", 3_000_000, "../c/object_pool.c", ("count", "{elements}"), share_of_slow=1 / 10, profiled=False),
    Workload("list_array", 3_000_000, "../c/list_array.cpp", ("count", "{elements}"), share_of_slow=1 / 10, profiled=False),
    Workload("ladder", 500, "../ladder/__main__.py", ("repeat", "--runs", "{size}"), numpy=True, profiled=False),
    Workload("bench_sum", 2**20, "../bench_sum.py", SHORT_BENCH_SUM, numpy=True, profiled=False),
    Workload("bench_sum_full", 0, "../bench_sum.py", BENCH_SUM, sized=False, numpy=True, profiled=False, asked_for=True),
    Workload("startup", 0, "", ("-c", "pass"), runs=STARTS, sized=False, profiled=False),
]
