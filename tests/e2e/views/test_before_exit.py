"""leaks --before-exit: what was live before the interpreter began to shut down."""

import json
import signal

import pytest
import vbt

CACHES = vbt.program("caches.py")
SIZE = 33  # of a bytes object, besides its bytes
WAYS = {"end": 0, "exit": 3, "_exit": 3, "raise": 1, "SIGTERM": -signal.SIGTERM, "SIGINT": -signal.SIGINT}
UNSEEN = ("_exit", "SIGTERM")  # the interpreter does not shut down


def stacks(trace, *options):
    """The live blocks and bytes of each line of the program, by stacks that end there."""
    done = vbt.vbtrace("leaks", "--format", "json", "--ungroup", *options, trace)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    view = json.loads(done.stdout)
    found = {}
    for row in view["stacks"]:
        frame = view["frames"][row["frames"][0]]
        if frame["file"] == str(CACHES):
            blocks, size = found.get(frame["line"], (0, 0))
            found[frame["line"]] = blocks + row["live_blocks"], size + row["live_bytes"]
    return view, found


@pytest.mark.parametrize("how", WAYS)
def test_caches_are_named(how):
    names_caches("/usr/bin/python3", how)


def test_caches_are_named_on_all_versions(interpreter):
    names_caches(interpreter.path, "end")


def names_caches(python, how):
    run = vbt.trace([python, CACHES, how], status=WAYS[how], silent=False)
    line, last = vbt.line_of(CACHES, "# cached"), vbt.line_of(CACHES, "before anything is freed")
    view, found = stacks(run.report.path, "--before-exit")
    blocks, size = found[line]
    assert blocks == 200 and size >= sum(10000 + i + SIZE for i in range(200))
    assert (last in found) == (how not in UNSEEN)
    assert run.report.json["conservation"]["holds"]
    text = vbt.vbtrace("leaks", "--before-exit", run.report.path).stdout
    plain = vbt.vbtrace("leaks", run.report.path).stdout
    if how in UNSEEN:
        assert "the trace knows no interpreter that began to shut down" in text
        assert "--before-exit" not in plain and stacks(run.report.path)[1][line] == found[line]
    else:
        assert "just before the interpreter began to shut down." in text.splitlines()[0]
        assert "--before-exit shows what was live before." in plain and line not in stacks(run.report.path)[1]
        assert view["part"]["from_ns"] == 0 < view["part"]["to_ns"]
        assert "vbtrace leaks --before-exit" in vbt.vbtrace("report", run.report.path).stdout


def test_a_program_without_an_interpreter_has_its_end():
    run = vbt.trace(["/usr/bin/sort", "/dev/null"])
    done = vbt.vbtrace("leaks", "--before-exit", run.report.path)
    assert (done.returncode, done.stderr) == (0, "") and "the trace knows no interpreter" in done.stdout
    done = vbt.vbtrace("leaks", "--before-exit", "--at", "1s", run.report.path)
    assert (done.returncode, done.stderr) == (2, "vbtrace: leaks: --before-exit has no effect with --at\n")
