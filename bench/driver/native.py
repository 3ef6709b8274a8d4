"""What does tracing native programs cost? Runs a synthetic program that only allocates, and real
ones, untraced, under vbtrace and under heaptrack in turn, and compares. With --verify it compares
call stacks instead.

Prints a table and writes every measurement as JSON, with a description of the machine and the
tools.
"""

import statistics

from sidebyside import command_line, compare, native_tools, programs, tools

ROUNDS = 3
LEAST_OVERHEAD = 0.01  # anything less is noise and not used as a divisor


def advantage(rows):
    """{workload: heaptrack's overhead divided by vbtrace's}, where overhead is the CPU ratio minus
    one."""
    ratios = {(row["workload"], row["tool"]): row["cpu_ratio"] for row in rows if row["status"] == "ok" and row.get("cpu_ratio")}
    return {
        workload: (ratios[workload, "heaptrack"] - 1) / max(ratio - 1, LEAST_OVERHEAD)
        for (workload, tool), ratio in ratios.items()
        if tool == "vbtrace" and ratios.get((workload, "heaptrack"), 0) > 1
    }


def compare_overheads(rows, launcher):
    """How many times vbtrace's overhead heaptrack's is, for the synthetic program and for real
    ones."""
    by_workload = advantage(rows)
    synthetic = {one.name for one in programs.ALL if isinstance(one, programs.Synthetic)}
    found, lines = {}, [""]
    for name, chosen in (
        ("pairs", [value for workload, value in by_workload.items() if workload in synthetic]),
        ("real programs", [value for workload, value in by_workload.items() if workload not in synthetic]),
        ("all", list(by_workload.values())),
    ):
        if chosen:
            found[name] = statistics.geometric_mean(chosen)
            lines.append(f"heaptrack's overhead is {found[name]:.1f} times that of vbtrace: geometric mean over {len(chosen)} rows ({name})")
    return {"advantage": {"by_workload": by_workload, "geometric_mean": found}}, lines if found else [], False


def verified(rows, launcher):
    """The outcome of comparing captured stacks with libunwind's, by workload."""
    lines, compared, different = ["", f"{'workload':<28}  {'compared':>12}  {'different':>10}"], 0, 0
    for row in rows:
        if row["tool"] != "vbtrace" or row["status"] != "ok":
            continue
        verifications = [a_round[field] for a_round in row["rounds"] for field in ("verify", "zero_verify") if field in a_round]
        if not verifications:
            lines.append(f"{row['workload']:<28}  the report has no verify: this build does not support it")
            continue
        counts = [sum(one[field] for one in verifications) for field in ("compared", "different")]
        compared, different = compared + counts[0], different + counts[1]
        lines.append(f"{row['workload']:<28}  {counts[0]:>12,}  {counts[1]:>10,}")
    lines.append(f"{'all':<28}  {compared:>12,}  {different:>10,}")
    return {"verify": {"compared": compared, "different": different}}, lines, different > 0 or compared == 0


def main(arguments):
    peers = [native_tools.Heaptrack()]
    parser = command_line.parser("native", "Compare the cost of tracing native programs.", programs.ALL, peers, ROUNDS)
    add = parser.add_argument
    add("--native", choices=("leaf", "full"), default=tools.NATIVE, help="VBTRACE_NATIVE: only the caller, or the whole stack; default: %(default)s")
    add(
        "--verify",
        type=command_line.whole_number(1),
        metavar="N",
        help="compare every Nth captured stack with libunwind's, in one round under vbtrace only; fails if any differs",
    )
    options = command_line.options_from(parser, arguments, programs.ALL, peers, ROUNDS)
    if options.verify:
        options.rounds, options.peers = 1, []
    variables = {"native": options.native} | ({"verify": options.verify} if options.verify else {})
    vbtrace = [] if options.without_vbtrace else [tools.Vbtrace(options.library.resolve(), options.tool.resolve(), **variables)]
    sides = [tools.Tool(), *vbtrace, *options.peers]
    compare.run_benchmark("native", options, [], sides, "pair", verified if options.verify else compare_overheads)
