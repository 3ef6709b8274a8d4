"""The table for the terminal, from the rows that are written as JSON."""

HEADINGS = ("workload", "under", "CPU", "least", "wall"), ("events", "RSS", "trace", "report takes")  # between them: time per event or line


def seconds(value):
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.1f} ms"


def size(value):
    for limit, divisor, unit in ((1e4, 1, "B"), (1e7, 1e3, "KB"), (1e10, 1e6, "MB")):
        if abs(value) < limit:
            return f"{value / divisor:.{1 if unit == 'MB' else 0}f} {unit}"
    return f"{value / 1e9:.1f} GB"


def added(text):
    return text if text.startswith("-") else "+" + text


def ratio(value):
    return "" if value is None else f"{value:.2f}x" if value < 100 else f"{value:.0f}x"


def cells(row, per):
    """The cells of one row, without the workload's name; per: the units that have a column of time
    each."""
    if row["status"] != "ok":
        return [row["tool"], f"{row['status']}: {row['reason']}"]
    if row["tool"] == "untraced":
        return [row["tool"], seconds(row["cpu_s"]), seconds(row["least_cpu_s"]), seconds(row["wall_s"]), *([""] * len(per)), "", size(row["max_rss_bytes"]), "", ""]
    if row["ratios"]:
        times = [ratio(row["cpu_ratio"]), ratio(row["least_cpu_ratio"]), ratio(row["wall_ratio"])]
    else:
        times = [added(seconds(row["cpu_added_s"])), "", added(seconds(row["wall_added_s"]))]
    events = "" if row["events"] is None else f"{row['events']:,.0f}"
    if row["lost_events"]:
        events += f" and {row['lost_events']:,.0f} lost"
    report = ""
    if row["report_wall_s"] is not None:
        report = f"{seconds(row['report_wall_s'])}, {size(row['report_max_rss_bytes'])}"
    return [
        row["tool"] + (f" 1/{1 / row['share']:.0f}" if row["share"] < 1 else ""),
        *times,
        *("" if row[f"ns_per_{one}"] is None else f"{row[f'ns_per_{one}']:.1f}" for one in per),
        events,
        added(size(row["rss_added_bytes"])),
        "" if row["trace_bytes"] is None else size(row["trace_bytes"]),
        report,
    ]


def lines(rows, notes, per="event"):
    """The lines of the table; per is what CPU time is divided by, event or pair. Rows that failed
    or were skipped say so across the columns."""
    by_line = any(row.get("ns_per_line") is not None for row in rows)
    columns = (per, "line") if by_line else (per,)
    headings = [*HEADINGS[0], *(f"ns/{one}" for one in columns), *HEADINGS[1]]
    table = []
    several = len({row["python"] for row in rows if row["python"]}) > 1
    for row in rows:
        name = f"{row['workload']} {row['python']}" if several and row["python"] else row["workload"]
        table.append([name, *cells(row, columns)])
    for above, below in reversed(list(zip(table, table[1:]))):
        if above[0] == below[0]:
            below[0] = ""
    whole = [row for row in [headings, *table] if len(row) == len(headings)]
    widths = [max(len(row[column]) for row in whole) for column in range(len(headings))]
    widths[0] = max(len(row[0]) for row in table + [headings])
    for row in [headings, *table]:
        if row[0] and row[0] != headings[0]:
            yield ""
        start = f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}"
        if len(row) == len(headings):
            rest = [f"{cell:>{width}}" for cell, width in zip(row[2:], widths[2:])]
        else:
            rest = row[2:]
        yield "  ".join([start, *rest]).rstrip()
    yield ""
    counted = {"event": "each allocation or free", "pair": "each two of the allocations and frees"}[per]
    yield "CPU, wall: medians; least: the CPU time of the best round, the least disturbed one. Untraced in seconds, the"
    yield "others as ratios to it. Start-up (the run at size 0) is subtracted; startup itself is shown as time and memory"
    yield f"added. A tool with 1/N ran that share of the size; its ratio is to that share of the untraced time. ns/{per}: CPU added for"
    yield f"{counted} that vbtrace counts, if they are many."
    if by_line:
        yield "ns/line: CPU added for each line that ran of functions with @profile, by everything that the tool does there."
    yield "RSS: greatest resident set; for tools, what they add, including their own processes if larger."
    for name, note in notes:
        yield f"{name}: {note}."
