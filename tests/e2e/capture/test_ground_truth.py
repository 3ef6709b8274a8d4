"""Programs whose every line has a known cost: the counts of each line, on every interpreter
found."""

import pytest

import vbt

PROGRAMS = ["ground_truth_objects.py", "ground_truth_control.py", "ground_truth_threads.py"]
GENERATED = 3000  # lines that ground_truth_control.py executes in generated.py


def wrong_lines(rows, program, run, interpreter):
    expected = vbt.truths(vbt.program(program), v=interpreter.v, **run.printed)
    return vbt.wrong_lines(rows, vbt.program(program), expected)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_line(program, interpreter):
    run = vbt.traced_python(program, interpreter)
    wrong = wrong_lines(run.report.by_line(), program, run, interpreter)
    assert not wrong, f"\n{wrong}"


@pytest.mark.parametrize("program", PROGRAMS)
def test_lines_of_the_user(program, interpreter):
    """A marked line makes all its requests itself, in the user's file: its nearest user line and
    leaf line are the same."""
    run = vbt.traced_python(program, interpreter)
    wrong = wrong_lines(run.report.by_line("user_lines"), program, run, interpreter)
    assert not wrong, f"\n{wrong}"


def test_lines_of_code_that_died(interpreter):
    """3,000 code objects, each run once and dropped: a call site cached by address would show up at
    another object's line."""
    run = vbt.traced_python("ground_truth_control.py", interpreter)
    rows = run.report.by_line()
    generated = {line: row for (file, line), row in rows.items() if file == "generated.py"}
    found = {line: (row["allocs"], row["live_blocks"], row["allocated_bytes"]) for line, row in generated.items()}
    found.pop(0, None)  # the line of a module's start, from 3.11 on
    assert found == {line: (1, 1, run.printed["FLOAT"]) for line in range(1, GENERATED + 1)}


def test_no_stack_was_cut_off(interpreter):
    """Not even one of 3,000 frames."""
    stacks = vbt.traced_python("ground_truth_control.py", interpreter).report.json["stacks"]
    assert stacks["captured"] > 0 and stacks["truncated"] == 0


def test_call_path_of_a_deep_recursion(interpreter):
    """The deepest allocation has a node under 3,000 others of the same function."""
    trace = vbt.traced_python("ground_truth_control.py", interpreter).report.trace
    depths = [0] * len(trace.nodes)
    for node in range(1, len(trace.nodes)):
        parent, site, _ = trace.nodes[node]
        kind, code, _ = trace.sites[site]
        depths[node] = depths[parent] + (kind == 0 and trace.strings[trace.codes[code][1]] == "recursion")
    assert max(depths) == 3000


def test_allocator_called_by_ctypes(interpreter):
    """Heap and Python are different domains of the same line."""
    run = vbt.traced_python("ground_truth_native.py", interpreter)
    wrong = wrong_lines(run.report.trace.lines("heap"), "ground_truth_native.py", run, interpreter)
    assert not wrong, f"\n{wrong}"


@pytest.fixture(scope="module")
def numpy_run():
    pytest.importorskip("numpy")
    debian = [python for python in vbt.interpreters() if python.path == "/usr/bin/python3"]
    if not debian:
        pytest.skip("needs Debian's python3 with NumPy")
    return vbt.traced_python("ground_truth_numpy.py", debian[0]), debian[0]


def test_loop_over_an_array(numpy_run):
    run, python = numpy_run
    wrong = wrong_lines(run.report.by_line(), "ground_truth_numpy.py", run, python)
    assert not wrong, f"\n{wrong}"


def test_iteration_of_a_loop_over_an_array(numpy_run):
    run, _ = numpy_run
    n = run.printed["N"]
    (array,) = run.report.intervals(label="array")
    assert array["allocs"]["total"] == 2 * n + 3  # as the lines show
    assert array["per_iteration"]["allocs"] == pytest.approx(2, abs=1e-4)
    assert array["per_iteration"]["allocated_bytes"] == pytest.approx(48, abs=1e-3)


def test_iteration_of_a_loop_over_floats(numpy_run):
    """The elements exist and the sums come from the free list of floats: 2 allocations in all."""
    (floats,) = numpy_run[0].report.intervals(label="list")
    assert floats["allocs"]["total"] == 2
