"""The process that writes the trace goes with the program into another root and other namespaces:
it holds no file system that the program has left, and reaches nothing that the program does not."""

import pytest

import vbt

WAYS = "chroot at-once chroot-setuid deeper in-and-out pivot there-and-back each no-rights unseen".split()


@pytest.fixture(scope="module")
def program():
    if vbt.run(["unshare", "--mount", "--net", "/usr/sbin/chroot", "/", "true"]).returncode != 0:
        pytest.skip("needs unshare, and the rights to enter namespaces and to chroot")
    return vbt.compiled("surroundings.c", "-O1", "-g")


def check(program, way, folder):
    """Untraced and traced it does the same. Returns what ran traced, and its report, which must be
    whole."""
    jail, traces = folder / "jail", folder / "traces"
    runs = []
    for traced in (None, traces):
        for made in (folder, jail, traces):
            made.mkdir(exist_ok=True)
            made.chmod(0o777)
        runs.append(vbt.run([program, way, jail], traced=traced))
        if traced is None:
            for left in (*jail.iterdir(), jail, traces):
                left.rmdir()
    untraced, run = runs
    assert (run.returncode, run.stdout) == (untraced.returncode, untraced.stdout)
    assert set(untraced.stderr.splitlines()) <= {"0 share the memory"}
    assert set(run.stderr.splitlines()) == {"1 share the memory"}
    assert [path.name for path in jail.iterdir() if path.name != "deeper"] == []
    (trace,) = traces.iterdir()
    report = vbt.Report(trace)
    assert report.json["complete"] and report.json["conservation"]["holds"]
    allocs = sorted(row["allocs"] for row in report.json["lines"] if row["file"].endswith("surroundings.c"))
    assert allocs[-2:] == [1000, 1000]  # before and afterwards
    mapped = [path for _, _, _, path, *known in vbt.trace_reader.Trace(trace).modules if not known]
    assert str(program) in mapped  # as seen from the root where it was started
    return run, report


@pytest.mark.parametrize("way", WAYS)
def test_it_goes_with_the_program(program, way, tmp_path):
    """Its links in /proc say where it is. By each call; without rights, which come with a user
    namespace; by raw system calls; into a root without /proc, deeper and out again, when the file
    system that was left can be unmounted, and a namespace that was left has nobody in it."""
    run, report = check(program, way, tmp_path)
    assert run.returncode == 0 and report.json["end_reason"] == "exit"
    assert "E" not in run.stdout  # no error number


def test_killed_in_another_root(program, tmp_path):
    """Where there is neither /proc nor the trace's folder, the end is written all the same."""
    run, report = check(program, "killed", tmp_path)
    assert run.returncode == -9 and report.json["end_reason"] == "signal 9"
