"""docs/json.md shows the JSON that the tool prints, and docs/formats.md the CSV: the same members,
the same columns. docs/json.schema.json describes all that is printed, and nothing else."""

import functools
import json
import pathlib
import re
import tempfile

import markdown
import pytest
import vbt

PAGE = markdown.read("docs/formats.md")
PROGRAM = """\
import json, threading, time
import vbtrace

def work():
    return [dict(a=i) for i in range(1000)]

thread = threading.Thread(target=work, name="worker")
thread.start()
thread.join()
began = time.perf_counter()
json.loads(json.dumps(list(range(1000))))
ended = time.perf_counter()
with vbtrace.section("work", iterations=1000):
    kept = work()
vbtrace.section("open").__enter__()
"""
JSON_PAGE = markdown.read("docs/json.md")
SHOWN = {block[0].split()[1]: json.loads(block[1]) for block in markdown.fenced(JSON_PAGE) if block[0].startswith("json ")}
SCHEMA = json.loads((vbt.ROOT / "docs" / "json.schema.json").read_text())
COMMON = {"schema", "vbtrace", "view"}
BY_CHANCE = ("changed", "noisy", "p")  # of a comparison: lists that may be empty


@functools.lru_cache(maxsize=None)
def program():
    path = pathlib.Path(tempfile.mkdtemp(dir=vbt._scratch())) / "every.py"
    path.write_text(PROGRAM)
    return path


@functools.lru_cache(maxsize=None)
def trace(**options):
    """The trace of a program that does something of everything."""
    options.update(VBTRACE_NATIVE="full", VBTRACE_VERIFY="10")
    return vbt.trace(["/usr/bin/python3", program()], python_paths=[vbt.MODULE_DIRECTORY], env=options).paths[0]


@functools.lru_cache(maxsize=None)
def earlier_traces():
    """Two traces of the program before some change: it was called otherwise, and allocated less."""
    path = pathlib.Path(tempfile.mkdtemp(dir=vbt._scratch())) / "every.py"
    path.write_text("import os\n" + PROGRAM.replace("work", "job").replace("range(1000))]", "range(999))]").replace("dict(a=i)", "dict()"))
    options = dict(VBTRACE_NATIVE="full", VBTRACE_VERIFY="10")
    return [vbt.trace(["/usr/bin/python3", path], python_paths=[vbt.MODULE_DIRECTORY], env=options).paths[0] for _ in range(2)]


@functools.lru_cache(maxsize=None)
def baseline():
    """A text for vbtrace check, of another C library."""
    path = pathlib.Path(tempfile.mkdtemp(dir=vbt._scratch())) / "baseline.txt"
    assert vbt.vbtrace("check", "--approve", "--against", path, *earlier_traces()).returncode == 0
    path.write_text(re.sub(r"^libc .*", "libc musl 1.2", path.read_text(), flags=re.MULTILINE))
    return path


def inputs(command, **options):
    if command == "check":
        return ["--against", baseline(), "--allow", "libc", "--limit", "own: +allocs <= 0", trace(**options)]
    return [*earlier_traces(), "--", trace(**options)] if command == "diff" else [trace(**options)]


def printed(command, kind, **options):
    done = vbt.vbtrace(*command.split(), "--format", kind, *inputs(command.split()[0], **options))
    lacks = command == "intervals" and kind == "csv"  # JSON has a member, and text a line
    assert done.returncode == (command == "check") and ("1 section did not end" in done.stderr if lacks else not done.stderr), done.stderr
    return json.loads(done.stdout) if kind == "json" else done.stdout


def merged(rows):
    """Rows of a list as one: all members that any of them has."""
    if not all(isinstance(row, dict) for row in rows):
        return rows[0]
    found = {}
    for row in rows:
        for name, value in row.items():
            if found.get(name) in (None, []):
                found[name] = value
    return found


def differences(shown, found, where=""):
    """Where two JSON values differ in form, as readable text: in members, or in the type of a value
    that is not null."""
    if shown is None or found is None:
        return
    if isinstance(shown, dict) and isinstance(found, dict):
        yield from (f"{where}.{name}: not in the page" for name in sorted(found.keys() - shown.keys()))
        yield from (f"{where}.{name}: not printed" for name in sorted(shown.keys() - found.keys()))
        for name in sorted(shown.keys() & found.keys()):
            yield from differences(shown[name], found[name], f"{where}.{name}")
    elif isinstance(shown, list) and isinstance(found, list):
        if not found and shown and not where.endswith(tuple(f".{name}" for name in BY_CHANCE)):
            yield f"{where}: printed empty"
        elif found and shown:
            yield from differences(merged(shown), merged(found), f"{where}[]")
    elif type(shown) is not type(found):
        yield f"{where}: {type(found).__name__} is printed, the page has {type(shown).__name__}"


@pytest.mark.parametrize("command", sorted(SHOWN))
def test_json_is_as_shown(command):
    found = printed(command, "json", VBTRACE_LINES="1")
    shown = SHOWN[command]
    if command == "info":  # the kinds of chunks are those of FORMAT.md
        found["chunks"] = {"PROCESS": found["chunks"]["PROCESS"]}
    if command in ("check", "diff"):  # means are whole or not by chance
        shown, found = (json.loads(json.dumps(report), parse_int=float) for report in (shown, found))
    if command == "report":
        assert [row["iterations"] for row in found["intervals"] if row["kind"] == "section"] == [1000]
    assert list(differences(shown, found)) == []


def test_other_views_have_what_they_are_said_to_have():
    intervals, report = printed("intervals", "json"), printed("report", "json")
    assert intervals.keys() == COMMON | {"complete", "damage", "intervals", "unended_sections", "lost"}
    assert sorted(map(str, intervals["intervals"])) == sorted(map(str, report["intervals"]))
    assert printed("lines", "json").keys() == SHOWN["lines"].keys() - {"line_events", "line_profile"}
    for command in ("peak", "temporary"):
        assert list(differences({**SHOWN["leaks"], "runtime": []}, printed(command, "json"))) == []
        assert printed(command, "json")["view"] == command


def closed(schema, inside=False):
    """The schema with no other members than it names. inside: it is part of one that adds some."""
    if isinstance(schema, list):
        return [closed(one, inside) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(value, name in ("allOf", "if", "then")) for name, value in schema.items()}
    if "properties" in schema and not inside and "type" in schema and schema.get("title") is None:
        made["unevaluatedProperties"] = False
    return made


def validator():
    jsonschema = pytest.importorskip("jsonschema", reason="needs python3-jsonschema")
    strict = closed(SCHEMA)
    for name in ("domain", "quantity", "stacks"):  # parts of others
        del strict["$defs"][name]["unevaluatedProperties"]
    jsonschema.Draft202012Validator.check_schema(strict)
    return jsonschema.Draft202012Validator(strict)


def form(value):
    """What tells two values apart for a schema, as text."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}:{form(value[name])}" for name in sorted(value)) + "}"
    return "[" + ",".join(sorted(set(map(form, value)))) + "]" if isinstance(value, list) else type(value).__name__


def thinned(value):
    """The value with one item of each form in its lists: there may be thousands."""
    if isinstance(value, dict):
        return {name: thinned(member) for name, member in value.items()}
    if isinstance(value, list) and any(isinstance(one, (dict, list)) for one in value):
        return [thinned(one) for one in {form(one): one for one in value}.values()]
    return value


def faults(report):
    """What is wrong with a report."""
    return [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message[:200]}" for fault in validator().iter_errors(thinned(report))]


@pytest.mark.parametrize("lines", [{}, {"VBTRACE_LINES": "1"}], ids=["", "counted"])
@pytest.mark.parametrize("command", sorted({*SHOWN, "peak", "temporary", "intervals"}))
def test_json_is_as_the_schema_says(command, lines):
    report = printed(command, "json", **lines)
    assert report["view"] == command and faults(report) == []


def test_the_schema_knows_what_is_wrong():
    report = printed("report", "json")
    assert faults({**report, "more": 1}) and faults({**report, "lines": [{}]}) and faults({**report, "schema": 2})
    assert faults({**report, "threads": None}) and faults({**report, "totals": {**report["totals"], "allocs": 1.5}})
    assert faults({name: value for name, value in report.items() if name != "notes"})


def test_stacks_begin_with_their_innermost_frame():
    found = printed("peak", "json")
    functions = [[found["frames"][i]["function"] for i in stack["frames"]] for stack in found["stacks"]]
    assert any(stack[-1] == "_start" for stack in functions) and not any(stack[0] == "_start" for stack in functions)
    assert any(row.startswith("_start ") for row in printed("peak", "csv").splitlines())


def test_each_view_with_json_is_shown():
    options = markdown.read("docs/options.md")
    titles = markdown.headings(markdown.section(options, "The commands"))
    views = [title for level, title in titles if level == 3 and title.islower()]
    with_json = {view for view in views if "json" in markdown.section(options, view)}
    assert with_json - {"intervals", "peak", "temporary"} == set(SHOWN)


@pytest.mark.parametrize("cells", markdown.rows(markdown.section(PAGE, "CSV")), ids=lambda cells: cells[0])
def test_csv_has_the_columns_shown(cells):
    lines = {"VBTRACE_LINES": "1"} if "counted" in cells[0] else {}
    for command in re.findall(r"`(\w+(?: --table \w+)?)`", cells[0]):
        assert printed(command, "csv", **lines).partition("\n")[0] == cells[1].strip("`")


def test_faults_are_found():
    shown = {"a": 1, "b": [{"c": 1.0, "d": None}], "e": []}
    assert list(differences(shown, {"a": 1, "b": [{"c": 2.0, "d": "text"}, {"c": 3.0}], "e": [1]})) == []
    other = {"a": 1, "b": [{"c": 2.0}, {"x": 1}], "e": []}
    assert list(differences(shown, other)) == [".b[].x: not in the page", ".b[].d: not printed"]
    other = {"a": "1", "b": [], "e": []}
    assert list(differences(shown, other)) == [".a: str is printed, the page has int", ".b: printed empty"]
