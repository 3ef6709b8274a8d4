"""Debian programs: heap allocations, frees and bytes equal the counts of Valgrind's memcheck, for
every process of the run.

Both runs have the same input and an environment of the same names and size, since programs copy it.
Remaining differences are in the program's row, with cause and exact size.
"""

import contextlib
import ctypes
import dataclasses
import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading

import pytest

import inputs
import trace_reader
import vbt

VALGRIND = ["valgrind", "--run-libc-freeres=no", "--run-cxx-freeres=no", "--undef-value-errors=no", "--leak-check=no"]
VALGRIND += ["--trace-children=yes", "--child-silent-after-fork=yes"]
COMMAND = re.compile(r"^==\d+== Command: (\S+)", re.MULTILINE)
HEAP_USAGE = re.compile(r"total heap usage: ([\d,]+) allocs, ([\d,]+) frees, ([\d,]+) bytes allocated")
ADDR_NO_RANDOMIZE = 0x0040000  # personality(2)
PADDING = 300  # colons, to make Valgrind's LD_PRELOAD as long as ours

pytestmark = pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")


@dataclasses.dataclass(frozen=True)
class Program:
    """A command, run in a folder with all of inputs.py. {http} in it stands for a server's address,
    {redis} for another's socket. It is run at the same addresses each time if what it asks for
    depends on them."""

    command: list
    name: str = ""
    env: dict = dataclasses.field(default_factory=dict)
    same_addresses: bool = False

    def __str__(self):
        return self.name or self.command[0]


PROGRAMS = [
    Program(["ls", "-lR", "--color=always", "."]),
    Program(["sort", "-r", "--parallel=1", "-S", "1M", "words"]),
    Program(["uniq", "-c", "sorted"]),
    Program(["du", "-a", "."]),
    Program(["join", "sorted", "sorted"]),
    Program(["find", ".", "-name", "*.c", "-o", "-newer", "words"]),
    Program(["grep", "-nE", "(foo|[0-9]7+)x?", "words"]),
    Program(["sed", "-E", r"s/([0-9]+)(.)/\2\1/g;1!G;h;$!d", "sorted"]),
    Program(["diff", "-u", "lines", "sorted"]),
    Program(["file", "program.c", "words", "archive.json", "/bin/ls"]),
    Program(["gzip", "-c", "words"]),
    Program(["bzip2", "-c", "lines"]),
    Program(["tar", "--zstd", "-cf", "archive.tar.zst", "words", "program.c"], "tar with zstd"),
    Program(["tar", "-cJf", "archive.tar.xz", "lines", "program.c"], "tar with xz"),
    Program(["gcc", "-c", "program.c"]),
    Program(["g++", "-c", "program.cpp"]),
    Program(["objdump", "-d", "/usr/bin/env"]),
    # Its plugins need some libraries that libunwind also needs: once that is loaded, the linker has
    # less to do.
    Program(["nm", "-D", "/usr/bin/env"], env={"VBTRACE_NATIVE": "leaf"}),
    Program(["make", "-s"]),
    Program(["bison", "-o", "grammar.c", "grammar.y"]),
    Program(["flex", "-o", "scanner.c", "scanner.l"]),
    Program(["m4", "script.m4"]),
    Program(["sqlite3", ":memory:", ".read statements.sql"]),
    Program(["perl", "script.pl"]),
    Program(["lua5.4", "script.lua"]),
    Program(["gawk", "-f", "script.awk", "words"]),
    Program(["mawk", "-f", "script.awk", "words"]),
    Program(["tclsh", "script.tcl"]),
    Program(["bc", "-lq", "numbers.bc"]),
    # Types are registered with their bases by address, as ints: in one run of eighty the heap lies
    # above 1 GiB, where each of them takes 4 bytes more.
    Program(["/usr/bin/python3", "-S", "script.py"], "python3", {"PYTHONMALLOC": "malloc"}, same_addresses=True),
    Program(["git", "-C", "repository", "log", "--stat", "-p"], "git log"),
    Program(["git", "-C", "repository", "status"], "git status"),
    Program(["openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-S", "0011223344556677", "-k", "secret", "-in", "words", "-out", "words.enc"]),
    Program(["jq", "-c", ".[] | select(.number > 50)", "archive.json"]),
    Program(["xmllint", "--format", "archive.xml"]),
    Program(["curl", "-s", "{http}/words"]),
    Program(["redis-cli", "-s", "{redis}", "lrange", "numbers", "0", "-1"]),
]


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    inputs.make(folder, with_git=shutil.which("git") is not None)
    return folder


def remove_others(folder, originals):
    """The files keep their inode numbers for the next run: programs have tables ordered by them."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if not (originals / path.relative_to(folder)).exists():
            path.unlink()


def environments(program, folder, traces):
    """The environments of the runs under vbtrace and under Valgrind, which adds to it before the
    program sees it."""
    shared = {"VBTRACE_OUTPUT": f"{traces}/%p.vbt", "VBTRACE_QUIET": "1", "VBTRACE_FOLLOW": "all", "HOME": str(folder)}
    shared.update(PERL_HASH_SEED="0", PERL_PERTURB_KEYS="0", GIT_OPTIONAL_LOCKS="0", **program.env)
    given = vbt.environment(**shared, LD_PRELOAD=":" * PADDING)
    seen = subprocess.run(["valgrind", "-q", "env", "-0"], capture_output=True, text=True, env=given, cwd=folder, check=True).stdout
    traced = dict(entry.split("=", 1) for entry in seen.split("\0") if entry)
    traced["LD_PRELOAD"] = str(vbt.LIBRARY).rjust(len(traced["LD_PRELOAD"]), "/")
    return traced, given


def keep_addresses():
    """In a child before its exec: the new program is placed where the kernel always places it."""
    if ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE) == -1:
        raise PermissionError


def check_of_the_interpreter(report):
    """vbtrace's requests when it checks an interpreter's layout: some strings, and the frame object
    of the running function, the largest, which this interpreter would otherwise allocate itself a
    little later."""
    rows = [row for row in report.json["lines"] if row["function"] == "[vbtrace]"]
    if not rows:
        return 0, 0, 0
    allocs, frees, size = (sum(row[name] for row in rows) for name in ("allocs", "frees", "allocated_bytes"))
    frame = max(counters["max_bytes"] for counters in report.trace.counters.values() if counters["allocated_bytes"] == size)
    return allocs - 1, frees - 1, size - frame


def thread_ids(report):
    """Python's thread id is the address of the thread's descriptor. An int of it takes 32 bytes,
    and under Valgrind, where addresses are smaller, 28."""
    importlib = pathlib.Path(os.__file__).parent / "importlib" / "_bootstrap.py"
    lines = [number for number, text in enumerate(importlib.read_text().splitlines(), 1) if "_thread.get_ident()" in text]
    ids = sum(report.line("<frozen importlib._bootstrap>", line)["allocs"] for line in lines)
    return 0, 0, 4 * ids


def empty_requests(report):
    """Python turns a request for 0 bytes into one for 1 byte."""
    trace = report.trace
    asked = [counters for node, counters in trace.counters.items() if trace_reader.DOMAINS[trace.nodes[node][2]] == "python"]
    return 0, 0, -sum(counters["sizes"].get(0, 0) for counters in asked)


def tables_of_threads(report):
    """The C library keeps 16 bytes in each thread's table for each library with thread-local
    variables: libvbtrace and libunwind."""
    libraries = 2 if report.json["program"]["native"] == "full" else 1
    return 0, 0, 16 * libraries * allocs_in(report, "allocate_dtv")


def search_paths(report):
    """The dynamic linker keeps a word for each processor-specific folder in each search path of a
    library. Valgrind's processor has fewer features, hence fewer such folders."""
    paths = allocs_in(report, "fillin_rpath")
    return 0, 0, 4 * paths * (folders_by_processor() - folders_by_processor("valgrind", "-q")) if paths else 0


def allocs_in(report, function):
    functions = json.loads(vbt.vbtrace("functions", "--format", "json", report.path).stdout)["functions"]
    return sum(row["cumulative_allocs"] for row in functions if row["function"] == function)


@functools.lru_cache(maxsize=None)
def folders_by_processor(*prefix):
    """The number of search paths that the dynamic linker has, in the last program that the command
    starts."""
    done = vbt.run([*prefix, "/bin/true"], env={"LD_DEBUG": "libs", "LD_LIBRARY_PATH": "/nowhere"})
    path = re.findall(r"search path=(\S+)", done.stderr)[-1]
    return sum(folder.startswith("/nowhere") for folder in path.split(":"))


# What a trace has beyond Valgrind's counts: (allocs, frees, bytes) of a report.
EXPLAINED = [check_of_the_interpreter, thread_ids, empty_requests, tables_of_threads, search_paths]

# dash starts programs with vfork: what the child does in the shell's memory until exec belongs to
# the shell. Valgrind turns vfork into fork, so it belongs to the child.
APART = ["dash"]

# The compilers have tables of 32 KiB whose number depends on addresses: with the same input and
# without vbtrace, their count varies from run to run by a few, and in one run of a hundred there is
# one more block of 2,064 bytes.
TABLES_BY_ADDRESS = {"cc1", "cc1plus"}
TABLE, RARE = 32768, 2064
FEW = 4


def same(ours, others):
    """Whether two lists of (program, allocs, frees, bytes) agree."""
    if [row[0] for row in ours] != [row[0] for row in others]:
        return False
    for (name, *own), (_, *other) in zip(ours, others):
        allocs, frees, size = (a - b for a, b in zip(own, other))
        tables = range(-FEW, FEW + 1) if name in TABLES_BY_ADDRESS else [0]
        rare = [-1, 0, 1] if name in TABLES_BY_ADDRESS else [0]
        if (allocs, frees, size) not in [(t + r, 0, t * TABLE + r * RARE) for t in tables for r in rare]:
            return False
    return True


def program_of(path):
    """The name of a program's file, with all links resolved."""
    return pathlib.Path(shutil.which(path) or path).resolve().name


def counts_by_valgrind(logs):
    """What Valgrind wrote at the end of each process: the program and its counts."""
    found = []
    for log in logs.iterdir():
        text = log.read_text(errors="replace")
        for usage in HEAP_USAGE.finditer(text):
            found.append((program_of(COMMAND.search(text)[1]), *(int(number.replace(",", "")) for number in usage.groups())))
    return sorted(found)


def counts_by_vbtrace(traces, program):
    """The same for each trace, without allocations caused by vbtrace."""
    found = []
    for path in traces.iterdir():
        report = vbt.Report(path)
        totals = report.totals
        assert totals["lost_events"] == 0 and totals["unknown_frees"] == {"heap": 0, "python": 0, "map": 0}
        if totals["inherited_blocks"]:
            continue  # a fork without exec: Valgrind is silent about those, by an option
        counts = [totals[name] for name in ("allocs", "frees", "allocated_bytes")]
        for explain in EXPLAINED:
            counts = [a - b for a, b in zip(counts, explain(report))]
        found.append((program_of(report.json["program"]["exe"]), *counts))
    return sorted(found)


@pytest.fixture
def places(program, originals, tmp_path):
    """The values of {http} and {redis} in this program's command, with the servers running if
    needed."""
    servers, found = contextlib.ExitStack(), {}
    with servers:
        if any("{http}" in part for part in program.command):
            handler = functools.partial(QuietHandler, directory=originals)
            server = servers.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            servers.callback(server.shutdown)
            found["http"] = f"http://127.0.0.1:{server.server_port}"
        if any("{redis}" in part for part in program.command):
            if shutil.which("redis-server") is None:
                pytest.skip("redis-server is not installed")
            found["redis"] = tmp_path / "redis"
            command = ["redis-server", "--port", "0", "--unixsocket", found["redis"], "--save", ""]
            server = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, cwd=tmp_path)
            servers.callback(server.wait)
            servers.callback(server.terminate)
            ask = ["redis-cli", "-s", str(found["redis"]), "rpush", "numbers", *map(str, range(1000))]
            while subprocess.run(ask, capture_output=True).stdout != b"1000\n":
                assert server.poll() is None
        yield found


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def run_once(command, env, folder, same_addresses):
    before_exec = keep_addresses if same_addresses else None
    try:
        return subprocess.run(
            command, env=env, cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, timeout=vbt.TIMEOUT, preexec_fn=before_exec
        )
    except subprocess.SubprocessError as error:
        if before_exec is None or isinstance(error, subprocess.TimeoutExpired):
            raise
        pytest.skip("this system lets no program choose fixed addresses (personality)")


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_counts(program, originals, places, tmp_path):
    path = shutil.which(program.command[0])
    if path is None:
        pytest.skip(f"{program.command[0]} is not installed")
    folder, traces, logs = tmp_path / "here", tmp_path / "traces", tmp_path / "logs"
    traces.mkdir()
    logs.mkdir()
    command = [path, *(part.format(**places) if "{http}" in part or "{redis}" in part else part for part in program.command[1:])]
    shutil.copytree(originals, folder)
    traced, checked = environments(program, folder, traces)
    ended = []
    for prefix, env in (([], traced), ([*VALGRIND, f"--log-file={logs}/%p"], checked)):
        remove_others(folder, originals)
        done = run_once([*prefix, *command], env, folder, program.same_addresses)
        ended.append((done.returncode, done.stdout, done.stderr))
    assert ended[0] == ended[1]
    ours, others = counts_by_vbtrace(traces, program), counts_by_valgrind(logs)
    ours, others = ([row for row in rows if row[0] not in APART] for rows in (ours, others))
    assert ours == others or same(ours, others)


@pytest.mark.parametrize("tool", ["memcheck", "callgrind"])
def test_traced_inside_valgrind(tool, tmp_path):
    """Valgrind does not support the helper; the program behaves as usual, and Python's own
    allocators are seen."""
    code = "kept = [float(i) for i in range(10000)]; print(len(kept))"
    command = ["valgrind", "-q", f"--tool={tool}", f"--log-file={tmp_path}/log", "/usr/bin/python3", "-c", code]
    run = vbt.trace([*command[:3], *(["--callgrind-out-file=/dev/null"] if tool == "callgrind" else []), *command[3:]])
    reports = [report for report in run.reports if report.json["program"]["exe"].startswith("/usr/bin/python3")]
    assert (run.stdout, len(reports), pathlib.Path(tmp_path, "log").read_text()) == ("10000\n", 1, "")
    assert reports[0].line("<string>", 1)["allocs"] >= 10000
    assert any("no timeline" in note for note in reports[0].json["notes"])
