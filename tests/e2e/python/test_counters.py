"""What a program is told when it asks vbtrace for its own counts: exact, and the same as in the
report."""

import pytest

import vbt

NAMES = ["counted", "allocations", "frees", "allocated_bytes", "freed_bytes", "live_bytes", "peak_bytes"]
QUANTITIES = {"allocations": "allocs", "frees": "frees", "allocated_bytes": "allocated_bytes", "freed_bytes": "freed_bytes", "live_bytes": "net_bytes"}


def named(numbers):
    return dict(zip(NAMES, numbers))


@pytest.fixture
def ran(interpreter):
    found = vbt.traced_python("counts_itself.py", interpreter)
    answers = {}
    for what, answer in found.printed.items():
        answers[what] = [named(numbers) for numbers in answer] if isinstance(answer[0], list) else named(answer)
    return found, answers


def test_asking_costs_nothing(ran):
    _, answers = ran
    for way in "twice process", "twice thread":
        first, second = answers[way]
        assert first == second and first["counted"] is True and first["allocations"] > 1000


def test_what_is_allocated_in_between(ran, interpreter):
    """100 objects and their list; the list's array grows."""
    _, answers = ran
    before, after = answers["objects"]
    size = int(vbt.run([interpreter.path, "-c", "import sys; print(100 * sys.getsizeof(bytes(1000)))"]).stdout)
    assert after["allocations"] - before["allocations"] >= 101
    assert size < after["live_bytes"] - before["live_bytes"] < size + 2000
    flow = (after["allocated_bytes"] - before["allocated_bytes"]) - (after["freed_bytes"] - before["freed_bytes"])
    assert after["live_bytes"] - before["live_bytes"] == flow
    assert all(now["peak_bytes"] >= now["live_bytes"] > 0 for now in (before, after, answers["last"]))


def test_a_section_is_told_what_the_report_says(ran):
    found, answers = ran
    cost = answers["section"]
    (row,) = [row for report in found.reports for row in report.intervals("measured")]
    assert row["count"] == 1
    for name, quantity in QUANTITIES.items():
        assert cost[name] == row[quantity]["total"], name
    assert cost["peak_bytes"] == row["high_bytes"]["total"] > 150_000
    assert set(answers["empty"].values()) == {True, 0} and set(answers["inside"].values()) == {False, 0}


def test_sections_leave_nothing_to_the_collector(interpreter):
    code = """
import gc, vbtrace
def f():
    for _ in range(100):
        with vbtrace.section("s") as cost:
            pass
        counters = cost.counters
    return counters
gc.collect()
gc.disable()
print(f(), gc.collect())
"""
    found = vbt.trace([interpreter.path, "-c", code], python_paths=[vbt.MODULE_DIRECTORY])
    zero = ", ".join(f"{name}=0" for name in NAMES[1:])
    assert found.stdout == f"Counters({zero}) 0\n"


def test_threads_are_told_their_own(ran):
    _, answers = ran
    for which, least in ("other thread", 51), ("this thread", 0):
        before, after = answers[which]
        assert after["peak_bytes"] == 0 and after["allocations"] - before["allocations"] >= least
    before, after = answers["this thread"]
    assert after["live_bytes"] - before["live_bytes"] < 50_000  # without the thread's objects


def test_a_forked_process_has_counts_of_its_own(ran):
    """Its live bytes are those that it inherited."""
    _, answers = ran
    parent, child, later = answers["child"]
    assert child["allocations"] < 100 and abs(child["live_bytes"] - parent["live_bytes"]) < 10_000
    assert later["allocations"] - child["allocations"] >= 11 and later["live_bytes"] - child["live_bytes"] >= 10_000
    assert child["peak_bytes"] >= child["live_bytes"]


def is_own(row):
    return "vbtrace/__init__.py" in row["file"] or "vbtrace" in row["function"] or row["file"] == "<vbtrace>"


def test_the_process_is_told_what_the_report_says(ran):
    """All totals, without the lines that are vbtrace's own."""
    found, answers = ran
    last = answers["last"]
    (report,) = [report for report in found.reports if report.intervals("measured")]
    own = {name: sum(row[name] for row in report.json["lines"] if is_own(row)) for name in ("allocs", "allocated_bytes")}
    assert own["allocs"] > 0
    assert last["allocations"] == report.heap["allocs"] + report.python["allocs"] - own["allocs"]
    assert last["allocated_bytes"] == report.heap["allocated_bytes"] + report.python["allocated_bytes"] - own["allocated_bytes"]
    assert set(answers["stopped"].values()) == {False, 0}


def test_with_counted_lines_too(interpreter):
    """What line mode makes the interpreter allocate is not the program's."""
    lines = vbt.traced_python("counts_itself.py", interpreter, VBTRACE_LINES="1").printed
    plain = vbt.traced_python("counts_itself.py", interpreter).printed
    assert lines["twice process"][0] == lines["twice process"][1]
    for i in NAMES.index("allocations"), NAMES.index("allocated_bytes"):
        assert lines["section"][i] == plain["section"][i]
        assert lines["objects"][1][i] - lines["objects"][0][i] == plain["objects"][1][i] - plain["objects"][0][i]


SAID = """\
nothing 1: 0 allocations of 0, 0 frees of 0, live 0, peak 0
blocks 1: 11 allocations of 201000, 1 frees of 200000, live 1000, peak 101000
section 1: 1 allocations of 500, 2 frees of 600, live -100, peak 500
thread 1: 1 allocations of 11, 1 frees of 100, live -89, peak 0
one 1: 1 allocations of 1, 0 frees of 0, live 1, peak 0
stopped 0: 0 allocations of 0, 0 frees of 0, live 0, peak 0
no section 0: 0 allocations of 0, 0 frees of 0, live 0, peak 0
"""
ZERO = "0: 0 allocations of 0, 0 frees of 0, live 0, peak 0"


def test_programs_in_c(tmp_path):
    program = vbt.compiled("counts_itself.c", "-O0", "-fno-builtin")
    assert vbt.trace([program], tmp_path, silent=False).done.stderr == SAID
    untraced = vbt.run([program]).stderr
    assert untraced == "".join(f"{line.partition(' 1: ')[0].partition(' 0: ')[0]} {ZERO}\n" for line in SAID.splitlines())


ISOLATED = ["-I", "-S", "-E"]


@pytest.mark.parametrize("option", ISOLATED)
def test_the_module_is_there_under_run(option, interpreter, tmp_path):
    """Without an installation and without a path, and the interpreter's paths are as they were."""
    code = "import sys; print(sys.path)\nimport vbtrace\nprint(vbtrace.active(), file=sys.stderr)"
    ran = vbt.vbtrace("run", "--quiet", interpreter.path, option, "-c", code, directory=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "True\n")
    assert ran.stdout == vbt.run([interpreter.path, option, "-c", "import sys; print(sys.path)"], directory=tmp_path).stdout


def test_a_module_of_the_programs_own_comes_first(interpreter, tmp_path):
    (tmp_path / "vbtrace.py").write_text("mine = True\n")
    ran = vbt.vbtrace("run", "--quiet", interpreter.path, "-c", "import vbtrace; print(vbtrace.mine)", directory=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "True\n", "")


def test_what_is_not_there_is_not_found(interpreter, tmp_path):
    code = "import sys\ntry: import vbtrace.nothing\nexcept ModuleNotFoundError as error: print(error)\nimport no_such_module"
    ran = vbt.vbtrace("run", "--quiet", interpreter.path, "-c", code, directory=tmp_path)
    assert ran.stdout == "No module named 'vbtrace.nothing'\n"
    assert ran.returncode == 1 and ran.stderr.endswith("ModuleNotFoundError: No module named 'no_such_module'\n")
    assert "VbtraceFinder" not in ran.stderr
