"""The message of each subcommand that reads a trace for bad input: one line, word for word, exit
status 2, and nothing else.

For a truncated trace, all complete chunks are reported, with one line on where it ends.
"""

import os
import re
import struct

import pytest

import trace_reader
import vbt

READERS = "report lines functions tree peak leaks temporary flamegraph intervals timeline export list info symbolize".split()
# merge needs --output: test_merged_files.py; diff two sides, check limits: compare/; html: page/
COMMANDS = [*READERS[:8], "html", *READERS[8:-2], "merge", "diff", "check", *READERS[-2:]]
SEVERAL = set(READERS) - {"symbolize"}  # take several traces, and folders
STACKS = ("tree", "peak", "leaks", "temporary", "flamegraph")
MAGIC = b"\x93VBT\r\n\x1a\n"

each_reader = pytest.mark.parametrize("command", READERS)


@pytest.fixture(scope="module")
def trace_path():
    """The trace of a C program with sections."""
    return vbt.trace([vbt.compiled("clocks.c")]).paths[0]


@pytest.fixture(scope="module")
def trace(trace_path):
    return trace_reader.Trace(trace_path)


@pytest.fixture
def output(tmp_path):
    return tmp_path / "output"


def refused(message, *arguments):
    done = vbt.vbtrace(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"vbtrace: {message}\n")


def test_every_subcommand_is_known_here():
    listed = re.search(r"Commands:\n(.*?)\n\n", vbt.vbtrace("help").stdout, re.DOTALL)[1]
    assert [line.split()[0] for line in listed.splitlines()] == ["run", *COMMANDS, "help"]


def test_every_option_is_listed_for_programs():
    """vbtrace help --list has a line for every option, and the help of its command has it, too."""
    listed = [line.split(" ", 1) for line in vbt.vbtrace("help", "--list").stdout.splitlines()]
    assert list(dict.fromkeys(command for command, _ in listed)) == ["run", *COMMANDS]
    for command in ["run", *COMMANDS]:
        text = vbt.vbtrace("help", command).stdout
        shown = re.findall(r"^  -", text.split("\nOptions", 1)[1], re.MULTILINE)
        assert len(shown) == sum(of == command for of, _ in listed), command
        for of, option in listed:
            assert of != command or re.search(rf"^  (-\w, )?{re.escape(option)}(\s|$)", text, re.MULTILINE), (of, option)


@each_reader
def test_file_that_cannot_be_read(command, tmp_path):
    refused(f"{tmp_path}/none.vbt: cannot be opened: No such file or directory", command, tmp_path / "none.vbt")
    refused(f"{tmp_path}/none/x.vbt: cannot be opened: No such file or directory", command, tmp_path / "none" / "x.vbt")
    if command in SEVERAL:
        refused(f"{tmp_path}: is a folder without a trace; expected files named *.vbt in it", command, tmp_path)
    else:
        refused(f"{tmp_path}: is a directory; expected a trace (NAME.PID.vbt)", command, tmp_path)
    refused("\ufffd[31m.vbt: cannot be opened: No such file or directory", command, "\x1b[31m.vbt")


NO_TRACES = {
    "empty": (b"", "is empty; expected a trace"),
    "short": (MAGIC, "not a vbtrace trace (8 bytes, shorter than a trace's header of 16)"),
    "program": (b"\x7fELF" + bytes(100), "not a vbtrace trace (the first 8 bytes differ)"),
    "text": (b"VBTC" * 100, "not a vbtrace trace (the first 8 bytes differ)"),
    "newline converted": (MAGIC.replace(b"\r\n", b"\n") + bytes(100), "not a vbtrace trace (the first 8 bytes differ)"),
    "version 0": (MAGIC + b"\0\1\x08" + bytes(5), "not a vbtrace trace (version 0 of the format does not exist)"),
    "newer": (MAGIC + b"\2\1\x08" + bytes(5), "made by a newer vbtrace than this one"),
    "byte order": (MAGIC + b"\1\3\x08" + bytes(5), "byte order or pointer size that no supported machine has"),
    "pointers": (MAGIC + b"\1\1\x04" + bytes(5), "byte order or pointer size that no supported machine has"),
    "header alone": (MAGIC + b"\1\1\x08" + bytes(5), "has no chunk that can be used"),
    "no chunk": (MAGIC + b"\1\1\x08" + bytes(50), "byte 16: no chunk starts here; nothing comes before it"),
    "huge chunk": (
        MAGIC + b"\1\1\x08" + bytes(5) + struct.pack("<4sB3xIIQQ", b"VBTC", 1, 2**32 - 1, 10, 0, 0),
        "byte 16: a chunk larger than any that is written; nothing comes before it",
    ),
    "second chunk": (
        MAGIC + b"\1\1\x08" + bytes(5) + struct.pack("<4sB3xIIQQ", b"VBTC", 1, 10, 10, 1, 0),
        "byte 16: expected chunk 0, found chunk 1; nothing comes before it",
    ),
}


@each_reader
def test_what_is_no_trace(command, tmp_path):
    for name, (content, message) in NO_TRACES.items():
        path = tmp_path / name
        path.write_bytes(content)
        refused(f"{path}: {message}", command, path)
        assert path.read_bytes() == content


@each_reader
def test_truncated_at_every_chunk(command, trace, tmp_path, output):
    """Cut after a chunk, the trace is just incomplete; inside one, the line says where. Either way
    everything before is reported."""
    data, ends = trace.data, [*trace.offsets[1:], len(trace.data)]
    assert len(ends) > 8
    path = tmp_path / "cut.vbt"
    kept = "kept" if command == "symbolize" else "reported"
    for start, end in zip(trace.offsets, ends):
        header = data[start : start + 32]
        stored = struct.unpack_from("<I", header, 8)[0]
        in_header = f"the file ends inside a chunk's header, after 5 of 32 bytes"
        in_chunk = f"the file ends inside a chunk, after {stored - 1} of {stored} bytes"
        for cut, at, what in ((start + 5, start + 5, in_header), (end - 1, end - 1, in_chunk)):
            path.write_bytes(data[:cut])
            if start == trace.offsets[0]:
                refused(f"{path}: byte {at}: {what}; nothing comes before it", command, "-o", output, path)
                continue
            kept = "kept" if command == "symbolize" else "reported"
            done = vbt.vbtrace(command, "-o", output, path)
            status = 2 if command in ("info", "symbolize") else 0  # they could not do all that they were asked for
            assert (done.returncode, vbt.besides_losses("mprof", done.stderr)) == (status, f"vbtrace: warning: {path}: damaged at byte {at}: {what}; everything before it is {kept}\n")
            assert output.stat().st_size > 0
        if end < len(data):
            path.write_bytes(data[:end])
            done = vbt.vbtrace(command, "-o", output, path)
            said = f"vbtrace: warning: {path}: cut off at {end} bytes, or still being written; everything before that is {kept}\n"
            if command in ("symbolize", "flamegraph", "export"):
                assert (done.returncode, vbt.besides_losses("mprof", done.stderr)) == (0, said)
            else:  # the text says so itself
                assert (done.returncode, done.stderr) == (0, "") and "cut off" in output.read_text()


@each_reader
def test_command_lines_that_make_no_sense(command):
    refused(f"{command}: expected a trace file, as in: vbtrace {command} NAME.PID.vbt", command)
    if command not in SEVERAL:
        refused(f"{command}: expected one trace file, found also b.vbt", command, "a.vbt", "b.vbt")
    refused(f"{command}: unknown option --nope; see vbtrace {command} --help", command, "--nope", "x.vbt")
    refused(f"{command}: unknown option -x; see vbtrace {command} --help", command, "-x", "x.vbt")
    refused(f"{command}: option --output needs a value", command, "x.vbt", "--output")
    refused(f"{command}: option -o needs a value", command, "x.vbt", "-o")


def test_unknown_command():
    refused("expected a command, as in: vbtrace report TRACE; see vbtrace help")
    refused("raport: no such command; see vbtrace help", "raport")
    refused("unknown option --nope; see vbtrace help", "--nope")
    refused("raport: no such command; see vbtrace help", "help", "raport")
    refused("help: expected one command, found also lines", "help", "report", "lines")
    refused("--version: expected nothing after it, found 1", "--version", "1")


LINE_KEYS = "bytes, allocs, frees, freed, net, peak, temporary, rss, grown or file"
FUNCTION_KEYS = "bytes, allocs, peak, leaks, temporary, grown, cum-bytes, cum-allocs, cum-peak, cum-leaks, cum-temporary, cum-grown or file"
BAD_VALUES = [
    ("report lines functions tree peak leaks temporary intervals timeline list info", "--format", "xml", "expected text, json or csv"),
    ("flamegraph", "--format", "json", "expected svg or collapsed"),
    ("export", "--format", "json", "expected " + "one of " * (len(vbt.EXPORTS) > 3) + ", ".join(vbt.EXPORTS[:-1]) + f" or {vbt.EXPORTS[-1]}"),
    ("report lines", "--sort", "size", f"expected one of {LINE_KEYS}"),
    ("functions", "--sort", "size", f"expected one of {FUNCTION_KEYS}"),
    ("intervals", "--sort", "size", "expected one of order, time, count, allocs, bytes or high"),
    ("list", "--sort", "size", "expected one of allocs, bytes, peak, start or time"),
    ("report lines functions tree peak leaks temporary intervals list", "--limit", "-1", "expected a number of rows, 0 for all"),
    ("report lines functions tree peak leaks temporary intervals list", "--limit", "1e3", "expected a number of rows, 0 for all"),
    ("report lines functions tree peak leaks temporary intervals list", "--limit", "18446744073709551616", "expected a number of rows, 0 for all"),
    ("peak leaks temporary", "--depth", "deep", "expected a number of frames, 0 for all"),
    ("report lines functions tree peak leaks temporary flamegraph intervals timeline export info", "--process", "0", "expected a process id"),
    ("report lines", "--by", "moon", "expected user or leaf"),
    ("functions", "--by", "domain", "expected one of module, thread, process, program, rank or host"),
    ("tree peak leaks temporary flamegraph export", "--by", "moon", "expected one of module, thread, domain, process, program, rank or host"),
    ("report intervals", "--per", "0", "expected a number of iterations, 1 or more"),
    ("report intervals", "--per", "", "expected a number of iterations, 1 or more"),
    ("tree flamegraph export", "--measure", "size", "expected one of bytes, allocs, peak, leaks, temporary or grown"),
    ("tree flamegraph", "--min", "101%", "expected a share such as 0.5%, or a size such as 64KiB"),
    ("tree flamegraph", "--min", "1 KiB", "expected a share such as 0.5%, or a size such as 64KiB"),
    ("tree flamegraph", "--min", "nan", "expected a share such as 0.5%, or a size such as 64KiB"),
    ("tree peak leaks temporary flamegraph export", "--frames", "file", "expected line or function"),
    (
        "report lines functions tree peak leaks temporary flamegraph intervals export",
        "--filter",
        "func=x",
        "expected function=, file=, module=, domain=, process=, program=, rank= or host= before a regular expression, or a text without =",
    ),
    (
        "report lines functions tree peak leaks temporary flamegraph intervals export",
        "--filter",
        "function=(",
        "not a regular expression: Unmatched ( or \\(",
    ),
]


@pytest.mark.parametrize("commands, option, value, expected", BAD_VALUES)
def test_values_that_make_no_sense(commands, option, value, expected):
    for command in commands.split():
        refused(f"{option} {value}: {expected}", command, option, value, "x.vbt")
        refused(f"{option} {value}: {expected}", command, f"{option}={value}", "x.vbt")


TAKEN = {option: set(commands.split()) for commands, option, *_ in BAD_VALUES}
TAKEN["--format"] = set(READERS) - {"symbolize"}
TAKEN["--sort"] = {"report", "lines", "functions", "intervals", "list"}
TAKEN["--suppress"] = {"leaks"}
TAKEN["--user"] = {"report", "lines", "functions", "leaks"}
TAKEN["--by"] = {"report", "lines", "functions", *STACKS, "export"}


@each_reader
def test_options_of_others(command):
    """An option of one subcommand is not silently ignored by another."""
    for option, takers in TAKEN.items():
        if command not in takers:
            refused(f"{command} does not take {option}; see vbtrace {command} --help", command, option, "1", "x.vbt")
    for option, takers in {"--sites": {"intervals"}, "--reverse": {"tree", "flamegraph", "export"}, "--ungroup": {"leaks"}}.items():
        if command not in takers:
            refused(f"{command} does not take {option}; see vbtrace {command} --help", command, option, "x.vbt")


def test_too_many_filters():
    refused("--filter x: expected at most 16 filters", "report", *["--filter", "x"] * 17, "x.vbt")


@each_reader
def test_output_onto_what_is_read(command, trace_path, tmp_path):
    """By any name of it. symbolize alone replaces a trace, since that is what it is for."""
    path, link, other = tmp_path / "t.vbt", tmp_path / "link", tmp_path / "other.vbt"
    data = trace_path.read_bytes()
    path.write_bytes(data)
    other.write_bytes(data)
    link.symlink_to(path)
    if command == "symbolize":
        assert vbt.vbtrace(command, "-o", link, path).returncode == 0
        return
    for name in (path, link, f"{tmp_path}/./t.vbt"):
        refused(f"{name}: is the trace itself; choose another name for --output", command, "-o", name, path)
    refused(f"{other}: is a trace; choose another name for --output, or remove it", command, "-o", other, path)
    assert path.read_bytes() == data and other.read_bytes() == data
    for text in (b"", data[:7], b"an older report"):
        other.write_bytes(text)
        assert vbt.vbtrace(command, "-o", other, path).returncode == 0


def test_output_onto_the_patterns(trace_path, tmp_path):
    known = tmp_path / "known"
    known.write_text("leak:main\n")
    refused(f"{known}: is what --suppress reads; choose another name for --output", "leaks", "--suppress", known, "-o", known, trace_path)
    assert known.read_text() == "leak:main\n"


def test_options_that_would_have_no_effect():
    for command, *options, said in (
        ("lines", "--like", "line_profiler", "--format", "csv", "--like has no effect with --format csv"),
        ("lines", "--like", "memory_profiler", "--sort", "bytes", "--like has no effect with --sort"),
        ("lines", "--like", "memory_profiler", "--by", "leaf", "--like has no effect with --by leaf"),
        ("lines", "--like", "memory_profiler", "--limit", "3", "--limit has no effect with --like"),
        ("lines", "--own", "--format", "json", "--own has no effect with --format json, which has both"),
        ("lines", "--own", "--by", "leaf", "--own has no effect with --by leaf"),
        ("lines", "--own", "--like", "line_profiler", "--own has no effect with --like"),
        ("intervals", "--sites", "--format", "json", "--sites has no effect with --format json, which has them"),
        ("intervals", "--sites", "--format", "csv", "--sites has no effect with --format csv"),
        ("report", "--per", "3", "--format", "csv", "--per has no effect with --format csv"),
        ("report", "--by", "leaf", "--format", "json", "--by has no effect with --format json, which has both"),
        ("lines", "--user", "lib*", "--like", "line_profiler", "--user has no effect with --like"),
        ("lines", "--user", "lib*", "--own", "--user has no effect with --own"),
        ("report", "--user", "lib*", "--by", "leaf", "--user has no effect with --by leaf"),
        ("lines", "--user", "lib*", "--by", "leaf", "--format", "csv", "--user has no effect with --by leaf"),
        ("functions", "--user", "lib*", "--by", "thread", "--user has no effect with --by thread"),
        ("functions", "--user", "lib*", "--by", "module", "--user has no effect with --by module"),
        ("leaks", "--user", "lib*", "--ungroup", "--user has no effect with --ungroup"),
    ):
        refused(f"{command}: {said}", command, *options, "x.vbt")


@pytest.mark.parametrize(
    "expression, expected",
    [
        ("(((((a{1,100}){1,100}){1,100}){1,100}){1,100})", "a regular expression whose repetitions are at most 10000 characters when written out"),
        ("(a*)\\1", "a regular expression without references to earlier matches (\\1)"),
    ],
)
def test_expressions_that_take_too_much(trace_path, expression, expected):
    refused(f"--filter function={expression}: expected {expected}", "report", "--filter", f"function={expression}", trace_path)


def test_suppressions_without_end(trace_path, tmp_path):
    """A device gives one line for ever, a pipe lines for ever; and each pattern is compared with
    each place."""
    limits = "expected a file of at most 16777216 bytes, with lines of at most 65534"
    refused(f"/dev/zero: line 1: {limits}", "leaks", "--suppress", "/dev/zero", trace_path)
    lines = tmp_path / "lines"
    lines.write_text("# none\n" * (16 * 1024 * 1024 // 7 + 1))
    refused(f"{lines}: line 2396746: {limits}", "leaks", "--suppress", lines, trace_path)
    lines.write_text("leak:a\n" * 10001)
    refused(f"{lines}: line 10001: expected at most 10000 patterns", "leaks", "--suppress", lines, trace_path)


def test_symbolize_reads_a_trace_twice(tmp_path):
    """So it cannot come from a pipe, even one that nobody writes to."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for source in (pipe, "/dev/null"):
        refused(f"{source}: expected a regular file, which can be read twice; copy it to one first", "symbolize", "-o", tmp_path / "s.vbt", source)
    assert not (tmp_path / "s.vbt").exists()
