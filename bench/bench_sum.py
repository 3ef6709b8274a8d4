#!/usr/bin/python3
"""How much slower is a Python loop over a NumPy array than one call on the whole array?

Measures, for arrays of 2^4 to 2^24 float32 numbers, the time of a loop that adds them one by one
against that of np.sum, prints a table, and writes every measurement to results.json:

    {"size": 1024, "op": "python_loop", "mean_time_ns": …, "std_time_ns": …,
     "n_repeats": 5, "calls_per_repeat": …}

Times are per call, over n_repeats repetitions of calls_per_repeat calls each. The protocol:
  - one thread, one seed for all sizes, the garbage collector off while the clock runs;
  - each operation is called once before it is timed, so that caches and pages are warm;
  - a repetition makes as many calls as it takes to last --target-ms, 100 ms by default;
  - above 2^20 elements the loop, already far slower than that, is repeated only once.

Each repetition is a vbtrace section: the report of a traced run shows memory beside time:

    LD_PRELOAD=libvbtrace.so python3 bench_sum.py

an iteration of "python_loop N" is one element, an iteration of "np_sum N" is one call.

For line_profiler and memory_profiler, --profile NAMES decorates functions with their @profile:

    python3 -m kernprof -l -v bench_sum.py --profile python_loop,np_sum
"""

import os

# Before NumPy is imported: its libraries read these only once.
for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR", "VECLIB_MAXIMUM"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
import builtins
import contextlib
import gc
import itertools
import json
import pathlib
import re
import statistics
import sys
import time

try:
    import numpy as np
except ImportError:
    sys.exit("bench_sum.py: needs NumPy (on Debian: apt install python3-numpy)")

try:
    from vbtrace import section
except ImportError:
    sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "python"))
    try:
        from vbtrace import section
    except ImportError:

        def section(label, iterations):
            return contextlib.nullcontext()


ALL_SIZES = [2**k for k in range(4, 25)]
QUICK_SIZES = [2**k for k in range(4, 21, 4)]
LARGEST_SIZE = 2**30
LARGEST_REPEATED_LOOP = 2**20
PROFILED = ("make_array", "python_loop", "np_sum")  # what --profile can name


def make_array(size, seed):
    """What is summed: the same numbers for the same seed, on every machine."""
    return np.random.default_rng(seed).standard_normal(size, dtype=np.float32)


# The two operations. Both take the array and turns(how often), an iterator without allocations.


def turns(calls):
    return itertools.repeat(None, calls)


def python_loop(a, turns):
    for _ in turns:
        total = np.float32(0)
        for x in a:
            total += x
    return total


def np_sum(a, turns):
    for _ in turns:
        total = np.sum(a)
    return total


def time_once(operation, a, calls):
    """Nanoseconds of one repetition."""
    start = time.perf_counter_ns()
    operation(a, turns(calls))
    return time.perf_counter_ns() - start


def calls_for(operation, a, target_ns):
    """The number of calls that takes at least target_ns."""
    calls = 1
    while (elapsed := time_once(operation, a, calls)) < target_ns:
        # Aim a little further than needed, but not too far at once: the first few calls are
        # unreliable.
        needed = 1.1 * calls * target_ns / max(elapsed, 1)
        calls = max(calls + 1, min(int(needed) + 1, 100 * calls))
    return calls


def time_in_section(operation, a, calls, iterations):
    """Nanoseconds of one repetition, marked as a vbtrace section."""
    mark, each = section(f"{operation.__name__} {a.size}", iterations), turns(calls)
    start = time.perf_counter_ns()
    with mark:
        operation(a, each)
    return time.perf_counter_ns() - start


def measure(operation, a, options):
    """One row of results.json."""
    repeats = options.repeats
    if operation is python_loop and a.size > LARGEST_REPEATED_LOOP:
        repeats = 1
    gc.disable()
    try:
        operation(a, turns(1))
        if options.elements:
            calls = max(1, options.elements // a.size)
        else:
            calls = calls_for(operation, a, options.target_ms * 1e6)
        iterations = calls * a.size if operation is python_loop else calls
        times = [time_in_section(operation, a, calls, iterations) / calls for _ in range(repeats)]
    finally:
        gc.enable()
    return {
        "size": a.size,
        "op": operation.__name__,
        "mean_time_ns": statistics.fmean(times),
        "std_time_ns": statistics.stdev(times) if repeats > 1 else 0.0,
        "n_repeats": repeats,
        "calls_per_repeat": calls,
    }


def run(options):
    """Measure everything; returns the rows."""
    rows = []
    for size in options.sizes:
        a = make_array(size, options.seed)
        for operation in (python_loop, np_sum):
            progress(f"{len(rows) + 1} of {2 * len(options.sizes)}: {operation.__name__}, {size:,} elements")
            rows.append(measure(operation, a, options))
    progress("")
    return rows


def progress(text):
    """Rewrite the progress line, if stderr is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def table(rows):
    """The lines of the final table."""
    times = {(row["op"], row["size"]): row["mean_time_ns"] for row in rows}
    yield f"{'elements':>13}  {'python loop':>12}  {'np.sum':>12}  {'ratio':>7}"
    for size in dict.fromkeys(row["size"] for row in rows):
        loop, call = times["python_loop", size], times["np_sum", size]
        yield f"{size:>13,}  {in_units(loop):>12}  {in_units(call):>12}  {loop / call:>6.1f}x"


def in_units(nanoseconds):
    for limit, unit in ((1e3, "ns"), (1e6, "µs"), (1e9, "ms")):
        if nanoseconds < limit:
            return f"{nanoseconds * 1e3 / limit:.2f} {unit}"
    return f"{nanoseconds / 1e9:.2f} s"


# The command line.


def sizes_from(text):
    """`4-10` or `2^4-2^10`: every power of two from 2^4 to 2^10; `2^4`: that one; `1000`: 1000
    elements; commas between them."""
    sizes = []
    for item in text.split(","):
        if powers := re.fullmatch(r"(?:2\^)?(\d{1,2})-(?:2\^)?(\d{1,2})", item):
            found = [2**k for k in range(int(powers[1]), int(powers[2]) + 1)]
        elif power := re.fullmatch(r"2\^(\d{1,2})", item):
            found = [2 ** int(power[1])]
        else:
            found = [int(item)] if re.fullmatch(r"\d{1,10}", item) else []
        if not found or min(found) < 1 or max(found) > LARGEST_SIZE:
            raise argparse.ArgumentTypeError(
                f"'{item}' is no size from 1 to 2^30; expected element counts (1000), powers (2^10) or ranges of powers (4-10)"
            )
        sizes += found
    return list(dict.fromkeys(sizes))


def positive(kind):
    def convert(text):
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
        return value

    return convert


def seed_from(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0 on")
    return int(text)


def functions_from(text):
    names = text.split(",")
    for name in names:
        if name not in PROFILED:
            raise argparse.ArgumentTypeError(f"'{name}' is not one of {', '.join(PROFILED)}")
    return names


class Parser(argparse.ArgumentParser):
    def error(self, message):
        """Print one line; argparse would print the usage as well."""
        self.exit(2, f"{self.prog}: {message}\n")


def options_from(arguments):
    parser = Parser(prog="bench_sum.py", description="Time a Python loop over float32 arrays against np.sum.", allow_abbrev=False)
    add = parser.add_argument
    add("--sizes", type=sizes_from, help="powers 2^10, ranges of powers 4-10, or element counts 1000; default: 4-24")
    add("--quick", action="store_true", help="2^4, 2^8 … 2^20, 3 repetitions of 10 ms: a second or two")
    add("--repeats", type=positive(int), metavar="N", help="repetitions of each measurement; default: 5")
    add("--target-ms", type=positive(float), metavar="MS", help="shortest repetition; default: 100")
    add("--elements", type=positive(int), metavar="N", help="make each repetition sum N elements, however long it takes")
    add("--seed", type=seed_from, default=0, help="of the random numbers; default: 0")
    add("--profile", type=functions_from, metavar="NAMES", help=f"functions to give to the profiler's @profile: {', '.join(PROFILED)}")
    add("--out", type=pathlib.Path, default=pathlib.Path("."), metavar="PATH", help="a .json file, or a directory for results.json")
    options = parser.parse_args(arguments)
    options.sizes = options.sizes or (QUICK_SIZES if options.quick else ALL_SIZES)
    options.repeats = options.repeats or (3 if options.quick else 5)
    options.target_ms = options.target_ms or (10 if options.quick else 100)
    if options.profile and not hasattr(builtins, "profile"):
        parser.error("--profile: no @profile is defined; run this with python3 -m kernprof -l, or python3 -m memory_profiler")
    if options.out.suffix != ".json":
        options.out /= "results.json"
    try:
        # Now, not after a minute of measuring.
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.open("a").close()
    except OSError as error:
        parser.error(f"--out: cannot write {error.filename}: {error.strerror}")
    return options


def main():
    options = options_from(sys.argv[1:])
    for name in options.profile or ():
        globals()[name] = builtins.profile(globals()[name])
    try:
        rows = run(options)
    except KeyboardInterrupt:
        sys.exit(130)
    options.out.write_text(json.dumps(rows, indent=1) + "\n")
    print("\n".join(table(rows)))
    print(f"\n{len(rows)} measurements in {options.out}")


if __name__ == "__main__":
    main()
