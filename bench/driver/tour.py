"""The tour of the lab: bench_sum.py under one profiler after another, and what each of them
reports."""

import dataclasses
import json
import pathlib
import re
import shlex
import shutil
import subprocess

from sidebyside.measure import last_line

from . import flame, traced
from .subcommand import BENCH, Failed

SCRIPT = BENCH / "bench_sum.py"
LARGEST = 2**22  # the size of the tour, unless its loop takes longer than this under the slowest profiler:
LONGEST_LOOP_S = 30
CALIBRATION = 2**14
LOOP_UNDER_MEMORY_PROFILER = 2**13  # a size at which its loop takes a few seconds
PERF_HZ, PERF_STACK_BYTES = 499, 16384


@dataclasses.dataclass
class Stop:
    """One profiler: the command, its output, and the facts read from it."""

    name: str
    command: str = ""
    output: str = ""  # the relevant part
    absent: str = ""  # why there is none, if so
    files: tuple = ()  # written beside the page
    wall_s: float = None
    facts: dict = dataclasses.field(default_factory=dict)


class Tour:
    def __init__(self, python, vbtrace, directory, size, seed):
        self.python, self.vbtrace, self.directory, self.size, self.seed = python, vbtrace, pathlib.Path(directory), size, seed

    def script(self, size=None, *more):
        """The script and its arguments: one timed call of the loop, and as many of np.sum."""
        size = size or self.size
        return [
            SCRIPT,
            "--sizes",
            f"2^{size.bit_length() - 1}",
            "--repeats",
            "1",
            "--elements",
            str(size),
            "--seed",
            str(self.seed),
            *more,
        ]

    def run(self, name, command, shown=None):
        """A Stop with the whole output, and the command as a person would type it."""
        out, _, wall = traced.run(command, self.directory)
        typed = " ".join(shlex.quote(str(part)) for part in shown or command)
        for path, word in ((f"{BENCH}/", ""), (f"{self.directory}/", ""), (str(self.python), "python3")):
            typed = typed.replace(path, word)
        return Stop(name, typed, out, wall_s=wall)

    def stops(self, progress):
        """Every stop, in order; the first is the script by itself."""
        for name, stop in (
            ("by itself", self.by_itself),
            ("cProfile", self.cprofile),
            ("line_profiler", self.line_profiler),
            ("memory_profiler", self.memory_profiler),
            ("py-spy", self.py_spy),
            ("perf", self.perf),
            ("vbtrace", self.by_vbtrace),
        ):
            progress(f"tour: {name}")
            yield stop()

    def by_itself(self):
        return self.run("by itself", [self.python, *self.script()])

    def cprofile(self):
        stop = self.run("cProfile", [self.python, "-m", "cProfile", "-s", "cumtime", *self.script()])
        lines = stop.output.splitlines()
        heading = next(i for i, line in enumerate(lines) if line.lstrip().startswith("ncalls"))
        loop = [line for line in lines if re.search(r"\(python_loop\)$", line)]
        inside = [line for line in lines if re.search(r"fromnumeric|'reduce' of", line)]
        stop.output = "\n".join([*lines[heading : heading + 6], "…", *loop, *inside])
        calls, own = loop[0].split()[:2]
        stop.facts = {"loop_calls": int(calls.split("/")[0]), "loop_s": float(own), "numpy_rows": len(inside)}
        return stop

    def missing_module(self, name, module, package):
        """A Stop that says what to install, if this interpreter cannot import the module."""
        ask = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
        if subprocess.run([self.python, "-c", ask], capture_output=True).returncode != 0:
            return Stop(name, absent=f"It is not installed here. On Debian: `apt install {package}`.")
        return None

    def line_profiler(self):
        if absent := self.missing_module("line_profiler", "kernprof", "python3-line-profiler"):
            return absent
        functions = "python_loop,np_sum"
        stop = self.run("line_profiler", [self.python, "-m", "kernprof", "-l", "-v", *self.script(None, "--profile", functions)])
        (self.directory / f"{SCRIPT.name}.lprof").unlink(missing_ok=True)
        stop.output = stop.output[stop.output.index("Timer unit") :].rstrip()
        stop.facts = line_profiler_facts(stop.output)
        return stop

    def memory_profiler(self):
        if absent := self.missing_module("memory_profiler", "memory_profiler", "python3-memory-profiler"):
            return absent
        module = [self.python, "-m", "memory_profiler"]
        stop = self.run("memory_profiler", [*module, *self.script(None, "--profile", "make_array")])
        small = self.run("memory_profiler", [*module, *self.script(LOOP_UNDER_MEMORY_PROFILER, "--profile", "python_loop")])
        bare = traced.run([self.python, *self.script(LOOP_UNDER_MEMORY_PROFILER)], self.directory)[2]
        array, loop = (memory_table(one.output) for one in (stop, small))
        stop.facts = {
            "array_mib": increment_of(array, "standard_normal"),
            "loop_mib": sum(increment_of(loop, text) for text in ("for x in a", "total += x")),
            "loop_size": LOOP_UNDER_MEMORY_PROFILER,
            "us_per_element": (small.wall_s - bare) * 1e6 / (2 * LOOP_UNDER_MEMORY_PROFILER),
        }
        stop.output = f"{array}\n\n$ {small.command}\n{loop}"
        return stop

    def py_spy(self):
        if shutil.which("py-spy") is None:
            return Stop(
                "py-spy",
                absent="It is not installed here, and not among Debian's packages. `pipx install py-spy` (or `pip install py-spy` "
                "in a virtual environment) adds it; the next run of the lab then draws its flame graph. `perf` takes its place below.",
            )
        picture = "py_spy.svg"
        try:
            stop = self.run("py-spy", ["py-spy", "record", "-o", picture, "--", self.python, *self.script()])
        except Failed as failure:
            return Stop("py-spy", absent=f"It is installed, but: {failure}")
        stop.output, stop.files = "", (picture,)
        return stop

    def perf(self):
        if shutil.which("perf") is None:
            return Stop("perf", absent="It is not installed here. On Debian: `apt install linux-perf`.")
        record = ["perf", "record", "-F", str(PERF_HZ), "--call-graph", f"dwarf,{PERF_STACK_BYTES}", "-o", "perf.data", "--"]
        data, picture = self.directory / "perf.data", self.directory / "perf.svg"
        try:
            stop = self.run("perf", [*record, self.python, *self.script()])
            script, _, _ = traced.run(["perf", "script", "--no-inline", "-i", data], self.directory)
        except Failed as failure:
            return Stop("perf", absent=f"It is installed, but does not work on this machine. It says: `{failure}`")
        finally:
            data.unlink(missing_ok=True)
            data.with_suffix(".data.old").unlink(missing_ok=True)
        stacks = list(flame.stacks(script))
        if not stacks:
            return Stop("perf", absent="It ran but took no sample: it has no usable clock on this machine.")
        picture.write_text(flame.svg(flame.tree_of(stacks), f"bench_sum.py, {self.size:,} elements: {len(stacks)} samples of perf"))
        leaves = {}
        for stack in stacks:
            leaves[stack[-1]] = leaves.get(stack[-1], 0) + 1
        top = sorted(leaves.items(), key=lambda one: -one[1])[:8]
        stop.output = "\n".join(f"{100 * count / len(stacks):6.1f} %  {name}" for name, count in top)
        stop.files, stop.facts = ("perf.svg",), {
            "samples": len(stacks),
            "named": sum("[" not in name for name, _ in top),
            "shown": len(top),
        }
        return stop

    def by_vbtrace(self):
        trace = self.directory / "vbtrace.vbt"
        command = [self.python, *self.script()]
        functions = "make_array,python_loop,np_sum"
        _, _, wall = self.vbtrace.run(command, self.directory, trace, functions=functions)
        show, sections = self.vbtrace.show, self.vbtrace.sections(trace)
        lines = show("lines", trace.name, directory=self.directory)
        intervals = show("intervals", "--sites", trace.name, directory=self.directory)
        show("flamegraph", "-o", "vbtrace.svg", trace.name, directory=self.directory)
        variables = f"LD_PRELOAD=libvbtrace.so VBTRACE_OUTPUT=vbtrace.vbt VBTRACE_FUNCTIONS={functions}"
        typed = " ".join([variables, "python3", *map(str, command[1:])]).replace(f"{BENCH}/", "")
        asked = f"$ vbtrace lines vbtrace.vbt\n{lines}\n"
        asked += f"$ vbtrace intervals --sites vbtrace.vbt\n{intervals}"
        loop, call = sections[f"python_loop {self.size}"], sections[f"np_sum {self.size}"]
        facts = {
            **self.counted_lines(trace),
            "loop_allocs": loop["allocs"]["total"],
            "loop_bytes": loop["allocated_bytes"]["total"],
            "loop_iterations": loop["iterations"],
            "loop_high": loop["high_bytes"]["max"],
            "sum_allocs": call["allocs"]["total"],
            "sum_bytes": call["allocated_bytes"]["total"],
            "trace_bytes": trace.stat().st_size,
        }
        return Stop("vbtrace", typed, asked.rstrip(), files=("vbtrace.vbt", "vbtrace.svg"), wall_s=wall, facts=facts)

    def counted_lines(self, trace):
        """Hits and seconds of the loop's two lines, and the bytes that making the array left, as
        counted by vbtrace."""
        profile = json.loads(self.vbtrace.show("lines", "--format", "json", trace))["line_profile"]
        rows = [line for function in profile for line in function["lines"]]
        found = {}
        for key, text in (("for", "for x in a:"), ("add", "total += x"), ("array", "standard_normal(")):
            (row,) = [row for row in rows if text in row["source"]]
            found.update({f"{key}_hits": row["hits"], f"{key}_s": row["time_ns"] / 1e9, f"{key}_bytes": row["net_bytes"]})
        return found


def line_profiler_facts(output):
    """Hits and time of the loop's two lines, and of the call of np.sum, from line_profiler's
    tables."""
    unit = float(re.search(r"Timer unit: (\S+) s", output)[1])
    found = {}
    for key, text in (("for", "for x in a:"), ("add", "total += x"), ("sum", "total = np.sum(a)")):
        row = re.search(rf"^\s*\d+\s+(\d+)\s+([\d.]+)\s+[\d.]+\s+[\d.]+\s+{re.escape(text)}", output, re.MULTILINE)
        if row is None:
            raise Failed(f"line_profiler: no row for '{text}' in its table")
        found[f"{key}_hits"], found[f"{key}_s"] = int(row[1]), float(row[2]) * unit
    return found


def memory_table(output):
    """memory_profiler's table, without the file's name and the script's own output."""
    start = output.find("Line #")
    if start < 0:
        raise Failed(f"memory_profiler: no table in its output: {last_line(output)}")
    lines = output[start:].splitlines()
    end = next((i for i, line in enumerate(lines) if not line.strip()), len(lines))
    return "\n".join(line.rstrip() for line in lines[:end])


def increment_of(table, text):
    row = re.search(rf"^\s*\d+\s+[\d.]+ MiB\s+(-?[\d.]+) MiB\s+\d+\s+.*{re.escape(text)}", table, re.MULTILINE)
    return float(row[1]) if row else 0.0


def size_for(python, directory, seed, sizes):
    """The largest of the sizes, up to LARGEST, whose loop takes less than LONGEST_LOOP_S under
    line_profiler, the slowest profiler."""
    allowed = [size for size in sizes if size <= LARGEST] or sizes[:1]
    tour = Tour(python, None, directory, CALIBRATION, seed)
    stop = tour.line_profiler()
    if stop.absent:
        return allowed[-1]
    each = (stop.facts["for_s"] + stop.facts["add_s"]) / stop.facts["add_hits"]
    return max((size for size in allowed if size * each < LONGEST_LOOP_S), default=allowed[0])
