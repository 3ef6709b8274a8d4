"""Output that cannot be written: a full disk, a closed descriptor, a reader that went away, memory
that runs out. One line and status 2, or silence for a reader that has seen enough."""

import os
import stat
import subprocess

import pytest

import vbt
from test_bad_input import READERS

FORMATS = {"flamegraph": ("svg", "collapsed"), "symbolize": ("text",), "export": vbt.EXPORTS}
EACH = [(command, form) for command in READERS for form in FORMATS.get(command, ("text", "json", "csv"))]
each = pytest.mark.parametrize("command, form", EACH)

FULL = "vbtrace: {}: cannot be written: No space left on device\n"
CLOSED = "vbtrace: standard output: cannot be written: Bad file descriptor\n"


@pytest.fixture(scope="module")
def trace():
    return vbt.trace([vbt.compiled("library_calls.c")]).paths[0]


@pytest.fixture
def copy(trace, tmp_path):
    """A trace that symbolize may replace."""
    path = tmp_path / "copy.vbt"
    path.write_bytes(trace.read_bytes())
    return path


def command_line(command, form, *rest):
    return [vbt.ANALYZER, command, *(["--format", form] if command != "symbolize" else []), *rest]


@each
def test_full_disk(command, form, trace, copy):
    with open("/dev/full", "w") as full:
        done = vbt.run(command_line(command, form, copy), stdout=full)
    assert (done.returncode, vbt.besides_losses(form, done.stderr)) == (2, FULL.format("standard output"))
    done = vbt.run(command_line(command, form, "-o", "/dev/full", trace))
    assert (done.returncode, vbt.besides_losses(form, done.stderr)) == (2, FULL.format("/dev/full"))
    assert not os.path.isfile("/dev/full")


@each
def test_closed_standard_output(command, form, copy):
    done = vbt.run(["/bin/sh", "-c", 'exec "$@" >&-', "sh", *command_line(command, form, copy)])
    assert (done.returncode, vbt.besides_losses(form, done.stderr)) == (2, CLOSED)


@pytest.mark.parametrize("arguments", [["help"], ["--version"], ["report", "--help"]])
def test_help_that_cannot_be_written(arguments):
    with open("/dev/full", "w") as full:
        done = vbt.vbtrace(*arguments, stdout=full)
    assert (done.returncode, done.stderr) == (2, FULL.format("standard output"))
    done = vbt.run(["/bin/sh", "-c", 'exec "$@" >&-', "sh", vbt.ANALYZER, *arguments])
    assert (done.returncode, done.stderr) == (2, CLOSED)


@pytest.mark.parametrize("command", READERS)
def test_everything_closed(command, copy, tmp_path):
    """No message ends up in a file that was opened with the descriptor of standard error."""
    before = copy.read_bytes()
    done = vbt.run(["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", vbt.ANALYZER, command, copy])
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")
    assert list(tmp_path.iterdir()) == [copy]
    if command != "symbolize":
        assert copy.read_bytes() == before
    assert vbt.Report(copy).totals["allocs"] > 0


@each
def test_reader_that_went_away(command, form, copy):
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as pipe:
        done = vbt.run(command_line(command, form, copy), stdout=pipe)
    assert (done.returncode, vbt.besides_losses(form, done.stderr)) == (0, "")


def test_symbolize_into_what_is_no_file(trace, tmp_path):
    """A device or a pipe is written to, not replaced by a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        done = vbt.vbtrace("symbolize", "-o", pipe, trace)
        written = reader.stdout.read()
    assert (done.returncode, done.stderr) == (0, "")
    assert pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]
    (tmp_path / "written.vbt").write_bytes(written)
    assert vbt.Report(tmp_path / "written.vbt").json["totals"] == vbt.Report(trace).json["totals"]


@pytest.mark.parametrize("there", [True, False])
def test_symbolize_into_a_link(there, trace, tmp_path):
    """It stays a link, and leads to the trace, even if it was dangling before."""
    target, link = tmp_path / "target.vbt", tmp_path / "link.vbt"
    link.symlink_to(target.name)
    if there:
        target.write_text("an earlier one")
    assert vbt.vbtrace("symbolize", "-o", link, trace).returncode == 0
    assert link.is_symlink() and target.is_file() and sorted(tmp_path.iterdir()) == [link, target]
    assert vbt.Report(target).json["totals"] == vbt.Report(trace).json["totals"]


@each
def test_into_a_device(command, form, trace, tmp_path):
    """It is written to, and stays a link."""
    device = tmp_path / "null"
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        os.close(os.open(device, os.O_WRONLY))
    except PermissionError:
        pytest.skip("no device can be made, or used, here")
    (tmp_path / "link").symlink_to(device)
    for path in (device, tmp_path / "link", "/dev/stdout"):
        done = vbt.run(command_line(command, form, "-o", path, trace), text=False)
        assert (done.returncode, vbt.besides_losses(form, done.stderr)) == (0, b"")
        if command == "symbolize":
            assert f"{path}: the functions of".encode() in done.stdout and (path == "/dev/stdout") == (b"VBTC" in done.stdout)
        else:
            assert (path == "/dev/stdout") == (done.stdout != b"")
    assert device.is_char_device() and len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("command", READERS)
def test_memory_that_is_not_there(command, copy):
    """Whichever allocation is the first to fail: the report is unchanged, or there is one line."""
    assert vbt.vbtrace("symbolize", copy).returncode == 0  # a failing debug library looks like unknown names
    failing = vbt.compiled("failing_malloc.c", "-shared", "-fPIC")
    arguments = [vbt.ANALYZER, command, *(["--format", "collapsed"] if command == "export" else []), copy]

    def run(number):
        return vbt.run(arguments, preload=[failing], env={"FAIL_FROM": str(number), "COLUMNS": "100"})

    count = vbt.run(["/bin/sh", "-c", 'exec "$@" 3>&1 >/dev/null', "sh", *arguments], preload=[failing], env={"FAIL_TELL": "3", "COLUMNS": "100"})
    count, whole = int(count.stdout), run(0)
    assert (whole.returncode, whole.stderr) == (0, "") and count > 50
    failed = 0
    for number in sorted({1, 2, 3, 5, *(count * step // 24 for step in range(1, 25))}):
        done = run(number)
        if done.returncode == 0:
            assert (done.stdout, done.stderr) == (whole.stdout, ""), number
        else:
            failed += 1
            assert done.returncode == 2, (number, done)
            assert done.stderr == "vbtrace: out of memory\n" or "Cannot allocate memory" in done.stderr and done.stderr.count("\n") == 1, (number, done)
    assert failed > 20


@each
def test_a_dash_is_standard_output(command, form, copy, tmp_path):
    """As in most tools; a file of that name is ./-."""
    done = vbt.run(command_line(command, form, "-o", "-", copy), directory=tmp_path, text=False)
    if command == "symbolize":
        assert (done.returncode, done.stdout) == (2, b"") and done.stderr.startswith(b"vbtrace: --output -: expected a file")
    else:
        assert (done.returncode, done.stderr == b"") == (0, form not in vbt.LOSSY_EXPORTS) and done.stdout == vbt.run(command_line(command, form, copy), text=False).stdout
    assert not (tmp_path / "-").exists()
