"""Native and Python frames in one stack: the running Python functions in order, with C between them
exactly where C code is."""

import pytest

import vbt

# By size of the block: the Python functions, outermost first; "C" where native frames are between
# two of them in every version.
STACKS = {
    10001: ("<module>", "direct", "block", "C"),
    11001: ("<module>", "reduced", "C", "reduced.<locals>.<lambda>", "block", "C"),
    20001: ("<module>", *("nested", "C", "nested.<locals>.<lambda>") * 3, "nested", "block", "C"),
    30001: ("<module>", "C", "generated", "block", "C"),
    40001: ("<module>", "C", "Compared.__lt__", "block", "C"),
    50002: ("<module>", "drop", "C", "Compared.__del__", "block", "C"),
}


def frames(trace, node):
    """A call path, outermost first: the names of Python functions, and None for a native frame."""
    path = []
    while node != 0:
        node, site, _ = trace.nodes[node]
        kind, code, _ = trace.sites[site]
        path.append(trace.strings[trace.codes[code][1]] if kind == 0 else None)
    return path[::-1]


def runs(path):
    """The same with "C" for each run of native frames."""
    out = []
    for name in path:
        if name is not None or out[-1:] != ["C"]:
            out.append(name or "C")
    return tuple(out)


def paths_of(run, size):
    trace = run.report.trace
    found = [node for node, row in trace.counters.items() if row["min_bytes"] == row["max_bytes"] == size]
    assert found
    return [frames(trace, node) for node in found]


def expected(functions, interpreter):
    """Up to 3.10 code has no qualified name, and each Python function runs in an evaluation loop
    that C calls."""
    if interpreter.v < (3, 11):
        short = [name.rsplit(".", 1)[-1] for name in functions if name != "C"]
        functions = [part for name in short for part in (name, "C")]
    return tuple(functions)


def in_thread(interpreter):
    """The same for nested(2) in a thread. In 3.11 a call with *arguments still leads through C;
    from 3.14 on, the thread's context does."""
    in_context, through_c = ["C"] * (interpreter.v >= (3, 14)), ["C"] * (interpreter.v == (3, 11))
    start = ("Thread._bootstrap", "Thread._bootstrap_inner", *in_context, "Thread.run", *through_c, "in_thread")
    return expected((*start, *("nested", "C", "nested.<locals>.<lambda>") * 2, "nested", "block", "C"), interpreter)


@pytest.fixture
def run(interpreter):
    return vbt.traced_python("mixed_stack.py", interpreter, VBTRACE_NATIVE="full", VBTRACE_VERIFY="1")


@pytest.mark.parametrize("size", STACKS)
def test_functions_on_the_stack(run, interpreter, size):
    for path in paths_of(run, size):
        found = runs(path)
        assert found[0] == "C"  # the frames that lead to the script, or to the thread
        assert found[1:] == (expected(STACKS[size], interpreter) if "<module>" in found else in_thread(interpreter))


def test_no_evaluation_loop_is_left(run):
    functions = vbt.vbtrace("functions", "--limit", "0", "--format", "csv", run.report.path).stdout
    assert "Py_BytesMain" in functions
    assert "_PyEval_EvalFrameDefault" not in functions


def test_every_stack_is_whole_and_is_libunwinds(run):
    report = run.report.json
    assert report["stacks"]["truncated"] == 0
    assert report["verify"]["compared"] > 10000 and report["verify"]["different"] == 0


def test_both_domains_have_whole_stacks(run):
    """A request to Python's allocator has its native frames, like one to malloc."""
    trace = run.report.trace
    python = [node for node, row in trace.counters.items() if trace.nodes[node][2] == 1 and row["allocs"]]
    native = [node for node in python if frames(trace, node)[-1] is None]
    assert len(native) > len(python) / 2


@pytest.mark.parametrize("program", ["ground_truth_objects.py", "ground_truth_control.py", "ground_truth_threads.py"])
def test_lines_are_as_exact_as_without(interpreter, program):
    run = vbt.traced_python(program, interpreter, VBTRACE_NATIVE="full")
    expected = vbt.truths(vbt.program(program), v=interpreter.v, **run.printed)
    wrong = vbt.wrong_lines(run.report.by_line(), vbt.program(program), expected)
    assert not wrong, f"\n{wrong}"


def allocations_of(run, size):
    return sum(row["allocs"] for row in run.report.trace.counters.values() if row["min_bytes"] == row["max_bytes"] == size)


def test_python_as_any_program(run, interpreter):
    only = vbt.traced_python("mixed_stack.py", interpreter, VBTRACE_NATIVE="only", VBTRACE_VERIFY="1")
    for size in STACKS:
        assert allocations_of(only, size) == allocations_of(run, size)
        for path in paths_of(only, size):
            assert runs(path) == ("C",)
    assert only.report.python["allocs"] == 0
    assert only.report.json["verify"]["different"] == 0
    functions = vbt.vbtrace("functions", "--limit", "0", "--format", "csv", only.report.path).stdout
    assert "_PyEval_EvalFrameDefault" in functions


def test_lines_need_python():
    run = vbt.trace(["/usr/bin/python3", "-c", "print(1)"], silent=False, env={"VBTRACE_NATIVE": "only", "VBTRACE_LINES": "1"})
    assert run.stdout == "1\n" and run.paths == []
    assert run.done.stderr.startswith("vbtrace: VBTRACE_NATIVE=only: expected leaf or full when lines")


@pytest.fixture
def alike(interpreter):
    return vbt.traced_python("joined_paths.py", interpreter, VBTRACE_NATIVE="full", VBTRACE_VERIFY="1")


def test_what_looks_alike_is_told_apart(alike, interpreter):
    """The same Python frames under the same return addresses, where C is between other two."""
    start = ("C", "<module>", "everything", "alternate", "first")
    assert {runs(path) for path in paths_of(alike, 10001)} == {
        ("C", *expected((*start[1:], "second", "C", "last", "block", "C"), interpreter))
    }
    assert {runs(path) for path in paths_of(alike, 20001)} == {
        ("C", *expected((*start[1:], "C", "second", "last", "block", "C"), interpreter))
    }
    assert allocations_of(alike, 10001) == allocations_of(alike, 20001) == 100


def test_remembered_stacks_are_those_joined_anew(alike):
    verify = alike.report.json["verify"]
    assert verify["compared"] > 10000 and verify["different"] == 0
    assert alike.report.json["stacks"]["truncated"] == 0
