"""The tables of bench/run real, from its rows: for the terminal, and in Markdown for a page."""

import statistics

from .markdown import made_on
from .text_table import seconds, size

WIDTH = 100


def by_application(rows):
    """{application: {tool: row}}; the untraced row is that of the first interpreter."""
    found = {}
    for row in rows:
        found.setdefault(row["workload"], {}).setdefault(row["tool"], row)
    return found


def means(rows):
    """{tool: how it did over the applications it ran}: the geometric mean of the CPU ratios, of
    those of the least runs, and of the resident set as a ratio; the worst application."""
    found = {}
    for tool in dict.fromkeys(row["tool"] for row in rows if row["tool"] != "untraced"):
        ran = [row for row in rows if row["tool"] == tool and row["status"] == "ok" and row["cpu_ratio"]]
        if ran:
            worst = max(ran, key=lambda row: row["cpu_ratio"])
            found[tool] = {
                "applications": len(ran),
                "cpu_ratio": statistics.geometric_mean(row["cpu_ratio"] for row in ran),
                "least_cpu_ratio": statistics.geometric_mean(row["least_cpu_ratio"] for row in ran),
                "rss_ratio": statistics.geometric_mean(rss_ratio(row) for row in ran),
                "worst": worst["workload"],
                "worst_cpu_ratio": worst["cpu_ratio"],
            }
    return found


def rss_ratio(row):
    return row["max_rss_bytes"] / (row["max_rss_bytes"] - row["rss_added_bytes"])


def cell(row, shown):
    """The text for a row of a tool, or why there is none."""
    if row is None:
        return ""
    return shown(row) if row["status"] == "ok" else row["status"]


def cpu(row):
    return f"{row['cpu_ratio']:.2f}"


def resident(row):
    return f"{row['rss_added_bytes'] / 1e6:+.1f} MB {(rss_ratio(row) - 1) * 100:+.0f}%"


def table(title, first, tools, rows_shown, width=WIDTH):
    """The lines of a table: first is the heading and the cells of the column after the names, and
    rows_shown has pairs of a name and its cells. What does not fit the width goes to a further
    table below."""
    yield title
    heading, firsts = first
    names = max(len(name) for name, _ in rows_shown)
    second = max(map(len, (heading, *firsts)))
    widths = [max(len(tool), *(len(cells[at]) for _, cells in rows_shown)) for at, tool in enumerate(tools)]
    start = 0
    while start < len(tools):
        end, used = start + 1, names + 2 + second + 2 + widths[start]
        while end < len(tools) and used + 2 + widths[end] <= width:
            used += 2 + widths[end]
            end += 1
        parts = range(start, end)
        yield ""
        yield f"{'':<{names}}  {heading:>{second}}  " + "  ".join(f"{tools[at]:>{widths[at]}}" for at in parts)
        for (name, cells), beside in zip(rows_shown, firsts):
            yield (f"{name:<{names}}  {beside:>{second}}  " + "  ".join(f"{cells[at]:>{widths[at]}}" for at in parts)).rstrip()
        start = end
    yield ""


def lines(rows):
    """Everything for the terminal."""
    found, mean = by_application(rows), means(rows)
    tools = [tool for tool in dict.fromkeys(row["tool"] for row in rows) if tool != "untraced"]
    tools = [tool for tool in tools if tool in mean or any(row["status"] == "failed" for row in rows if row["tool"] == tool)]
    here = {name: of for name, of in found.items() if of["untraced"]["status"] == "ok"}
    if here and tools:
        ends = [[f"{mean[tool][field]:.2f}" if tool in mean else "" for tool in tools] for field in ("cpu_ratio", "least_cpu_ratio")]
        shown = [(name, [cell(of.get(tool), cpu) for tool in tools]) for name, of in here.items()]
        shown += [("geometric mean", ends[0]), ("of the least", ends[1])]
        firsts = [*(seconds(of["untraced"]["cpu_s"]) for of in here.values()), "", ""]
        yield from table("CPU time as a ratio to the untraced run, helpers and children included:", ("untraced", firsts), tools, shown)
        shown = [(name, [cell(of.get(tool), resident) for tool in tools]) for name, of in here.items()]
        shown.append(("geometric mean", [f"{(mean[tool]['rss_ratio'] - 1) * 100:+.0f}%" if tool in mean else "" for tool in tools]))
        firsts = [*(f"{of['untraced']['max_rss_bytes'] / 1e6:.1f} MB" for of in here.values()), ""]
        yield from table("Greatest resident set, and what is added:", ("untraced", firsts), tools, shown)
        ours = [tool for tool in tools if any(row.get("report_wall_s") is not None for row in rows if row["tool"] == tool)]
        shown = [(name, [cell(of.get(tool), traces) for tool in ours]) for name, of in here.items()]
        firsts = [events(of) for of in here.values()]
        if ours:
            yield from table("Trace, and what `vbtrace report` takes for it:", ("events", firsts), ours, shown)
    for tool, of in mean.items():
        yield f"{tool}: {of['cpu_ratio']:.2f} times the CPU over {of['applications']} applications; worst: {of['worst']}, {of['worst_cpu_ratio']:.2f}"
    for name, of in found.items():
        for tool, row in of.items():
            if row["status"] == "failed" or tool == "untraced" and row["status"] == "skipped":
                yield f"{name}, {tool}: {row['status']}: {row['reason']}" if row["status"] == "failed" else f"{name}: {row['reason']}"


def events(of):
    counted = [row["events"] for row in of.values() if row.get("events") and row["status"] == "ok"]
    return f"{counted[0]:,.0f}" if counted else ""


def traces(row):
    if row.get("trace_bytes") is None or row.get("report_wall_s") is None:
        return ""
    return f"{size(row['trace_bytes'])}, {seconds(row['report_wall_s'])}"


def columns(rows):
    """The tools of a page's table: those that ran."""
    mean = means(rows)
    return [tool for tool in dict.fromkeys(row["tool"] for row in rows) if tool in mean], mean


def page_table(heading, tools, names_and_cells):
    yield f"| {heading} | " + " | ".join(f"`{tool}`" for tool in tools) + " |"
    yield "|---|--:|" + "--:|" * len(tools)
    for name, cells in names_and_cells:
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""


def markdown(results):
    """The tables for a page: CPU ratios, resident sets, traces and reports. The worst ratio of a
    column is bold."""
    rows = results["rows"]
    tools, mean = columns(rows)
    found = {name: of for name, of in by_application(rows).items() if of["untraced"]["status"] == "ok"}

    def ratio(name, tool, of):
        text = cell(of.get(tool), cpu)
        return f"**{text}**" if mean[tool]["worst"] == name else text

    shown = [(name, [seconds(of["untraced"]["cpu_s"]), *(ratio(name, tool, of) for tool in tools)]) for name, of in found.items()]
    shown.append(("geometric mean", ["", *(f"{mean[tool]['cpu_ratio']:.2f}" for tool in tools)]))
    yield from page_table("CPU | untraced", tools, shown)
    shown = [
        (name, [f"{of['untraced']['max_rss_bytes'] / 1e6:.0f}", *(cell(of.get(tool), lambda row: f"{row['rss_added_bytes'] / 1e6:+.0f}") for tool in tools)])
        for name, of in found.items()
    ]
    shown.append(("geometric mean", ["", *(f"{(mean[tool]['rss_ratio'] - 1) * 100:+.0f}%" for tool in tools)]))
    yield from page_table("resident set, MB | untraced", tools, shown)
    ours = [tool for tool in tools if any(row.get("report_wall_s") is not None for row in rows if row["tool"] == tool)]
    shown = [(name, [events(of), *(cell(of.get(tool), traces) for tool in ours)]) for name, of in found.items()]
    yield from page_table("trace, time of its report | events", ours, shown)
    yield made_on(results["manifest"])


def short_markdown(results):
    """A few lines for a short page: the means, and the worst application of each tool."""
    tools, mean = columns(results["rows"])
    yield "| tool | CPU, geometric mean | the worst of the applications | resident set added |"
    yield "|---|--:|---|--:|"
    for tool in tools:
        of = mean[tool]
        yield f"| `{tool}` | {of['cpu_ratio']:.2f} over {of['applications']} | {of['worst']}, {of['worst_cpu_ratio']:.2f} | {(of['rss_ratio'] - 1) * 100:+.0f}% |"
    yield ""
    yield made_on(results["manifest"])
