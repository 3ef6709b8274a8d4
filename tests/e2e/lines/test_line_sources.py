"""The source text of counted lines."""

import pytest

import vbt

GENERATED = """
import linecache
name = "<generated: 'made'>"
text = "def made(n):\\n    x = 'caf\\u00e9 \\u20ac'\\n    return [n * 2000 for i in range(3)]"
linecache.cache[name] = (len(text), None, text.splitlines(True), name)
space = {}
exec(compile(text, name, "exec"), space)
@profile
def own(n):
    return n
own(1)
made = space["made"]
if DECORATE:
    profile(made)
made(21)
linecache.clearcache()
"""


@pytest.mark.parametrize("options, decorate", [({"VBTRACE_LINES": "profile"}, True), ({"VBTRACE_FILES": "<gen*"}, False)], ids=["profile", "files"])
def test_source_that_only_linecache_knows(interpreter, tmp_path, options, decorate):
    """Of generated code and a notebook's cells: the trace has it, symbolized or not, and counts
    nothing for it."""
    program = tmp_path / "generated.py"
    program.write_text(GENERATED.replace("DECORATE", str(decorate)))
    run = vbt.trace([interpreter.path, program], env=options)
    symbolized = tmp_path / "symbolized.vbt"
    assert vbt.vbtrace("symbolize", "-o", symbolized, run.paths[0]).returncode == 0
    for trace in run.paths[0], symbolized:
        profile = vbt.json.loads(vbt.vbtrace("lines", "--format", "json", trace).stdout)["line_profile"]
        (made,) = [function for function in profile if function["function"] == "made"]
        lines = {line["line"]: (line["hits"] > 0, line["source"]) for line in made["lines"]}
        assert lines[2] == (True, "    x = 'caf\u00e9 \u20ac'") and lines[3] == (True, "    return [n * 2000 for i in range(3)]")
        allocs = {line["line"]: line["allocs"] for line in made["lines"]}
        assert allocs[2] == 0 and allocs[3] >= 3
        assert "caf\u00e9" in vbt.vbtrace("lines", trace).stdout
