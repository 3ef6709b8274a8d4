"""Runs workloads of the ladder and prints JSON.

    python3 bench/ladder count|time|repeat|names [WORKLOAD ...]
                         [--native DIR] [--target-ms MS] [--runs N]

count   each variant at each size once, as a vbtrace section, after one warm-up run; prints
            what is expected
time    each variant at each size for at least MS milliseconds; prints the nanoseconds of one run
repeat  N runs in all, one variant after another at its smallest size: a load to measure profilers
with
names   prints the workloads, and the variants that can run here

DIR is the folder of the built native modules.
"""

import argparse
import gc
import importlib
import itertools
import json
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
NOT_WORKLOADS = ("__main__", "needs_numpy", "variants")

import variants  # noqa: E402

try:
    from vbtrace import section
except ImportError:
    import contextlib

    def section(label, iterations):
        return contextlib.nullcontext()


class Workload:
    def __init__(self, name):
        variants.VARIANTS.clear()
        self.name = name
        self.module = importlib.import_module(name)
        self.variants = list(variants.VARIANTS)
        self.absent = getattr(self.module, "ABSENT", {})

    def iterations(self, n):
        return getattr(self.module, "iterations", int)(n)

    def result(self, value):
        return getattr(self.module, "result", lambda same: same)(value)

    def expected(self, function, n):
        names = {**variants.NAMES, **vars(self.module), "n": n}
        return {what: int(eval(expression, names)) for what, expression in function.expected.items()}

    def rows(self, measure):
        """One row {workload, variant, n, iterations, …} per variant and size; measure takes a row,
        a function and its arguments."""
        for function in self.variants:
            for n in self.module.SIZES:
                row = {"workload": self.name, "variant": function.__name__, "n": n, "iterations": self.iterations(n)}
                arguments = self.module.data(n)
                yield {**row, **measure(self, row, function, arguments)}

    def check(self):
        """Check that all variants have the same result."""
        n = self.module.SIZES[0]
        results = [self.result(function(*self.module.data(n))) for function in self.variants]
        for function, value in zip(self.variants, results):
            if not same(value, results[0]):
                sys.exit(f"{self.name}: {function.__name__} does not come to the same as {self.variants[0].__name__}")


def same(a, b):
    if variants.numpy is not None and not isinstance(a, (str, list)):
        return variants.numpy.allclose(a, b)
    return a == b


def label(row):
    return "{workload}.{variant} {n}".format(**row)


def count(workload, row, function, arguments):
    """Add the expected counts to the row; vbtrace does the counting."""
    mark = section(label(row), row["iterations"])
    value = function(*arguments)
    del value
    with mark:
        value = function(*arguments)
    del value
    expected = workload.expected(function, row["n"])
    return {"expected": expected, "expression": function.expected, "label": label(row)}


def timer(target_ns):
    def repeated(function, arguments, times):
        start = time.perf_counter_ns()
        for _ in range(times):
            function(*arguments)
        return time.perf_counter_ns() - start

    def measure(workload, row, function, arguments):
        function(*arguments)
        times, elapsed = 1, repeated(function, arguments, 1)
        while elapsed < target_ns:
            times = max(times + 1, min(int(1.1 * times * target_ns / max(elapsed, 1)), 100 * times))
            elapsed = repeated(function, arguments, times)
        rounds = [elapsed, repeated(function, arguments, times), repeated(function, arguments, times)]
        return {"time_ns": statistics.median(rounds) / times}

    return measure


def repeat(workloads, runs):
    work = [(function, workload.module.data(workload.module.SIZES[0])) for workload in workloads for function in workload.variants]
    for function, arguments in itertools.islice(itertools.cycle(work), runs):
        function(*arguments)


def workloads_from(names):
    """The workloads that can run here, and why the others cannot."""
    found, absent = [], {}
    for name in names or sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_WORKLOADS):
        try:
            found.append(Workload(name))
        except variants.Absent as why:
            absent[name] = str(why)
    return found, absent


def main():
    parser = argparse.ArgumentParser(prog="ladder")
    parser.add_argument("what", choices=("count", "time", "repeat", "names"))
    parser.add_argument("workloads", nargs="*")
    parser.add_argument("--native")
    parser.add_argument("--target-ms", type=float, default=20)
    parser.add_argument("--runs", type=int, default=0)
    options = parser.parse_args()
    if options.native:
        sys.path.append(options.native)
    workloads, absent = workloads_from(options.workloads)
    if options.what == "repeat":
        repeat(workloads, options.runs)
        return
    output = {"absent": absent, "workloads": {}, "rows": []}
    measure = count if options.what == "count" else timer(options.target_ms * 1e6)
    for workload in workloads:
        output["workloads"][workload.name] = workload.module.__doc__.strip().splitlines()[0].rstrip(".")
        output["absent"].update({f"{workload.name}.{name}": why for name, why in workload.absent.items()})
        if options.what != "names":
            workload.check()
            gc.collect()
            gc.disable()
            output["rows"] += workload.rows(measure)
            gc.enable()
    print(json.dumps(output))


main()
