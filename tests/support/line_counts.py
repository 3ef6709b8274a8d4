"""The line counts of a trace, and the expected ones that programs state in marks."""

import vbt


def counted(trace):
    """{(file, function, its first line, line): row} of the trace's counted lines; functions by the
    last part of their name."""
    found = {}
    for site, row in trace.line_counts.items():
        _, code, line = trace.sites[site]
        file, name, first, _ = trace.codes[code]
        key = trace.strings[file].rpartition("/")[2], trace.strings[name].rpartition(".")[2], first, line
        before = found.setdefault(key, dict.fromkeys(row, 0))
        found[key] = {name: before[name] + value for name, value in row.items()}  # one line may have two comprehensions
    return found


def traced(program, interpreter, *arguments, objects="0", **options):
    run = vbt.trace([interpreter.path, program, *arguments], env={"VBTRACE_LINES": "1", "VBTRACE_OBJECTS": objects}, **options)
    return run, counted(run.report.trace)


def differences(ours, theirs):
    return {key: (ours.get(key), theirs.get(key)) for key in sorted(ours.keys() | theirs.keys()) if ours.get(key) != theirs.get(key)}


def marks(program):
    """{line: {quantity: expression}} of a program's marks."""
    found = {}
    for number, text in enumerate(program.read_text().splitlines(), 1):
        _, mark, stated = text.partition("  #= ")
        if mark:
            found[number] = dict(part.split(" ", 1) for part in stated.split("; "))
    return found


def quantities(row, before):
    """The quantities that marks can name, of a line; `before` is the line above it."""
    found = {"hits": row["hits"], "least": row["net_min_bytes"], "most": row["net_max_bytes"]}
    for part in ("own", "called"):
        found[f"{part}_net"] = row[f"{part}_allocated_bytes"] - row[f"{part}_freed_bytes"]
        found |= {f"{part}_{name}": row[f"{part}_{name}"] for name in ("allocs", "frees", "temporary_allocs")}
    found |= {name: found[f"own_{name}"] + found[f"called_{name}"] for name in ("allocs", "frees", "net")}
    found["rises"] = row["high_bytes"] - before["high_bytes"] if before else None
    return found


def wrong_marks(program, rows, **names):
    by_line = {}
    for (file, function, _, line), row in rows.items():
        if file == program.name and not function.startswith("<"):
            by_line.setdefault(line, row)
    wrong = []
    for line, mark in marks(program).items():
        found = quantities(by_line.get(line) or dict.fromkeys(next(iter(rows.values())), 0), by_line.get(line - 1))
        for name, expression in mark.items():
            if found[name] != eval(expression, dict(names)):
                wrong.append(f"{line}: {name} {found[name]} instead of {expression}")
    return "\n".join(wrong)
