"""Line mode: hits against others who count lines, costs against known answers."""

import json

import pytest

import vbt

CORPUS = vbt.PROGRAMS / "line_corpus.py"


def counted(trace):
    """{(file, function, its first line, line): row} of the trace's counted lines; functions by the last part of their name."""
    found = {}
    for site, row in trace.line_counts.items():
        _, code, line = trace.sites[site]
        file, name, first, _ = trace.codes[code]
        key = trace.strings[file].rpartition("/")[2], trace.strings[name].rpartition(".")[2], first, line
        before = found.setdefault(key, dict.fromkeys(row, 0))
        found[key] = {name: before[name] + value for name, value in row.items()}  # two comprehensions may stand in one line
    return found


def traced(program, interpreter, *arguments, lines="1", **options):
    run = vbt.trace([interpreter.path, program, *arguments], env={"VBTRACE_LINES": lines}, **options)
    return run, counted(run.report.trace)


def differences(ours, theirs):
    return {key: (ours.get(key), theirs.get(key)) for key in sorted(ours.keys() | theirs.keys()) if ours.get(key) != theirs.get(key)}


def corpus_hits(interpreter):
    run, rows = traced(CORPUS, interpreter)
    assert run.report.totals["lost_events"] == 0
    return {key[1:]: row["hits"] for key, row in rows.items() if key[0] == CORPUS.name and row["hits"]}


def told_hits(interpreter, how):
    done = vbt.run([interpreter.path, CORPUS, how])
    assert done.returncode == 0, done.stderr
    return {(name, first, line): hits for name, first, line, hits in json.loads(done.stdout)}


def test_hits_are_those_of_settrace(interpreter):
    theirs = told_hits(interpreter, "settrace")
    ours = {key: hits for key, hits in corpus_hits(interpreter).items() if (key[0], key[1]) in {key[:2] for key in theirs}}
    ours = {key: hits for key, hits in ours.items() if key[0] not in ("<module>", "main", "by_settrace")}
    theirs = {key: hits for key, hits in theirs.items() if key[0] not in ("main", "by_settrace")}
    assert len({key[:2] for key in theirs}) > 50
    assert differences(ours, theirs) == {}


def test_hits_are_those_of_line_profiler():
    debian = [python for python in vbt.interpreters() if python.path == "/usr/bin/python3"]
    if not debian or vbt.run([debian[0].path, "-c", "import line_profiler"]).returncode != 0:
        pytest.skip("needs line_profiler (on Debian: apt install python3-line-profiler)")
    theirs = told_hits(debian[0], "line_profiler")
    theirs = {key: hits for key, hits in theirs.items() if key[0] not in ("main", "by_line_profiler", "by_settrace")}
    functions = {key[:2] for key in theirs}
    ours = {key: hits for key, hits in corpus_hits(debian[0]).items() if key[:2] in functions}
    assert len(functions) > 35
    assert differences(ours, theirs) == {}


def marks(program):
    """{line: {quantity: expression}} of a program's marks."""
    found = {}
    for number, text in enumerate(program.read_text().splitlines(), 1):
        _, mark, told = text.partition("  #= ")
        if mark:
            found[number] = dict(part.split(" ", 1) for part in told.split("; "))
    return found


def quantities(row, before):
    """What marks can name, of a line and the one before it."""
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


def test_costs_of_lines(interpreter):
    program = vbt.PROGRAMS / "line_costs.py"
    run, rows = traced(program, interpreter)
    wrong = wrong_marks(program, rows, n=100, B=int(run.stdout), v=interpreter.v)
    assert not wrong, f"\n{wrong}"


def test_sorts(interpreter):
    program = vbt.PROGRAMS / "line_sorts.py"
    wrong = wrong_marks(program, traced(program, interpreter)[1])
    assert not wrong, f"\n{wrong}"
