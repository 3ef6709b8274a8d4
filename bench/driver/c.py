"""bench/run c: the programs of bench/c, timed and counted by vbtrace, in the ladder's table.

The allocations that their heads state are exact; a run fails where the trace counts something else.
"""

import math
import pathlib
import re
import shutil
import subprocess
import tempfile

from sidebyside import machine
from sidebyside.command_line import progress
from sidebyside.results import as_json
from sidebyside.measure import last_line

from . import expectation, ladder, subcommand, traced
from .subcommand import Failed

PROGRAMS = subcommand.BENCH / "c"
HEADER = subcommand.ROOT / "preload"  # where vbtrace.h is
OUT = subcommand.BENCH / "results" / "c.json"
SIZES = (1024, 2048, 4096, 8192)
TARGET_MS, QUICK_TARGET_MS = 20, 1
STATED = re.compile(r"^ \* expect (\w+): allocs (.+?);(?:\n \*)? +bytes (.+?)(?:; each (\d+)\.\.(\d+))?(?: \*/)?$", re.MULTILINE)
COMPILERS = {".c": ("cc", "gcc"), ".cpp": ("g++", "g++")}  # with its package in Debian


def doublings(first, enough):
    """How often `first` is doubled to reach `enough`."""
    return max(0, math.ceil(math.log2(enough / first)))


NAMES = {"log2": lambda n: n.bit_length() - 1, "doublings": doublings}


class Program:
    """A source file of bench/c: what it compares, and what its variants state."""

    def __init__(self, path):
        text = path.read_text()
        self.path, self.name = path, path.stem
        self.about = re.match(r"/\* (.*)\n", text)[1].rstrip(".")
        self.stated = {}
        for variant, allocs, bytes_, least, most in STATED.findall(text):
            self.stated[variant] = {"allocs": allocs, "bytes": bytes_, **({"each": [int(least), int(most)]} if least else {})}

    def missing(self):
        compiler, package = COMPILERS[self.path.suffix]
        return None if shutil.which(compiler) else f"no {compiler} (on Debian: apt install {package})"

    def build(self, directory):
        """The compiled program."""
        compiler, _ = COMPILERS[self.path.suffix]
        out = pathlib.Path(directory) / self.name
        command = [compiler, "-O2", "-g", "-Wall", "-Wextra", f"-I{HEADER}", "-o", out, self.path]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{compiler} {self.path.name}: {last_line(done.stderr)}")
        return out

    def expected(self, variant, n):
        return {what: int(eval(self.stated[variant][what], {**NAMES, "n": n})) for what in expectation.COUNTED}


def all_programs():
    return [Program(path) for path in sorted(PROGRAMS.iterdir()) if path.suffix in COMPILERS]


def count(vbtrace, program, built, directory):
    """The rows of a program, without times; `each` has the least and the most allocations of an
    iteration that is a section of its own."""
    trace = pathlib.Path(directory) / f"{program.name}.vbt"
    vbtrace.run([built, "count", *SIZES], directory, trace)
    sections = vbtrace.sections(trace)
    rows = []
    for variant, stated in program.stated.items():
        for n in SIZES:
            each = sections.get(f"{variant} each {n}")
            rows.append(
                {
                    "workload": program.name,
                    "variant": variant,
                    "n": n,
                    "iterations": sections[f"{variant} {n}"]["iterations"],
                    "expression": stated,
                    "expected": program.expected(variant, n),
                    **traced.cost(sections[f"{variant} {n}"]),
                    **({"each": [each["allocs"]["min"], each["allocs"]["max"]], "each_count": each["count"]} if each else {}),
                }
            )
    return rows


def unmet(rows):
    """What differs from the statements: expectation.unmet with no constant allowed, blocks left
    behind, iterations that cost less or more."""
    lines = expectation.unmet(rows, dict.fromkeys(expectation.COUNTED, 0))
    for row in rows:
        name = f"{row['workload']}.{row['variant']} at {row['n']}"
        if row["frees"] != row["allocs"] or row["net_bytes"] != 0:
            lines.append(f"{name}: {row['allocs']:,} allocations and {row['frees']:,} frees, {row['net_bytes']} bytes left")
        if row.get("each") != row["expression"].get("each"):
            lines.append(
                f"{name}: an iteration allocates {row.get('each')} times (least, most), stated {row['expression'].get('each')}"
            )
    return lines


def times(built, target_ms, directory):
    """{(variant, n): nanoseconds}"""
    out, _, _ = traced.run([built, "time", target_ms, *SIZES], directory)
    return {(variant, int(n)): float(ns) for variant, n, ns in map(str.split, out.splitlines())}


def main(arguments):
    made = subcommand.parser(
        "c", "C and C++: naive code against better code, by time and by allocations, and how both grow.", OUT
    )
    options = subcommand.options_from(made, arguments)
    vbtrace = traced.Vbtrace(options.library, options.tool)
    rows, absent, about = [], {}, {}
    with tempfile.TemporaryDirectory(prefix="vbtrace-c-") as directory:
        for program in all_programs():
            progress(program.name)
            if why := program.missing():
                absent[program.name] = why
                continue
            built = program.build(directory)
            timed = times(built, QUICK_TARGET_MS if options.quick else TARGET_MS, directory)
            about[program.name] = program.about
            rows += [{**row, "time_ns": timed[row["variant"], row["n"]]} for row in count(vbtrace, program, built, directory)]
        progress("")
    manifest = machine.manifest([], {"quick": options.quick, "vbtrace": machine.version_of([options.tool, "--version"])})
    options.out.write_text(as_json({"manifest": manifest, "workloads": about, "absent": absent, "rows": rows}))
    print("\n".join(ladder.table(rows, about)))
    for row in rows:
        if "each" in row and row["n"] == SIZES[-1]:
            least, most = row["each"]
            print(
                f"{row['workload']}.{row['variant']}: of {row['each_count']:,} iterations marked one by one, the least made "
                f"{least} allocations, the most {most}."
            )
    subcommand.end(absent, unmet(rows), manifest, f"{len(rows)} measurements in {options.out}")
