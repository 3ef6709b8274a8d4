"""A traced program does what it does untraced: output, exit status, descriptors, files. When
vbtrace cannot do its work, it says so in one line and the program still runs."""

import os
import pathlib
import re
import resource
import signal
import stat
import subprocess

import pytest

import vbt

# Not echo: coreutils programs close stderr before they end.
WORKS = ["/usr/bin/perl", "-e", "print qq(works\\n)"]
SETUP = "import json, logging, random, threading; random.seed(1); print(json.dumps([random.random() for _ in range(20)]))"


@pytest.mark.parametrize(
    "command",
    [
        ["ls", "-la", "/usr/share"],
        ["ls", "/nowhere/to/be/found"],
        ["sort", "-r", "/etc/services"],
        ["grep", "-c", "tcp", "/etc/services"],
        ["grep", "nothing like it", "/etc/services"],
        ["find", "/usr/share/doc", "-maxdepth", "1"],
        ["tar", "cf", "-", "-C", "/", "etc/services"],
        ["bash", "-c", "for i in 1 2 3; do echo $i | sed s/1/one/; done; (exit 3)"],
        ["perl", "-e", "my %h = map { $_ => $_ * 2 } 1..1000; print join ',', map { $h{$_} } sort { $a <=> $b } keys %h"],
        ["sh", "-c", "kill -TERM $$"],
        ["env", "-i", "/bin/ls", "/etc"],
    ],
    ids=lambda command: " ".join(command)[:30],
)
def test_same_output(command, tmp_path):
    untraced = vbt.run(command, directory="/", text=False)
    traced = vbt.run(command, traced=tmp_path, directory="/", text=False)
    assert (traced.returncode, traced.stderr) == (untraced.returncode, untraced.stderr)
    assert traced.stdout == untraced.stdout


@pytest.mark.parametrize(
    "code",
    [
        SETUP,
        "import sys; print(sys.flags, sys.getrecursionlimit(), sys.getallocatedblocks() > 0)",
        "import threading; print(threading.active_count(), [t.name for t in threading.enumerate()])",
        "import os; print(sorted(os.listdir('/proc/self/fd')), os.open('/dev/null', 0))",
        "import decimal; print(sum(decimal.Decimal(i) / 7 for i in range(1000)))",
        "import warnings; warnings.warn('for a test')",
        "import gc; print(gc.collect() >= 0, gc.get_threshold(), gc.isenabled())",
        "import tracemalloc; tracemalloc.start(3); x = [str(i) for i in range(1000)]; "
        "print(len(tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, '<string>')]).traces) >= 1000)",
        "import sys; sys.setprofile(lambda *a: None); sys.settrace(None); print(sys.getprofile() is not None)",
        "import signal; print(signal.sigwait({signal.SIGUSR1}) if signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1}) is None else "
        "[signal.getsignal(s) for s in (10, 12, 15, 17)], signal.pthread_sigmask(0, []))",
    ],
    ids=lambda code: code[:30],
)
def test_same_output_of_python(interpreter, code, tmp_path):
    command = [interpreter.path, "-c", code]
    untraced = vbt.run(command)
    traced = vbt.run(command, traced=tmp_path)
    assert (traced.returncode, traced.stdout, traced.stderr) == (untraced.returncode, untraced.stdout, untraced.stderr)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("allocator", ["malloc", "debug", "pymalloc", "malloc_debug", "pymalloc_debug"])
def test_python_allocators(interpreter, allocator):
    """PYTHONMALLOC changes the allocators; the lines stay right."""
    if interpreter.free_threaded and allocator != "debug":
        pytest.skip("free-threaded builds know no other allocators")
    code = "kept = [None] * 20000\nfor i in range(20000):\n    kept[i] = str(i) + 'x'\nimport os; os._exit(0)"
    report = vbt.trace([interpreter.path, "-c", code], env={"PYTHONMALLOC": allocator}).report
    row = report.line("<string>", 3)
    assert row["live_blocks"] == 20000 and row["allocs"] >= 40000 - 10  # strings of one digit already exist
    assert report.totals["lost_events"] == 0 and report.json["conservation"]["holds"]


@pytest.mark.parametrize("allocator", ["default", "debug", "malloc"])
def test_tracemalloc_from_the_start(interpreter, allocator):
    """It wraps our wrappers while the interpreter starts; both see every request."""
    if interpreter.free_threaded and allocator == "malloc":
        pytest.skip("free-threaded builds know no other allocators")
    code = """
import tracemalloc
kept = [None] * 1000
for i in range(1000):
    kept[i] = bytes(1000 + i)
print(tracemalloc.is_tracing(), sum(trace.size for trace in tracemalloc.take_snapshot().traces if trace.traceback[0].lineno == 5) >= 1_499_500)
tracemalloc.stop()
for i in range(1000):
    kept[i] = bytes(1000 + i)
import os; os._exit(0)
"""
    run = vbt.trace([interpreter.path, "-u", "-X", "tracemalloc", "-c", code], env={"PYTHONMALLOC": allocator})
    assert run.stdout == "True True\n"
    assert run.report.line("<string>", 5)["allocs"] >= 1000 and run.report.line("<string>", 9)["live_blocks"] >= 1000
    assert run.report.totals["lost_events"] == 0 and run.report.json["conservation"]["holds"]


def test_developer_mode(interpreter):
    done = vbt.trace([interpreter.path, "-X", "dev", "-c", "print([i * 1.5 for i in range(3)])"])
    assert done.stdout == "[0.0, 1.5, 3.0]\n"
    assert done.report.json["program"]["python_status"] == "ok"


def test_summary(tmp_path):
    """Without VBTRACE_QUIET: three lines on stderr, and nothing on stdout."""
    done = vbt.run(WORKS, traced=tmp_path, env={"VBTRACE_QUIET": "0"})
    assert done.stdout == "works\n"
    lines = done.stderr.splitlines()
    assert len(lines) == 3 and all(line.startswith("vbtrace: ") for line in lines)
    (path,) = tmp_path.iterdir()
    assert str(path) in lines[1] and lines[2] == f"vbtrace: next: vbtrace report {path}"


def test_dlerror_is_empty():
    """A failed lookup of vbtrace's does not become the program's dlerror."""
    assert vbt.trace([vbt.compiled("dlerror.c", "-O0")]).stdout == "none\n"


@pytest.mark.parametrize("mode", ["lowest", "list"])
def test_descriptors(mode, tmp_path):
    program = vbt.compiled("descriptors.c", "-O0")
    untraced = vbt.run([program, mode])
    assert untraced.returncode == 0
    assert vbt.trace([program, mode]).stdout == untraced.stdout


def test_all_descriptors_closed(tmp_path):
    """The program's files hold what it wrote, and the trace is complete."""
    program = vbt.compiled("descriptors.c", "-O0")
    files = tmp_path / "files"
    files.mkdir()
    run = vbt.trace([program, "close-all", files], env={"VBTRACE_QUIET": "0"})
    written = {path.name: path.read_text() for path in files.iterdir()}
    assert written == {f"file{i}": "".join(f"file {i} round {round}\n" for round in range(30)) for i in range(40)}
    assert run.report.json["complete"] and run.report.json["conservation"]["holds"]
    assert run.report.totals["allocs"] >= 31_000 and run.report.totals["lost_events"] == 0


BAD_OPTIONS = [
    ("VBTRACE_TICK", "soon"),
    ("VBTRACE_TICK", "0"),
    ("VBTRACE_TICK", "-5"),
    ("VBTRACE_TICK", "10ms"),
    ("VBTRACE_TICK", ""),
    ("VBTRACE_TICK", "99999999999999999999"),
    ("VBTRACE_QUIET", "perhaps"),
    ("VBTRACE_NATIVE", "everything"),
    ("VBTRACE_FOLLOW", "me"),
    ("VBTRACE_OUTPUT", ""),
    ("VBTRACE_OUTPUT", "%q.vbt"),
    ("VBTRACE_OUTPUT", "trace%"),
    ("VBTRACE_OUTPUT", "x" * 5000),
]


@pytest.mark.parametrize("name, value", BAD_OPTIONS, ids=lambda text: text[:20])
def test_bad_option(name, value, tmp_path):
    """One line that names the option, what was found and what was expected; the program runs,
    untraced."""
    env = {"VBTRACE_OUTPUT": str(tmp_path / "trace.vbt"), "VBTRACE_QUIET": "0", name: value}
    done = vbt.run(WORKS, traced=tmp_path, directory=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (0, "works\n")
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"vbtrace: {name}={value[:100]}") and "expected" in done.stderr and "untraced" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_unknown_option(tmp_path):
    done = vbt.run(WORKS, traced=tmp_path, env={"VBTRACE_TYCK": "3"})
    assert (done.returncode, done.stdout) == (0, "works\n")
    assert done.stderr.count("\n") == 1 and "VBTRACE_TYCK" in done.stderr
    assert len(list(tmp_path.iterdir())) == 1


def test_output_patterns(tmp_path):
    done = vbt.run(WORKS, traced=tmp_path, env={"VBTRACE_OUTPUT": f"{tmp_path}/a %e %h %r 100%% %p.vbt", "PMI_RANK": "7"})
    assert done.returncode == 0
    (path,) = tmp_path.iterdir()
    pid = vbt.Report(path).json["program"]["pid"]
    assert path.name == f"a perl {os.uname().nodename} 7 100% {pid}.vbt"


@pytest.mark.parametrize("quiet", ["0", "1"])
@pytest.mark.parametrize("output", ["/nowhere/to/be/found/trace.vbt", "/dev/full/trace.vbt", "/proc/trace.vbt"])
def test_output_that_cannot_be_written(output, quiet, tmp_path):
    """The message comes even without a summary."""
    done = vbt.run(WORKS, traced=tmp_path, env={"VBTRACE_OUTPUT": output, "VBTRACE_QUIET": quiet})
    assert (done.returncode, done.stdout) == (0, "works\n")
    assert done.stderr.count("\n") == 1 and done.stderr.startswith(f"vbtrace: {output}: not written: "), done.stderr


def test_file_that_is_not_of_vbtrace_run(tmp_path):
    """The runner is notified in a file; in another namespace its path may belong to something
    else."""
    anybody = tmp_path / "anybody"
    anybody.write_text("his own")
    status = anybody.stat()
    for value in (f"{anybody} 1 2", f"{anybody} {status.st_dev} {status.st_ino}", "/nowhere 1 2", str(anybody), "", "x" * 5000):
        done = vbt.run(WORKS, traced=tmp_path, env={"VBTRACE_OUTPUT": "/nowhere/t.vbt", "_VBTRACE_RUN": value})
        assert (done.returncode, done.stdout) == (0, "works\n")
        assert done.stderr == "vbtrace: /nowhere/t.vbt: not written: No such file or directory\n"
    assert anybody.read_text() == "his own"


def no_files(folder):
    """Every kind of file that is not regular and can be made here."""
    os.mkfifo(folder / "pipe.vbt")
    (folder / "to-pipe.vbt").symlink_to("pipe.vbt")
    (folder / "circle.vbt").symlink_to("circle.vbt")
    (folder / "foreign.vbt").symlink_to("of-another-user.vbt")
    made = ["pipe", "to-pipe", "circle"]
    if os.geteuid() == 0:
        os.mknod(folder / "device.vbt", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        os.lchown(folder / "foreign.vbt", 1, 1)
        made += ["device", "foreign"]
    return [folder / f"{name}.vbt" for name in made]


@pytest.mark.parametrize("linger", ["", "select undef, undef, undef, 0.2;"])
def test_output_that_is_no_file(linger, tmp_path):
    """It is left alone, at a tick as well as at the end."""
    paths = no_files(tmp_path)
    before = {path: os.lstat(path) for path in tmp_path.iterdir()}
    for path in paths:
        done = vbt.run(["/usr/bin/perl", "-e", f"{linger} print 'works'"], traced=tmp_path, env={"VBTRACE_OUTPUT": str(path), "VBTRACE_QUIET": "0"})
        assert (done.returncode, done.stdout) == (0, "works")
        place = path.with_name("pipe.vbt") if path.name == "to-pipe.vbt" else path
        assert done.stderr == f"vbtrace: {place}: not written: it is not a regular file\n"
    after = {path: os.lstat(path) for path in tmp_path.iterdir()}
    assert {path: (now.st_mode, now.st_ino) for path, now in after.items()} == {path: (then.st_mode, then.st_ino) for path, then in before.items()}


LOSES_ITS_FOLDER = """
import glob, os, shutil, sys, time
old, new, end = sys.argv[1:]
while not glob.glob(old + "/*.vbt"): time.sleep(0.01)
os.rename(old, new) if new else shutil.rmtree(old)
kept = [bytearray(777) for i in range(1000)]
print("works", flush=True)
if end == "kill": os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("end", ["exit", "kill"])
@pytest.mark.parametrize("output", ["t.vbt", "%p.vbt", ""])
def test_folder_that_vanishes(output, end, tmp_path):
    """With the trace in it, after the first tick: said in one line, also by vbtrace run."""
    folder = tmp_path / "gone"
    folder.mkdir()
    status = 0 if end == "exit" else -signal.SIGKILL
    program = ["/usr/bin/python3", "-c", LOSES_ITS_FOLDER, folder, "", end]
    expected = re.escape(f"vbtrace: {folder}/") + r"(vbtrace\.python3\.\d+\.)?(t|\d+)\.vbt: not written: No such file or directory\n"
    done = vbt.run(program, traced=tmp_path, env={"VBTRACE_OUTPUT": f"{folder}/{output}", "VBTRACE_QUIET": "0"})
    assert (done.returncode, done.stdout) == (status, "works\n") and list(tmp_path.iterdir()) == []
    if end == "exit":
        assert re.fullmatch(expected, done.stderr)
    folder.mkdir()
    done = vbt.vbtrace("run", "-o", f"{folder}/{output}", *program)
    assert (done.returncode, done.stdout) == (status, "works\n") and list(tmp_path.iterdir()) == []
    assert re.fullmatch(expected, done.stderr), done.stderr


def test_folder_that_moves(tmp_path):
    """The trace moves with it, and is complete there."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    done = vbt.run(["/usr/bin/python3", "-c", LOSES_ITS_FOLDER, old, new, "exit"], traced=tmp_path, env={"VBTRACE_OUTPUT": f"{old}/t.vbt", "VBTRACE_QUIET": "0"})
    assert f"vbtrace: next: vbtrace report {new}/t.vbt\n" in done.stderr and not old.exists()
    report = vbt.Report(new / "t.vbt")
    assert report.json["complete"] and report.line("<string>", 6)["allocs"] >= 1000


def test_output_that_becomes_no_file(tmp_path):
    """After the first tick: a file put in the trace's place is not replaced at the end."""
    code = "import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)\nos.unlink(sys.argv[1]); os.mkfifo(sys.argv[1]); print('works')"
    path = tmp_path / "t.vbt"
    done = vbt.run(["/usr/bin/python3", "-c", code, path], traced=tmp_path, env={"VBTRACE_OUTPUT": str(path)})
    assert (done.returncode, done.stdout) == (0, "works\n")
    assert path.is_fifo() and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("there", [True, False])
def test_output_that_is_a_link(there, tmp_path):
    """It stays a link: the trace is written to its target."""
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "target.vbt"
    if there:
        target.write_text("an earlier one")
        os.utime(target, (1, 1))
    (tmp_path / "second.vbt").symlink_to(target)
    first = tmp_path / "first.vbt"
    first.symlink_to("second.vbt")
    done = vbt.run(WORKS, traced=tmp_path, env={"VBTRACE_OUTPUT": str(first)})
    assert (done.returncode, done.stderr) == (0, "")
    assert first.is_symlink() and (tmp_path / "second.vbt").is_symlink() and vbt.Report(target).json["complete"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["first.vbt", "folder", "second.vbt", "target.vbt"]


def many_lines(count):
    return f"kept = []\nfor i in range({count}):\n    exec(compile('kept.append(float(i))', f'file{{i}}.py', 'exec'))\nprint(len(kept))"


@pytest.mark.parametrize("limit", [1, 4096, 100_000])
def test_limit_of_file_size(limit, tmp_path):
    """The program does not get SIGXFSZ; the part of the trace that was written can be read."""
    done = vbt.run(
        ["/usr/bin/python3", "-c", many_lines(20_000)],
        traced=tmp_path,
        env={"VBTRACE_QUIET": "0"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert (done.returncode, done.stdout) == (0, "20000\n"), done.stderr
    assert done.stderr.startswith("vbtrace: ")
    for path in tmp_path.iterdir():
        assert path.stat().st_size <= limit
        read = vbt.vbtrace("report", path)
        assert read.returncode in (0, 2), read.stderr


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount: {mounted.stderr.strip()}")
    yield pathlib.Path(folder)
    subprocess.run(["umount", folder], check=True)


def test_full_disk(small_disk):
    done = vbt.run(["/usr/bin/python3", "-c", many_lines(20_000)], traced=small_disk, env={"VBTRACE_QUIET": "0"})
    assert (done.returncode, done.stdout) == (0, "20000\n"), done.stderr
    assert "vbtrace: " in done.stderr
    for path in small_disk.iterdir():
        assert vbt.vbtrace("report", path).returncode in (0, 2)


def test_working_directory_that_is_gone(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    command = "cd %s && rmdir %s && exec /bin/echo works" % (folder, folder)
    done = vbt.run(["sh", "-c", command], traced=tmp_path)
    assert (done.returncode, done.stdout) == (0, "works\n")
