"""vbtrace run: starts the program as it would start by itself, says why it cannot trace one, and
leaves its trace readable."""

import os
import pathlib
import pty
import re
import shutil
import signal
import stat
import struct
import subprocess
import time

import pytest

import vbt

PYTHON = "/usr/bin/python3"


def run(*arguments, directory, **options):
    """vbtrace run in a folder; its traces, including those in subfolders, oldest first."""
    done = vbt.vbtrace("run", *arguments, directory=directory, **options)
    return vbt.Run(done, sorted(pathlib.Path(directory).rglob("*.vbt"), key=lambda path: path.stat().st_mtime_ns))


def refused(*arguments, directory, **options):
    """Check for the one line that says why nothing was run; nothing may be left behind."""
    before = set(pathlib.Path(directory).iterdir())
    done = vbt.vbtrace("run", *arguments, directory=directory, **options)
    assert (done.returncode, done.stdout) == (2, ""), (done.returncode, done.stdout, done.stderr)
    assert done.stderr.startswith("vbtrace: run: ") and done.stderr.count("\n") == 1, done.stderr
    assert set(pathlib.Path(directory).iterdir()) == before
    return done.stderr


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


def ends():
    return vbt.compiled("ends.c", "-O0", "-fno-builtin")


@pytest.mark.parametrize("way, status", [("return", 3), ("_exit", 3), ("abort", -signal.SIGABRT), ("kill", -signal.SIGKILL), ("segv", -signal.SIGSEGV)])
def test_ends_as_the_program_ends(way, status, tmp_path):
    killed = way in ("kill", "segv")
    steps = [lambda reports: any(report.heap["allocs"] >= 1000 for report in reports)] if killed else []
    ran = vbt.in_steps(lambda stdin: run(ends(), way, directory=tmp_path, stdin=stdin), tmp_path, *steps)
    assert ran.done.returncode == status
    assert ran.paths[0].parent == tmp_path and len(list(tmp_path.iterdir())) == 1  # the session's folder is removed
    assert ran.paths[0].name.startswith("vbtrace.ends-O0") and ran.report.json["complete"]
    assert not killed or ran.report.json["end_reason"] == f"signal {-status}"
    assert ran.report.heap["allocs"] >= 1000


def test_nothing_of_ours_on_standard_output(tmp_path):
    """The summary goes to standard error; --quiet omits it, and so does the variable."""
    ran = run("-o", "a.vbt", PYTHON, "-c", "print('hello')", directory=tmp_path)
    assert (ran.done.returncode, ran.stdout) == (0, "hello\n")
    assert "vbtrace: next: vbtrace report a.vbt\n" in ran.done.stderr and "Peak heap" in ran.done.stderr
    assert "\r" not in ran.done.stderr and "\033" not in ran.done.stderr  # no bar, no colour
    for quiet in ({"env": {"VBTRACE_QUIET": "1"}}, {}):
        ran = run(*(["--quiet"] * (not quiet)), "-o", "a.vbt", PYTHON, "-c", "print('hello')", directory=tmp_path, **quiet)
        assert (ran.done.returncode, ran.stdout, ran.done.stderr) == (0, "hello\n", "")


def test_names_are_in_the_trace(tmp_path):
    """So that it reads the same when the program is gone; an option turns that off."""
    for options, known in (([], True), (["--no-symbolize"], False)):
        program = shutil.copy(ends(), tmp_path / "program")
        ran = run("--quiet", "-o", "a.vbt", *options, program, "return", directory=tmp_path)
        os.unlink(program)
        assert (ran.report.blocks_at(vbt.program("ends.c"), "N here") == (1000, 0, 1000, 10_000)) == known


def test_options_reach_the_library(tmp_path):
    options = ["--tick", "7", "--follow=all", "--output", "%e-%%.vbt"]
    ran = run(*options, "--", PYTHON, "-c", "pass", directory=tmp_path, env={"VBTRACE_NATIVE": "leaf"})
    assert [path.name for path in ran.paths] == [f"{os.path.basename(os.path.realpath(PYTHON))}-%.vbt"]
    program = ran.report.json["program"]
    assert {"VBTRACE_TICK=7", "VBTRACE_FOLLOW=all", "VBTRACE_NATIVE=leaf"} <= set(program["options"])
    assert program["tick_ns"] == 7_000_000


def test_options_of_the_program_are_its_own(tmp_path):
    ran = run("--quiet", PYTHON, "-c", "import sys; print(sys.argv)", "--tick", "-o", "--", "x", directory=tmp_path)
    assert ran.stdout == "['-c', '--tick', '-o', '--', 'x']\n"


@pytest.mark.parametrize(
    "arguments, says",
    [
        ([], "run: expected a program"),
        (["--tick", "0", "true"], "run: --tick 0: expected whole milliseconds from 1 to 3600000"),
        (["--tick"], "run: --tick: expected a value"),
        (["--nonsense", "true"], "run: unknown option --nonsense"),
        (["-x", "true"], "run: unknown option -x"),
        (["no-such-program-anywhere"], "run: no-such-program-anywhere: no such program in PATH"),
        (["./nowhere"], "run: ./nowhere: No such file or directory"),
        (["/"], "run: /: expected a program, found a directory"),
        (["./data"], "run: ./data: expected a program, found a file that is not executable"),
        (["-o", "no/such/folder/", "true"], "run: no/such/folder/: cannot make this folder for the traces"),
    ],
)
def test_refuses_bad_usage(arguments, says, tmp_path):
    (tmp_path / "data").write_text("x")
    assert says in refused(*arguments, directory=tmp_path)


@pytest.mark.parametrize(
    "options, variables, says",
    [
        ([], {"VBTRACE_TICK": "never"}, "VBTRACE_TICK=never: expected whole"),
        ([], {"VBTRACE_OUTPUT": "%x"}, "VBTRACE_OUTPUT=%x: expected p, e"),
        (["--native", "only", "--lines"], {}, "VBTRACE_NATIVE=only: expected leaf or full when lines"),
        (["--objects"], {"VBTRACE_NATIVE": "only"}, "VBTRACE_NATIVE=only: expected leaf or full when lines"),
        (["--objects"], {"VBTRACE_LINES": "0"}, "VBTRACE_LINES=0: expected 1 or profile with VBTRACE_OBJECTS=1"),
        ([], {"VBTRACE_LINES": "0", "VBTRACE_FUNCTIONS": "main"}, "VBTRACE_LINES=0: expected 1 with VBTRACE_FUNCTIONS or VBTRACE_FILES, which choose the lines to count"),
        ([], {"VBTRACE_LINES": "0", "VBTRACE_FILES": "*.py"}, "VBTRACE_LINES=0: expected 1 with VBTRACE_FUNCTIONS or VBTRACE_FILES, which choose the lines to count"),
    ],
)
def test_refuses_what_the_library_would(options, variables, says, tmp_path):
    """Otherwise the program would run untraced."""
    assert f"run: {says}" in refused(*options, "true", directory=tmp_path, env=variables)


@pytest.mark.parametrize(
    "output, says",
    [
        ("/nowhere/x.vbt", "there is no folder /nowhere"),
        ("no/x.vbt", "there is no folder no"),
        ("no/%p.vbt", "there is no folder no"),
        ("100%%/x.vbt", "there is no folder 100%"),
        ("data/x.vbt", "a trace cannot be written there: Not a directory"),
        ("/proc/x.vbt", "a trace cannot be written there: No such file or directory"),
        ("/proc/", "a trace cannot be written there: No such file or directory"),
        ("pipe", "is a pipe: expected a file"),
        ("to-pipe", "is a pipe: expected a file"),
        ("circle", "is a symbolic link in a circle: expected a file"),
        ("/dev/stdout", "expected a file"),
        ("nowhere", "there is no folder no"),
    ],
)
@pytest.mark.parametrize("by_option", [True, False])
def test_refuses_where_no_trace_can_be_written(output, says, by_option, tmp_path):
    (tmp_path / "data").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to-pipe").symlink_to("pipe")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "nowhere").symlink_to("no/x.vbt")
    if by_option:
        assert f": {says}" in refused("--quiet", "-o", output, "true", directory=tmp_path)
    else:
        assert f": {says}" in refused("true", directory=tmp_path, env={"VBTRACE_OUTPUT": output})
    assert (tmp_path / "pipe").is_fifo()


def test_refuses_devices_and_links_of_others(tmp_path):
    device, foreign = tmp_path / "null", tmp_path / "foreign"
    foreign.symlink_to("nothing")
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        os.lchown(foreign, 1, 1)
    except PermissionError:
        pytest.skip("needs root")
    assert f"run: {device}: is a device: expected a file" in refused("-o", device, "true", directory=tmp_path)
    assert f"run: {foreign}: is a symbolic link of another user: expected a file" in refused("-o", foreign, "true", directory=tmp_path)
    assert device.is_char_device() and foreign.is_symlink()


def test_long_command_lines(tmp_path):
    """All arguments are in the trace if they fit; else the report says that the last do not."""
    long = "a" * 100_000
    for count in (9, 10):
        done = vbt.vbtrace("run", "--quiet", "-o", tmp_path / "t.vbt", "/bin/true", *[long] * count)
        assert (done.returncode, done.stderr) == (0, "")
        report = vbt.Report(tmp_path / "t.vbt").json
        notes = [note for note in report["notes"] if note == "The command line is too long for the trace: its last arguments are left out."]
        assert report["program"]["args"] == ["/bin/true", *[long] * 9] and len(notes) == count - 9


def test_output_that_is_a_link(tmp_path):
    """Each process's trace is beside the link's target, and is found."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.vbt").symlink_to("folder/all.vbt")
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'], check=True)"
    ran = run("-o", "link.vbt", PYTHON, "-c", code, directory=tmp_path)
    assert (tmp_path / "link.vbt").is_symlink() and len(list((tmp_path / "folder").glob("all*.vbt"))) == 2
    assert "vbtrace: 2 processes left traces" in ran.done.stderr


def test_a_choice_of_the_command_line_counts(tmp_path):
    """Not in the environment that it replaces."""
    ran = run("--quiet", "--lines", "-o", "t.vbt", PYTHON, "-c", "pass", directory=tmp_path, env={"VBTRACE_LINES": "0", "VBTRACE_FUNCTIONS": "main"})
    assert (ran.done.returncode, ran.done.stderr, len(ran.paths)) == (0, "", 1)


def test_refuses_what_cannot_be_traced(tmp_path):
    program = bytearray(ends().read_bytes())
    foreign, foreign_loader = tmp_path / "foreign", tmp_path / "musl"
    struct.pack_into("<H", program, 18, 40)  # the machine of a 32-bit ARM
    foreign.write_bytes(program)
    struct.pack_into("<H", program, 18, struct.unpack_from("<H", ends().read_bytes(), 18)[0])
    at = program.index(b"/lib64/ld-linux") if b"/lib64/ld-linux" in program else program.index(b"/lib/ld-linux")
    program[at : at + 13] = b"/lib/ld-musl-"
    foreign_loader.write_bytes(program)
    for path in (foreign, foreign_loader):
        path.chmod(0o755)
    static = vbt.compiled("ends.c", "-O0", "-static")
    assert "is built for 32-bit ARM, this vbtrace for" in refused(foreign, directory=tmp_path)
    assert "uses the C library musl" in refused(foreign_loader, directory=tmp_path)
    assert f"{static}: is statically linked" in refused(static, directory=tmp_path)
    for flag, name in (("address", "AddressSanitizer"), ("thread", "ThreadSanitizer"), ("leak", "LeakSanitizer")):
        for more in ([], [f"-static-lib{flag[0]}san"]):
            sanitized = vbt.compiled("ends.c", "-O0", f"-fsanitize={flag}", *more)
            assert f"{sanitized}: is built with {name}" in refused(sanitized, directory=tmp_path)
    damaged = script(tmp_path / "damaged", "\x7fELF and no more")
    assert f"{damaged}: expected a program, found a damaged one" in refused(damaged, directory=tmp_path)


def test_follows_scripts_to_what_runs_them(tmp_path):
    """A chain of "#!" is refused because of its last interpreter; one that ends well runs."""
    static = vbt.compiled("ends.c", "-O0", "-static")
    first = script(tmp_path / "first", f"#!{static} return\n")
    second = script(tmp_path / "second", f"#! {first}\n")
    assert f"{static}: is statically linked" in refused(second, directory=tmp_path)
    circle = script(tmp_path / "circle", f"#!{tmp_path / 'circle'}\n")
    assert 'circle: its "#!" lines form a circle' in refused(circle, directory=tmp_path)
    lost = script(tmp_path / "lost", "#!/no/such/interpreter\n")
    assert "lost: its interpreter /no/such/interpreter is not a program" in refused(lost, directory=tmp_path)
    link = tmp_path / "unchained"
    link.symlink_to(static)
    script(tmp_path / "found", "#!/usr/bin/env -S A=B unchained return\n")
    path = {"env": {"PATH": f"{tmp_path}:{os.environ['PATH']}"}}
    assert f"{link}: is statically linked" in refused("found", directory=tmp_path, **path)
    plain = script(tmp_path / "plain", "exec /usr/bin/env python3 -c 'print(1)'\n")  # no "#!": execvp gives it to sh, and so do we
    good = script(tmp_path / "good", f"#!{PYTHON} -S\nprint(2)\n")
    for program, says in ((good, "2\n"), (plain, "1\n")):
        folder = tmp_path / f"out-{program.name}"
        ran = run("--quiet", "-o", f"{folder}/", program, directory=tmp_path, env={"PATH": "/usr/bin:/bin"})
        assert (ran.done.returncode, ran.stdout, ran.done.stderr) == (0, says, "")
        assert [path.name.startswith("vbtrace.python3") for path in folder.iterdir()] == [True]


def loader_of(program):
    """The path of the dynamic loader that a program asks for."""
    headers = vbt.run(["readelf", "-lW", program], check=True).stdout
    return re.search(r"program interpreter: (.+)\]", headers)[1]


@pytest.mark.skipif(bool(vbt.EMULATOR), reason="the kernel, not an emulator, must start the loader")
@pytest.mark.parametrize("how", ["run", "run with options", "by a shell"])
def test_programs_that_are_started_by_naming_the_loader(how, tmp_path):
    """Bundles and sandboxes do that: the trace is the program's, not the loader's."""
    program = vbt.compiled("names.c", "-O0")
    loader = loader_of(program)
    if how == "by a shell":
        trace = vbt.trace(["/bin/sh", "-c", f"{loader} {program}; true"], silent=False)
    else:
        options = ["--argv0", "other", "--library-path", tmp_path] if how == "run with options" else []
        trace = run("--quiet", loader, *options, program, directory=tmp_path)
        assert (trace.done.returncode, trace.done.stderr) == (0, "")
    report = trace.report
    assert report.json["program"]["exe"] == str(program) and "names-O0." in report.path.name
    assert report.json["stacks"]["truncated"] == 0
    expected = vbt.trace([program], silent=False).report
    rows = [{(row["file"], row["line"]): row["allocs"] for row in each.json["lines"] if row["user"]} for each in (report, expected)]
    assert rows[0] == rows[1] and len(rows[0]) > 3


@pytest.mark.skipif(bool(vbt.EMULATOR), reason="the kernel, not an emulator, must start the loader")
def test_what_the_loader_is_to_run_is_checked(tmp_path):
    loader = loader_of(PYTHON)
    static = vbt.compiled("ends.c", "-O0", "-static")
    assert f"{static}: is statically linked" in refused(loader, "--argv0", "name", static, directory=tmp_path)
    ran = run("--quiet", loader, PYTHON, "-c", "print(3)", directory=tmp_path)
    assert (ran.done.returncode, ran.stdout, ran.done.stderr) == (0, "3\n", "")
    assert ran.report.json["program"]["python"] and any(row["file"] == "<string>" for row in ran.report.json["lines"])


def test_sees_through_shims(tmp_path):
    """A shim like pyenv's: its target is checked and traced; the shells and helpers leave nothing
    behind."""
    tool = script(
        tmp_path / "pyend",
        f"""#!/bin/bash
name=$2
file=$(grep "^$name " "${{0%/*}}/table" | cut -d' ' -f2 | sed 's/x*$//')
case $1 in
which) echo "$file" ;;
exec) shift 2; exec "$file" "$@" ;;
esac
""",
    )
    static = vbt.compiled("ends.c", "-O0", "-static")
    (tmp_path / "table").write_text(f"good {PYTHON}x\nbad {static}\n")
    shims = tmp_path / "shims"
    shims.mkdir()
    for name in ("good", "bad"):
        script(shims / name, f'#!/usr/bin/env bash\nset -e\nprogram="${{0##*/}}"\nexec "{tool}" exec "$program" "$@"\n')
    path = {"env": {"PATH": f"{shims}:{os.environ['PATH']}"}}
    assert f"{static}: is statically linked" in refused("bad", directory=tmp_path, **path)
    ran = run("--quiet", "good", "-c", "print('through'); raise SystemExit(4)", directory=tmp_path, **path)
    assert (ran.done.returncode, ran.stdout, ran.done.stderr) == (4, "through\n", "")
    assert ran.report.json["program"]["exe"] == os.path.realpath(PYTHON) and ran.paths[0].parent == tmp_path


def test_several_processes_are_a_folder(tmp_path):
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'], check=True)"
    ran = run(PYTHON, "-c", code, directory=tmp_path)
    assert len(ran.paths) == 2 and len({path.parent for path in ran.paths}) == 1
    folder = ran.paths[0].parent
    assert folder.parent == tmp_path and folder.name.startswith("vbtrace.python3.")
    assert "vbtrace: 2 processes left traces" in ran.done.stderr
    rows = ran.done.stderr[ran.done.stderr.index("Trace\n") :].splitlines()[1:3]
    assert all(re.search(rf" {re.escape(os.path.basename(PYTHON))} -c ", row) for row in rows), rows  # without their folders
    outer = next(report for report in ran.reports if code in report.json["program"]["args"])
    assert f"vbtrace: next: vbtrace report {outer.path.relative_to(tmp_path.resolve())}\n" in ran.done.stderr.replace(f"{tmp_path.resolve()}/", "")


def test_several_processes_share_one_name(tmp_path):
    """Each has its own trace beside the first, and the summary shows that of the program."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'], check=True)"
    (tmp_path / "other.vbt").write_text("an older file that matches no name")
    ran = run("-o", "all.vbt", PYTHON, "-c", code, directory=tmp_path)
    names = sorted(path.name for path in ran.paths if path.name != "other.vbt")
    assert len(names) == 2 and "all.vbt" in names
    assert "vbtrace: 2 processes left traces" in ran.done.stderr


def test_processes_that_go_on_are_reported(tmp_path):
    """A process outlives the program: its trace will be in the folder, so the folder stays."""
    code = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(100)"
    started = time.monotonic()
    with open(tmp_path / "said", "w+") as said:
        run(PYTHON, "-c", code, directory=tmp_path, stdout=said, stderr=said)
        said.seek(0)
        says = said.read()
    folder = next(path for path in tmp_path.iterdir() if path.is_dir())
    found = [entry for entry in os.listdir("/proc") if entry.isdigit() and is_of(entry, folder)]
    for pid in found:
        os.kill(int(pid), signal.SIGKILL)
    assert len(found) == 1 and "vbtrace: 1 process is still running and writes to " in says, (found, says)
    assert time.monotonic() - started < 50  # it was not waited for


def is_of(pid, folder):
    try:
        environment = pathlib.Path("/proc", pid, "environ").read_bytes()
    except OSError:
        return False
    helper = pathlib.Path("/proc", pid, "comm").read_text().startswith("vbtrace-")
    return f"VBTRACE_OUTPUT={folder.resolve()}/".encode() in environment and not helper


WAITS = """
import signal, sys, time
kept = [bytearray(1000) for i in range(100)]
try:
    print("ready", flush=True)
    time.sleep(100)
except KeyboardInterrupt:
    print("stopped", flush=True)
    raise
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_passes_signals_on(number, tmp_path):
    """A signal sent to vbtrace is passed on to the program."""
    process = subprocess.Popen([vbt.ANALYZER, "run", "--quiet", PYTHON, "-c", WAITS], cwd=tmp_path, env=vbt.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    rest = process.communicate(timeout=vbt.TIMEOUT)[0]
    assert (rest, process.returncode) == ("stopped\n" if number == signal.SIGINT else "", -number)
    report = vbt.Report(next(tmp_path.glob("*.vbt")))
    assert report.json["complete"] and report.python["allocs"] >= 100


def test_ctrl_c_on_a_terminal(tmp_path):
    """It reaches both; the program gets it once and ends, and the trace is there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(vbt.ANALYZER, ["vbtrace", "run", PYTHON, "-c", WAITS], vbt.environment(TERM="xterm"))
    shown = b""
    while b"ready" not in shown:
        shown += os.read(terminal, 4096)
    os.write(terminal, b"\x03")
    try:
        while data := os.read(terminal, 4096):
            shown += data
    except OSError:  # the other end is closed
        pass
    status = os.waitpid(pid, 0)[1]
    os.close(terminal)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT, (status, shown)
    assert shown.count(b"stopped") == 1 and b"Peak heap" in shown and b"vbtrace: next:" in shown
    report = vbt.Report(next(tmp_path.glob("*.vbt")))
    assert report.json["complete"] and report.json["end_reason"] == "signal" and report.python["allocs"] >= 100


def test_signals_stay_ignored(tmp_path):
    """As nohup leaves them."""
    code = "import signal; print(signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGTERM))"
    done = vbt.run(["/usr/bin/nohup", vbt.ANALYZER, "run", "--quiet", PYTHON, "-c", code], directory=tmp_path)
    assert done.stdout == "1 0\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_stay_closed(closed, tmp_path):
    """The program's next descriptor is the same as untraced."""
    output = tmp_path / "output"
    code = "import os, sys; first = os.open(sys.argv[1], os.O_RDWR); os.write(first, f'{first} {sys.stdin and 0} {sys.stdout and 1} {sys.stderr and 2}'.encode())"
    alone = [PYTHON, "-c", code, output]
    says = []
    for command in (alone, [vbt.ANALYZER, "run", "--quiet", "-o", "t.vbt", *alone]):
        output.write_text("")
        done = vbt.run(["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *command], directory=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        says.append(output.read_text())
    assert says[0] == says[1] and "None" in says[0] and vbt.Report(tmp_path / "t.vbt").json["complete"]


def test_library_is_beside_the_tool(tmp_path):
    lonely = tmp_path / "bin" / "vbtrace"
    lonely.parent.mkdir()
    shutil.copy(vbt.ANALYZER, lonely)
    done = vbt.run([lonely, "run", "true"], directory=tmp_path)
    assert done.returncode == 2 and "libvbtrace.so is missing: expected " in done.stderr
    for folder in ("preload", "lib"):
        library = tmp_path / folder / "libvbtrace.so"
        library.parent.mkdir()
        shutil.copy(vbt.LIBRARY, library)
        if folder == "preload":
            done = vbt.run([lonely, "run", "--quiet", "true"], directory=tmp_path)
            assert (done.returncode, done.stderr) == (0, "") and len(list(tmp_path.glob("*.vbt"))) == 1
        library.unlink()
    blank = tmp_path / "a b" / "bin"
    blank.mkdir(parents=True)
    shutil.copy(vbt.ANALYZER, blank / "vbtrace")
    (tmp_path / "a b" / "preload").mkdir()
    shutil.copy(vbt.LIBRARY, tmp_path / "a b" / "preload")
    done = vbt.run([blank / "vbtrace", "run", "true"], directory=tmp_path)
    assert done.returncode == 2 and "a path with a blank or colon cannot be preloaded" in done.stderr


def test_what_else_is_preloaded_stays(tmp_path):
    code = "import os; print(os.environ['LD_PRELOAD'])"
    ran = run("--quiet", PYTHON, "-c", code, directory=tmp_path, env={"LD_PRELOAD": "libm.so.6"})
    library, other = ran.stdout.split(":")
    assert library.endswith(str(vbt.LIBRARY)) and other == "libm.so.6\n"


def test_ranks_are_in_the_name(tmp_path):
    """In a run on several hosts, the pid alone does not distinguish the traces."""
    ran = run("--quiet", PYTHON, "-c", "pass", directory=tmp_path, env={"OMPI_COMM_WORLD_RANK": "3"})
    assert f".{os.uname().nodename}.3." in ran.paths[0].name


def test_help():
    done = vbt.vbtrace("run", "--help")
    assert (done.returncode, done.stderr) == (0, "") and "--tick MS" in done.stdout
    assert vbt.vbtrace("help", "run").stdout == done.stdout
