"""Names of native code: functions, files, lines and inlined frames, from every source of them; and
traces that carry them."""

import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import threading

import pytest

import vbt

VIEWS = [
    "report", "report --format json", "lines", "lines --by leaf", "functions", "functions --format csv", "tree", "tree --min 0", "tree --format json",
    "peak", "leaks --ungroup", "temporary", "flamegraph", "flamegraph --format collapsed", "intervals", "timeline",
]  # fmt: skip


def marks(source):
    """The lines of a program that are marked with //@ NAME."""
    found = {}
    for number, text in enumerate(pathlib.Path(source).read_text().splitlines(), 1):
        for name in re.findall(r"//@ (.+)$", text):
            found[name] = number
    return found


def build(folder, source, *flags, name=None):
    """A copy of a program of tests/programs and the compiled program, both in the folder."""
    compiler = shutil.which({".c": "cc", ".cpp": "g++", ".rs": "rustc"}[pathlib.Path(source).suffix])
    if compiler is None:
        pytest.skip(f"needs a compiler for {source}")
    copy = shutil.copy(vbt.program(source), folder / source)
    program = folder / (name or pathlib.Path(source).stem)
    vbt.run([compiler, "-g", *flags, "-o", program, copy], check=True)
    return program


def traced(folder, program):
    """The program's trace, in the folder."""
    return vbt.trace([program], directory=folder).paths[0]


def view(*arguments, prefix=(), **env):
    done = vbt.run([*prefix, vbt.ANALYZER, *arguments], env=env)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def stacks(trace, size, **options):
    """The call stacks that requested this many bytes at once: [[(function, file name, line, kind),
    ... innermost]]."""
    calls = {row["id"]: row for row in json.loads(view("tree", "--format", "json", trace, **options))["calls"]}

    def path(row):
        frames = []
        while row is not None:
            frames.append((row["function"], pathlib.Path(row["file"] or "").name, row["line"], row["kind"]))
            row = calls.get(row["parent"])
        return frames[::-1]

    return [path(row) for row in calls.values() if row["allocs"] and row["allocated_bytes"] == size * row["allocs"]]


def stack(trace, size, **options):
    (found,) = stacks(trace, size, **options)
    return found


def notes(trace, **options):
    return json.loads(view("report", "--format", "json", trace, **options))["notes"]


LEVELS = ["-O0", "-O2"]


@pytest.fixture(scope="module", params=LEVELS)
def names(request, tmp_path_factory):
    """The trace of names.c, and its marked lines."""
    program = build(tmp_path_factory.mktemp("names"), "names.c", request.param)
    return traced(program.parent, program), marks(vbt.program("names.c"))


def from_main(stack):
    """A stack without the frames that called main."""
    return stack[[frame[0] for frame in stack].index("main") :]


def test_calls(names):
    trace, at = names
    order = [("main", "main foo"), ("foo", "foo"), ("bar", "bar"), ("baz", "baz")]
    assert from_main(stack(trace, 1001)) == [(function, "names.c", at[mark], "native") for function, mark in order]


def test_inlined_functions(names):
    trace, at = names
    called = [("main", "names.c", at["main trio"], "native"), ("trio", "names.c", at["trio"], "native")]
    inlined = [(name, "names.c", at[name], "inlined") for name in ("outermost", "middle", "innermost")]
    assert from_main(stack(trace, 2002)) == called + inlined


def test_deep_recursion(names):
    trace, at = names
    frames = from_main(stack(trace, 3003))
    assert frames[0] == ("main", "names.c", at["main down"], "native")
    assert frames[1:-1] == [("down", "names.c", at["down"], "native")] * 2047
    assert frames[-1] == ("down", "names.c", at["bottom"], "native")
    assert stack(trace, 4004)[-2:] == [("main", "names.c", at["main hidden"], "native"), ("hidden", "names.c", at["hidden"], "native")]


def test_functions_of_a_program(names):
    rows = {row["function"]: row for row in json.loads(view("functions", "--format", "json", names[0]))["functions"]}
    assert [rows[name]["allocated_bytes"] for name in ("baz", "innermost", "down", "hidden")] == [1001, 2002, 3003, 4004]
    assert [rows[name]["cumulative_allocated_bytes"] for name in ("foo", "bar", "trio", "outermost", "down")] == [1001, 1001, 2002, 2002, 3003]
    assert rows["main"]["cumulative_allocated_bytes"] == 1001 + 2002 + 3003 + 4004 and rows["trio"]["allocated_bytes"] == 0


@pytest.mark.parametrize("level", LEVELS)
def test_templates(level, tmp_path):
    program, at = build(tmp_path, "maze.cpp", level), marks(vbt.program("maze.cpp"))
    trace = traced(tmp_path, program)
    main, *walks, inner = from_main(stack(trace, 5005))
    assert main == ("main", "maze.cpp", at["main walk"], "native")
    for level, walk in zip((3, 2, 1, 0), walks, strict=True):
        types = "std::map<int, " * (3 - level) + "char const*"
        assert walk[0].startswith(f"Maze<{level}, {types}") and "::walk(" in walk[0]
        assert walk[1:] == ("maze.cpp", at["walk" if level else "end"], "native")
    assert "{lambda(auto:1)#1}::operator()" in inner[0] and inner[1:3] == ("maze.cpp", at["lambda"])
    main, word, *_, new = from_main(stack(trace, 6007))  # and the terminating zero
    assert main == ("main", "maze.cpp", at["main word"], "native") and new[0] == "operator new(unsigned long)"
    assert word == ("outer::(anonymous namespace)::Word::operator+=(char const*)", "maze.cpp", at["reserve"], "native")


@pytest.mark.parametrize("mangling", ["default", "v0"])
def test_rust(mangling, tmp_path):
    flags = ["-O"] if mangling == "default" else ["-O", "-Csymbol-mangling-version=v0"]
    program, at = build(tmp_path, "names.rs", *flags), marks(vbt.program("names.rs"))
    trace = traced(tmp_path, program)
    grow = next(frame for frame in reversed(stack(trace, 7007)) if frame[1] == "names.rs")
    assert grow == ("<names::Square as names::Shape>::grow", "names.rs", at["grow"], "native")
    closure, generic = [frame for frame in reversed(stack(trace, 8008)) if frame[1] == "names.rs"][:2]
    assert re.fullmatch(r"names::generic.*::\{\{?closure(#0)?\}\}?", closure[0]) and closure[2:] == (at["closure"], "inlined")
    assert generic[0] in ("names::generic", "names::generic::<u64>") and generic[2] == at["generic"]
    main = [(frame[0], frame[2]) for size in (7007, 8008) for frame in stack(trace, size) if frame[0].endswith("names::main")]
    assert main == [("names::main", at["main grow"]), ("names::main", at["main generic"])]


def strip(program, *flags):
    if shutil.which("strip") is None or shutil.which("objcopy") is None:
        pytest.skip("needs binutils")
    vbt.run(["strip", *flags, program], check=True)


def test_stripped(tmp_path):
    """Exported functions keep their names; everything else is shown by its address in the file."""
    program = build(tmp_path, "names.c", "-O2", "-rdynamic")
    address = int(re.search(r"^(\w+) . hidden$", vbt.run(["nm", program]).stdout, re.M)[1], 16)
    strip(program)
    trace = traced(tmp_path, program)
    assert from_main(stack(trace, 1001)) == [(name, "names", 0, "native") for name in ("main", "foo", "bar", "baz")]
    assert stack(trace, 2002)[-1] == ("trio", "names", 0, "native")
    function = stack(trace, 4004)[-1][0]
    name, _, offset = function.partition("+0x")
    assert (name, int(offset, 16)) == ("names", address)
    (note,) = [note for note in notes(trace) if "have no name (shown as" in note]
    assert note.startswith("Some functions in names have no name ")


def split(program):
    """Moves the debug information of a program into a file of its own."""
    debug = program.with_suffix(".debug")
    strip(program, "--only-keep-debug", "-o", debug)
    strip(program)
    return debug


def build_id(program):
    done = vbt.run(["readelf", "-n", program])
    return re.search(r"Build ID: (\w+)", done.stdout)[1]


def check_full_names(trace, **options):
    at = marks(vbt.program("names.c"))
    assert from_main(stack(trace, 4004, **options))[1] == ("hidden", "names.c", at["hidden"], "native")
    assert [frame[0] for frame in stack(trace, 2002, **options)[-4:]] == ["trio", "outermost", "middle", "innermost"]


@pytest.mark.parametrize("folder", ["", ".debug"])
def test_debug_file_by_link(folder, tmp_path):
    program = build(tmp_path, "names.c", "-O2")
    debug = split(program)
    vbt.run(["objcopy", f"--add-gnu-debuglink={debug}", program], check=True)
    (tmp_path / folder).mkdir(exist_ok=True)
    debug.rename(tmp_path / folder / debug.name)
    trace = traced(tmp_path, program)
    check_full_names(trace)
    (tmp_path / folder / debug.name).write_bytes(b"another file")
    assert stack(trace, 4004)[-1][0].startswith("names+0x")


def test_debug_file_by_build_id(tmp_path):
    """In a file system namespace of the test's own, where it may write into /usr/lib/debug."""
    enter = ["unshare", "-rm", "sh", "-ec", 'mount -t tmpfs none /usr/lib/debug; mkdir -p "${2%/*}"; cp "$1" "$2"; shift 2; exec "$@"', "sh"]
    if shutil.which("unshare") is None or vbt.run([*enter, "/bin/true", "/usr/lib/debug/file", "true"]).returncode != 0:
        pytest.skip("needs unshare -rm and a folder /usr/lib/debug")
    program = build(tmp_path, "names.c", "-O2")
    debug, number = split(program), build_id(program)
    trace = traced(tmp_path, program)
    assert stack(trace, 4004)[-1][0].startswith("names+0x")
    prefix = [*enter, debug, f"/usr/lib/debug/.build-id/{number[:2]}/{number[2:]}.debug"]
    check_full_names(trace, prefix=prefix)
    program.unlink()  # the debug file has all that the program had
    check_full_names(trace, prefix=prefix)


@contextlib.contextmanager
def debuginfod(files):
    """A server of debug files: {path: bytes}; yields its address and the list of requested
    paths."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content = files.get(self.path)
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_debuginfod(tmp_path):
    if "libdebuginfod.so.1" not in vbt.run(["/sbin/ldconfig", "-p"]).stdout:
        pytest.skip("libdebuginfod1 is not installed")
    program = build(tmp_path, "names.c", "-O2")
    whole, number = program.read_bytes(), build_id(program)
    debug = split(program)
    trace = traced(tmp_path, program)
    files = {f"/buildid/{number}/debuginfo": debug.read_bytes(), f"/buildid/{number}/executable": whole}
    debug.unlink()
    with debuginfod(files) as (address, asked):
        env = {"DEBUGINFOD_URLS": address, "DEBUGINFOD_CACHE_PATH": str(tmp_path / "cache")}
        assert stack(trace, 4004)[-1][0].startswith("names+0x") and not asked
        check_full_names(trace, **env)
        assert f"/buildid/{number}/debuginfo" in asked
        program.unlink()
        check_full_names(trace, **{**env, "DEBUGINFOD_CACHE_PATH": str(tmp_path / "cache2")})
        assert not any("is gone" in note for note in notes(trace, **env))


@pytest.mark.parametrize("version", ["-gdwarf-4", "-gdwarf-5"])
def test_split_debug_information(version, tmp_path):
    """-gsplit-dwarf: functions and inlined calls are in .dwo files."""
    program = build(tmp_path, "names.c", "-O2", "-gsplit-dwarf", version)
    trace = traced(tmp_path, program)
    assert [name for name, *_ in stack(trace, 2002)][-4:] == ["trio", "outermost", "middle", "innermost"]
    assert not notes(trace)
    for split in tmp_path.glob("*.dwo"):
        split.unlink()
    (note,) = notes(trace)
    assert note == f"{program} has debug information in split files (.dwo), and not all were found: inlined functions and some names are missing."
    assert [name for name, *_ in stack(trace, 2002)][-1] == "trio"
    for status in 2, 0:  # the note stays with the names, once
        assert vbt.vbtrace("symbolize", trace).returncode == status
        assert notes(trace) == [note]


@pytest.mark.parametrize("version", ["-gdwarf-4", "-gdwarf-5"])
def test_split_files_that_are_pipes(version, tmp_path):
    """Nobody waits for the other end of a pipe."""
    program = build(tmp_path, "names.c", "-O2", "-gsplit-dwarf", version)
    trace = traced(tmp_path, program)
    for split in list(tmp_path.glob("*.dwo")):
        split.unlink()
        os.mkfifo(split)
    (note,) = notes(trace)
    assert note == f"{program} has debug information in split files (.dwo), and not all were found: inlined functions and some names are missing."
    assert [name for name, *_ in stack(trace, 2002)][-1] == "trio"


@pytest.mark.parametrize("place", ["names.debug", ".debug/names.debug"])
def test_a_separate_debug_file_that_is_a_pipe(place, tmp_path):
    program = build(tmp_path, "names.c", "-O2")
    link = tmp_path / "names.debug"
    assert vbt.run(["objcopy", "--only-keep-debug", program, link]).returncode == 0
    assert vbt.run(["objcopy", "--strip-all", f"--add-gnu-debuglink={link}", program]).returncode == 0
    trace = traced(tmp_path, program)
    assert stack(trace, 2002)[-1][0] == "innermost"
    link.unlink()
    (tmp_path / place).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / place)
    assert stack(trace, 2002)[-1][0].startswith(f"{program.name}+0x")


def test_debug_information_that_cannot_be_unpacked(tmp_path):
    program = build(tmp_path, "names.c", "-O2")
    if vbt.run(["objcopy", "--compress-debug-sections=zstd", program]).returncode != 0:
        pytest.skip("objcopy does not know zstd")
    trace = traced(tmp_path, program)
    line = stack(trace, 1001)[-1][2]
    if line == marks(vbt.program("names.c"))["baz"]:
        assert not notes(trace)  # an elfutils that can
        return
    assert line == 0
    (note,) = notes(trace)
    assert note == f"{program} has debug information that is compressed with zstd, which this elfutils cannot read: lines and inlined functions are missing."


@pytest.mark.parametrize("pages", ["0x1000", "0x200000"])
def test_files_that_are_not_the_ones_that_ran(tmp_path, pages):
    program = build(tmp_path, "names.c", "-O2", f"-Wl,-z,max-page-size={pages}")
    trace = traced(tmp_path, program)
    assert not any(str(program) in note for note in notes(trace))
    copy = program.read_bytes()
    program.unlink()
    (note,) = [note for note in notes(trace) if str(program) in note]
    assert note == f"{program} is gone: its functions are shown as addresses."
    assert stack(trace, 1001)[-1][0].startswith("names+0x")
    build(tmp_path, "maze.cpp", name="names")
    (note,) = [note for note in notes(trace) if str(program) in note]
    assert note == f"{program} is not the file that ran (another build id): its functions are shown as addresses."
    assert stack(trace, 1001)[-1][0].startswith("names+0x")
    program.unlink()
    program.write_bytes(copy)  # newer, but with the same content
    assert stack(trace, 1001)[-1][0] == "baz" and not any(str(program) in note for note in notes(trace))


def test_code_in_a_file_of_another_format(tmp_path):
    """A Lisp system's image has no build id and no names, but is the file that ran."""
    image = tmp_path / "lisp.core"
    program = vbt.compiled("own_image.c", "-O1", "-fno-builtin")
    assert vbt.run([program, image]).returncode == 0  # makes it
    trace = vbt.trace([program, image], directory=tmp_path).paths[0]
    about = [note for note in notes(trace) if image.name in note]
    assert [note.startswith("Some functions in lisp.core have no name") for note in about] == [True], about
    caller, callee = [frame[0] for frame in stack(trace, 1001)][-2:]
    assert caller.startswith("lisp.core+0x") and callee == "allocate"
    symbolize("-o", tmp_path / "with_names.vbt", trace)
    os.utime(image, (2**31, 2**31))
    assert f"{image} was changed after the trace began: its functions and lines may be wrong." in notes(trace)
    image.unlink()
    assert f"{image} is gone: its functions are shown as addresses." in notes(trace)


def all_views(trace):
    return {arguments: view(*arguments.split(), trace) for arguments in VIEWS}


def symbolize(*arguments):
    done = vbt.vbtrace("symbolize", *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def check_same(before, after):
    for arguments, text in before.items():
        assert after[arguments] == text, arguments


def test_a_symbolized_trace_reads_the_same_elsewhere(tmp_path):
    program = build(tmp_path, "names.c", "-O2")
    trace = traced(tmp_path, program)
    before = all_views(trace)
    assert "kept = malloc(size);" in before["report --format json"]
    assert re.fullmatch(rf"{trace}: the functions of \d+ native call sites, \d+ source lines\n", symbolize(trace))
    program.unlink()
    (tmp_path / "names.c").unlink()
    check_same(before, all_views(trace))
    again = trace.read_bytes()
    symbolize(trace)  # keeps the names that it can no longer find
    assert trace.read_bytes() == again and [path.name for path in tmp_path.iterdir()] == [trace.name]


def test_a_symbolized_trace_of_python(tmp_path):
    program = shutil.copy(vbt.program("call_tree.py"), tmp_path / "call_tree.py")
    trace = vbt.trace([vbt.interpreters()[0].path, program], directory=tmp_path, python_paths=[vbt.MODULE_DIRECTORY]).paths[0]
    before = all_views(trace)
    other = tmp_path / "other.vbt"
    symbolize(trace, "-o", other)
    check_same(before, all_views(trace))  # the trace itself is unchanged
    other.rename(trace)
    program.unlink()
    check_same(before, all_views(trace))


def test_what_was_missing_can_be_added_later(tmp_path):
    program = build(tmp_path, "names.c", "-O2")
    trace = traced(tmp_path, program)
    away = program.rename(tmp_path / "away")
    done = vbt.vbtrace("symbolize", trace)
    assert done.returncode == 2 and f"{program} is gone" in done.stderr
    assert done.stdout.startswith(f"{trace}: the functions of ")  # all else is done
    assert stack(trace, 4004)[-1][0].startswith("names+0x")
    away.rename(program)
    assert stack(trace, 4004)[-1][0].startswith("names+0x")  # the trace has the names itself
    symbolize(trace)
    check_full_names(trace)


def test_symbolize_leaves_a_trace_alone_when_it_cannot_write(tmp_path):
    program = build(tmp_path, "names.c", "-O2")
    trace = traced(tmp_path, program)
    content = trace.read_bytes()
    done = vbt.vbtrace("symbolize", trace, "-o", tmp_path / "missing" / "file")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "cannot be written" in done.stderr
    trace.with_suffix(".cut").write_bytes(content[:-10])
    done = vbt.vbtrace("symbolize", trace.with_suffix(".cut"))
    assert done.returncode == 2 and "everything" in done.stderr and done.stdout
    done = vbt.vbtrace("symbolize", program)
    assert done.returncode == 2 and "not a vbtrace trace" in done.stderr
    assert trace.read_bytes() == content
    link = tmp_path / "link.vbt"
    link.symlink_to(trace)
    symbolize(link)
    assert link.is_symlink() and trace.read_bytes() != content
    assert not list(tmp_path.glob("*.part"))


def test_each_library_is_read_once_for_all_traces(tmp_path):
    """After a run of several processes, however many."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    program, log = vbt.compiled("raw_ends.c", "-O1", "-fno-builtin"), tmp_path / "calls"
    script = "for i in 1 2 3 4 5; do $0 return 0; done; true"
    traced = [vbt.ANALYZER, "run", "--quiet", "-o", f"{tmp_path}/traces/", "/bin/sh", "-c", script, program]
    done = vbt.run(["strace", "-f", "-e", "trace=openat", "-o", log, *traced])
    if done.returncode != 0 and "ptrace" in done.stderr:
        pytest.skip(f"strace cannot trace here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    traces = sorted((tmp_path / "traces").iterdir())
    assert len(traces) == 5
    assert all(vbt.Report(trace).blocks_at(vbt.program("raw_ends.c"), "N before the end")[0] == 1000 for trace in traces)
    opened = re.findall(r'openat\(AT_FDCWD, "([^"]*)", [A-Z_|]*O_NONBLOCK', log.read_text())  # as the tool does it, and no loader
    assert opened.count(str(program)) == 1 and sum(path.endswith("/libc.so.6") for path in opened) <= 1
