"""The pages of the lab: README.md with the answers, profiler_tour.md, and the table. Every number
was measured in this run."""

import math

from . import findings


def time(ns):
    for limit, unit in ((1e3, "ns"), (1e6, "µs"), (1e9, "ms")):
        if ns < limit:
            return f"{ns * 1e3 / limit:.3g} {unit}"
    return f"{ns / 1e9:.3g} s"


def size(count):
    """2^16 where it is a power of two."""
    return f"2^{count.bit_length() - 1}" if count & (count - 1) == 0 else f"{count:,}"


def data(count):
    for limit, unit in ((2**10, "B"), (2**20, "KiB"), (2**30, "MiB")):
        if count < limit:
            return f"{count * 2**10 / limit:.3g} {unit}"
    return f"{count / 2**30:.3g} GiB"


def paired(rows):
    """(size, the loop's row, np.sum's row), in order of size."""
    by_name = {(row["op"], row["size"]): row for row in rows}
    return [(size, by_name["python_loop", size], by_name["np_sum", size]) for size in sorted({row["size"] for row in rows})]


def table(rows):
    """The lines of the table for the terminal."""
    yield (
        f"{'elements':>11}  {'python loop':>11}  {'np.sum':>9}  {'ratio':>6}   {'allocations: loop, np.sum':>27}   "
        f"{'an element':>16}   {'bytes an element':>16}"
    )
    for count, loop, call in paired(rows):
        yield (
            f"{count:>11,}  {time(loop['mean_time_ns']):>11}  {time(call['mean_time_ns']):>9}  "
            f"{loop['mean_time_ns'] / call['mean_time_ns']:>5.1f}x   "
            f"{allocs_a_call(loop):>18,.2f}  {allocs_a_call(call):>7.2f}   {loop['allocs_per_element']:>7.4f}  "
            f"{call['allocs_per_element']:>7.1g}   "
            f"{loop['bytes_per_iteration']:>7.2f}  {call['bytes_per_iteration'] / count:>7.1g}"
        )


def allocs_a_call(row):
    return row["allocs_per_element"] * row["size"]


def answers(rows, found, stops, tour_size, busy=None):
    """README.md; busy is a sentence saying that the machine was busy, or None."""
    largest = paired(rows)[-1]
    return "\n".join(
        [
            "# The vectorization budget of this machine",
            "",
            "How much slower is a Python loop over a NumPy array than one call on the whole array, as a function of its size;",
            "what does either cost in memory; and what do profilers say of it? Everything here was measured by `bench/run lab`",
            "on the machine that `manifest.json` describes; the numbers in the answers are computed from `results.json`.",
            "",
            "![time of a call, ratio and allocations an element against the size](speedup.png)",
            "",
            *markdown_table(rows),
            "",
            "Times are those of the program by itself. The counts are from the trace of the same program with a fixed",
            "number of calls: they do not depend on the clock, and a second run counts the same.",
            *([busy] if busy else []),
            "",
            "## Where is the crossover?",
            "",
            *crossover(found),
            "",
            "## Where is the plateau, and how high?",
            "",
            *plateau(found),
            "",
            "## Why does the ratio saturate?",
            "",
            *saturation(found),
            "",
            "## What does an iteration allocate?",
            "",
            *allocations(largest),
            "",
            "## What does each profiler not see?",
            "",
            *blind_spots(stops, tour_size),
            "",
            "[profiler_tour.md](profiler_tour.md) has their output.",
            "",
        ]
    )


def markdown_table(rows):
    yield (
        "| elements | Python loop | np.sum | ratio | allocations of a loop | of a np.sum | an element, loop | an element, "
        "np.sum | peak, loop | peak, np.sum |"
    )
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for count, loop, call in paired(rows):
        yield (
            f"| {count:,} | {time(loop['mean_time_ns'])} | {time(call['mean_time_ns'])} | "
            f"{loop['mean_time_ns'] / call['mean_time_ns']:.1f} "
            f"| {allocs_a_call(loop):,.2f} | {allocs_a_call(call):.2f} | {loop['allocs_per_element']:.4f} | "
            f"{call['allocs_per_element']:.2g} "
            f"| {data(loop['peak_bytes'])} | {data(call['peak_bytes'])} |"
        )


def crossover(found):
    first, last = found.sizes[0], found.sizes[-1]
    if found.crossover is not None:
        yield (
            f"At **{found.crossover:.0f} elements** both take the same time: below, the loop is faster (a ratio of "
            f"{found.ratios[0]:.2f} at {first})."
        )
    elif min(found.ratios) >= 1:
        yield f"Below {first} elements, the smallest array measured: np.sum is already {found.ratios[0]:.2f} times as fast there."
    elif max(found.ratios) < 1:
        yield f"Nowhere up to {last:,} elements: the loop is faster throughout."
    else:
        yield (
            f"Nowhere that a line can be drawn: the ratio is {found.ratios[0]:.2f} at {first} elements and "
            f"{found.ratios[-1]:.2f} at {last:,}."
        )
    yield ""
    yield (
        f"Theory: a call of np.sum costs {time(found.call_ns)} before it has added anything, an element of the loop "
        f"{time(found.loop_ns)}, one of "
        f"np.sum {time(found.sum_ns)}. Both take the same time where the loop's elements have used up the fixed cost of the call:"
    )
    fixed = found.call_ns
    yield f"{fixed:,.0f} / ({found.loop_ns:.1f} − {found.sum_ns:.2f}) = {found.predicted_crossover:.0f} elements."
    if found.crossover is not None and math.isfinite(found.predicted_crossover):
        yield (
            f"The measured crossover is {found.crossover / found.predicted_crossover:.2f} times that: in an array of "
            f"{found.sizes[0]} an element of the loop costs "
            f"{time(found.first_loop_ns)}, its share of starting the loop included."
        )


def plateau(found):
    low, high = found.plateau_range
    first, last = found.plateau_sizes
    yield (
        f"At **{found.plateau:.0f}×**: the median of the ratios from {size(first)} to {size(last)} elements, which lie between "
        f"{low:.0f} and {high:.0f}."
    )
    reached = next((count for count, ratio in zip(found.sizes, found.ratios) if ratio >= found.plateau / 2), None)
    if reached:
        yield f"Half of it is reached at {size(reached)} elements."


def saturation(found):
    yield (
        f"Because both sides then cost a fixed time an element: the loop {found.loop_ns:.1f} ns for the interpreter's work "
        "(fetch an element, make "
        f"an object of it, add, make an object of the sum, drop two), np.sum {found.sum_ns:.3f} ns. Their quotient, "
        f"{found.ceiling:.0f}, is all "
        "that a larger array can reach; the fixed cost of a call, which favours the loop in small arrays, is no longer seen."
    )
    yield ""
    share = found.last_gb_per_s / found.best_gb_per_s
    yield (
        f"np.sum reads {found.best_gb_per_s:.1f} GB/s at its best, with {size(found.best_size)} elements "
        f"({data(findings.ELEMENT_BYTES * found.best_size)}), and "
        f"{found.last_gb_per_s:.1f} GB/s with {size(found.sizes[-1])} ({data(findings.ELEMENT_BYTES * found.sizes[-1])})."
    )
    if share < 0.8:
        yield (
            f"The largest array is read at {100 * share:.0f} % of the best rate: it no longer fits the caches, and the "
            "memory's bandwidth is what "
            "bounds np.sum there, so that the ratio even falls again."
        )
    else:
        yield (
            "The rate is the same whether the array fits a cache or not: not the memory's bandwidth bounds np.sum here, but "
            "the additions themselves."
        )


def allocations(largest):
    count, loop, call = largest
    yield (
        f"With {size(count)} elements an iteration of the loop makes **{loop['allocs_per_iteration']:.3f} allocations** of "
        f"{loop['bytes_per_iteration']:.2f} bytes in all: one object for the element, one for the new sum. They die at once: "
        "the heap is never more than "
        f"{data(loop['peak_bytes'])} above where the loop began. A call of np.sum makes **{call['allocs_per_iteration']:.2f}** "
        "for the whole array, "
        f"{call['allocs_per_element']:.1g} an element, however large it is."
    )
    yield (
        f"The loop over {count:,} elements asks for {data(loop['bytes_per_iteration'] * count)} to add up "
        f"{data(findings.ELEMENT_BYTES * count)}: a profile of "
        "resident memory shows none of it."
    )


def blind_spots(stops, tour_size):
    by_name = {stop.name: stop for stop in stops}
    facts = {name: stop.facts for name, stop in by_name.items()}
    yield (
        f"All ran `bench_sum.py` on {tour_size:,} elements: two loops over them and two calls of np.sum, of which one each is "
        "timed."
    )
    yield ""
    if ours := facts["cProfile"]:
        yield (
            f"- **cProfile** shows {ours['loop_calls']} calls of `python_loop` that took {ours['loop_s']:.2f} s in all, and, "
            "which line_profiler does not, "
            f"the {ours['numpy_rows']} functions inside NumPy that np.sum goes through. It shows no lines: both of the loop's "
            "are in one number."
        )
    if ours := facts["line_profiler"]:
        yield (
            f"- **line_profiler** shows, which cProfile does not, that `for x in a` ran {ours['for_hits']:,} times for "
            f"{ours['for_s']:.2f} s, and `total += x` "
            f"{ours['add_hits']:,} times for {ours['add_s']:.2f} s. np.sum is one line of {ours['sum_hits']} hits: what it "
            "calls stays hidden. Nor are "
            "allocations seen."
        )
    if ours := facts["memory_profiler"]:
        yield (
            f"- **memory_profiler** shows that making the array grew the process by {ours['array_mib']:.1f} MiB. Of the loop "
            f"it shows {ours['loop_mib']:.1f} MiB: "
            "what is allocated and freed again leaves no trace in resident memory. With the loop decorated it costs "
            f"{ours['us_per_element']:.0f} µs an "
            f"element, so that is shown for {ours['loop_size']:,} elements."
        )
    if ours := facts["perf"]:
        yield (
            f"- **perf** took {ours['samples']:,} samples. It sees the interpreter's C functions, as far as they have names, "
            "and no Python function or line; "
            "what was not running when a sample was taken it does not see."
        )
    if by_name["py-spy"].absent:
        yield (
            "- **py-spy** is not installed here. It shows Python functions by samples, as a flame graph, without touching the "
            "program; no counts, no memory."
        )
    else:
        yield "- **py-spy** shows Python functions by samples, without touching the program; no counts, no memory."
    ours = facts["vbtrace"]
    yield (
        f"- **vbtrace** counted {ours['loop_allocs']:,} allocations and {data(ours['loop_bytes'])} in the timed loop, "
        f"{ours['loop_allocs'] / ours['loop_iterations']:.3f} "
        f"an element, line by line, and {ours['sum_allocs']} in the call of np.sum; hits and time of both lines "
        f"({ours['for_hits']:,} and {ours['add_hits']:,}; {ours['for_s']:.2f} and {ours['add_s']:.2f} s, less the overhead " f"of counting lines); and the {data(ours['array_bytes'])} that the array keeps. It shows no time inside NumPy: that is "
        "perf's."
    )


def tour(stops, tour_size):
    """profiler_tour.md."""
    alone = stops[0].wall_s
    lines = [
        f"# Four profilers and vbtrace on one script, {tour_size:,} elements",
        "",
        "Each ran `bench_sum.py` as it is, with one timed call of the loop and one of np.sum, after one call of each to warm "
        "up. The outputs",
        "are real, cut to what they say of these functions.",
        "",
        "| run | took | by itself = 1 |",
        "|---|--:|--:|",
        *(f"| {stop.name} | {stop.wall_s:.2f} s | {stop.wall_s / alone:.2f} |" for stop in stops if stop.wall_s is not None),
        "",
        "memory_profiler had only `make_array` decorated; with the loop it would have taken minutes. Start-up and NumPy's "
        "import are in",
        "all of these times.",
    ]
    for stop in stops[1:]:
        lines += ["", f"## {stop.name}", ""]
        if stop.absent:
            lines.append(stop.absent)
            continue
        lines += ["```", f"$ {stop.command}", *stop.output.splitlines(), "```"]
        if pictures := [name for name in stop.files if name.endswith(".svg")]:
            lines += ["", *(f"![flame graph](tour/{name})" for name in pictures)]
        lines += ["", *remark(stop)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def remark(stop):
    """The lesson of a stop."""
    facts = stop.facts
    if stop.name == "cProfile":
        return [
            f"Calls and time by function. `python_loop` is one row: {facts['loop_calls']} calls, {facts['loop_s']:.2f} s. "
            "It does not show where inside."
        ]
    if stop.name == "line_profiler":
        more = facts["for_s"] / facts["add_s"]
        return [
            f"Time by line: fetching an element takes {more:.2f} times as long as adding it. Each hit is also charged the "
            "profiler's own reading of the clock."
        ]
    if stop.name == "memory_profiler":
        return [
            f"Growth of resident memory by line: {facts['array_mib']:.1f} MiB for the array, {facts['loop_mib']:.1f} MiB for a "
            "loop that allocates at every element."
        ]
    if stop.name == "py-spy":
        return ["Time by Python function, in samples."]
    if stop.name == "perf":
        return [
            f"Time by native function: the {facts['shown']} that most of {facts['samples']:,} samples were in, "
            f"{facts['named']} of them with a name. The flame graph has the "
            "callers. Python's functions all look like `_PyEval_EvalFrameDefault`."
        ]
    return [
        f"One run, no decorator, no sample: hits and time of each line, {facts['loop_allocs'] / facts['loop_iterations']:.3f} "
        f"allocations an element and the lines that make them, at most {facts['loop_high']} bytes above the start; np.sum "
        f"{facts['sum_allocs']} allocations in all; and the memory that stays, by line. The trace is {data(facts['trace_bytes'])}. "
        "Its flame graph is by bytes."
    ]
