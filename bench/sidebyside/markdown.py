"""The tables for a page, from the results of bench/run overhead."""

from . import seen, text_table

OF_PYTHON, OF_C = "objects_loop", "malloc_mix"  # the workloads whose ratios are shown


def ratio_of(rows, workload, tool):
    """The CPU ratio of the first interpreter, as text."""
    for row in rows:
        if (row["workload"], row["tool"]) == (workload, tool) and row["status"] == "ok" and row["cpu_ratio"] is not None:
            return f"{row['cpu_ratio']:.2f}" if row["cpu_ratio"] < 10 else f"{row['cpu_ratio']:.0f}"
    return ""


def made_on(made):
    """The manifest in one sentence."""
    return f"Made {made['date'][:10]} on {made['cpu']}, {made['cpus']} CPUs with a load average of {made['load_average'][0]:.1f}; {made['rounds']} rounds."


def lines(results):
    """The table of all installed tools: what they count, what they cost, the size of their files
    and the time of their report."""
    rows = results["rows"]
    yield (
        "| tool | numbers | Python objects counted | lines named | C blocks counted | lines named | CPU, Python | CPU, C | file "
        "| report takes |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    by_tool = {}
    for row in results["seen"]:
        by_tool.setdefault(row["tool"], {})[row["kind"]] = row
    for tool, kinds in by_tool.items():
        shown = [row for row in kinds.values() if row["status"] == "ok"]
        if not shown:
            continue
        cells = [f"`{tool}`", shown[0]["nature"]]
        for kind in ("python", "native"):
            row = kinds.get(kind)
            there = row is not None and row["status"] == "ok"
            cells += [seen.counted(row), f"{row['lines']} of 2"] if there else ["", ""]
        cells += [ratio_of(rows, OF_PYTHON, tool), ratio_of(rows, OF_C, tool)]
        cells += ["" if shown[0]["trace_bytes"] is None else text_table.size(shown[0]["trace_bytes"])]
        cells += ["" if shown[0]["report_wall_s"] is None else text_table.seconds(shown[0]["report_wall_s"])]
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield made_on(results["manifest"])


def of_lines(results):
    """The table of what tools that follow a program line by line add to each line, in nanoseconds:
    a row per workload, of the first interpreter."""
    found = {}
    for row in results["rows"]:
        if row.get("ns_per_line") is not None:
            found.setdefault(row["workload"], {}).setdefault(row["tool"], row["ns_per_line"])
    tools = list(dict.fromkeys(tool for by_tool in found.values() for tool in by_tool))
    yield "| ns a line | " + " | ".join(f"`{tool}`" for tool in tools) + " |"
    yield "|---|" + "--:|" * len(tools)
    for workload, by_tool in found.items():
        yield f"| `{workload}` | " + " | ".join(f"{by_tool[tool]:,.0f}" if tool in by_tool else "" for tool in tools) + " |"
    yield ""
    yield made_on(results["manifest"])


def left_out(results):
    """The tools that were not installed."""
    absent = {}
    for row in results["seen"]:
        if row["status"] == "skipped" and "not installed" in row["reason"]:
            absent[row["tool"]] = row["reason"]
    return list(absent)
