"""What the end-to-end tests share: running programs under vbtrace and reading its reports.

The build is the one in build/, or the one that VBTRACE_BUILD names. VBTRACE_PYTHONS=PATH:PATH names
further interpreters.
"""

import concurrent.futures
import dataclasses
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import trace_reader

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "tests" / "programs"
BUILD = pathlib.Path(os.environ.get("VBTRACE_BUILD", ROOT / "build")).resolve()
LIBRARY = BUILD / "preload" / "libvbtrace.so"
ANALYZER = pathlib.Path(os.environ.get("VBTRACE_ANALYZER", BUILD / "analyzer" / "vbtrace")).resolve()
# For another processor: the prefix of its compilers' names, and what runs the compiled programs.
# See scripts/test-aarch64.
CROSS = os.environ.get("VBTRACE_CROSS", "")
EMULATOR = os.environ.get("VBTRACE_EMULATOR", "").split()
MODULE_DIRECTORY = ROOT / "python"
HEADER_DIRECTORY = ROOT / "preload"

@functools.lru_cache(maxsize=None)
def program(name):
    """The path of a program in one of the folders of tests/programs."""
    (path,) = PROGRAMS.rglob(name)
    return path


# The formats of `vbtrace export`, in its order, and those that say what they lose (pprof: of traces
# with threads and sections).
EXPORTS = ("mprof", "collapsed", "pprof", "callgrind", "speedscope", "massif", "heaptrack", "dhat", "sqlite", "csv", "perfetto", "chrome")
LOSSY_EXPORTS = ("callgrind", "massif", "heaptrack", "dhat", "perfetto", "mprof", "chrome", "pprof")

TIMEOUT = 400  # seconds; only a hang takes that long, however busy the machine


@dataclasses.dataclass(frozen=True, order=True)
class Interpreter:
    version: tuple  # (3, 11, 2)
    path: str
    free_threaded: bool = False

    @property
    def v(self):
        """The version as programs compare it: (3, 11)."""
        return self.version[:2]

    @property
    def name(self):
        return ".".join(map(str, self.version)) + "t" * self.free_threaded

    def __str__(self):
        return f"CPython {self.name} {self.path}"


@functools.lru_cache(maxsize=None)
def known_versions():
    """The oldest and the newest CPython that the library supports, by its own list: (3, 8), (3,
    14)."""
    header = (ROOT / "preload" / "python" / "cpython.h").read_text()
    return tuple((3, int(re.search(rf"^#define VBT_PYTHON_{end} (\d+)$", header, re.MULTILINE)[1])) for end in ("FIRST", "LAST"))


@functools.lru_cache(maxsize=None)
def interpreters():
    """Debian's python3, pyenv's and those of VBTRACE_PYTHONS, if they are CPython of a supported
    version, oldest first."""
    asked_for = list(filter(None, os.environ.get("VBTRACE_PYTHONS", "").split(":")))
    usual = ["/usr/bin/python3", *map(str, pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python3"))]
    found = []
    first, last = known_versions()
    for path in dict.fromkeys(asked_for + usual):
        if not os.access(path, os.X_OK):
            assert path not in asked_for, f"VBTRACE_PYTHONS: {path} is not a program"
            continue
        ask = "import sys, sysconfig as c; print(c.get_config_var('Py_GIL_DISABLED') or 0, sys.implementation.name, *sys.version_info[:3])"
        free_threaded, name, *version = subprocess.run([path, "-c", ask], capture_output=True, text=True).stdout.split()
        version = tuple(map(int, version))
        if name == "cpython" and first <= version[:2] <= last:
            found.append(Interpreter(version, path, free_threaded == "1"))
    return sorted(found)


# Variables that change what programs do, or how wide they print.
STEERING = re.compile("(VBTRACE|PYTHON|LD_|MALLOC_|DEBUGINFOD_).*|COLUMNS|LINES|POSIXLY_CORRECT|.*_(proxy|PROXY)")


def environment(**changes):
    """The tests' environment without variables that would change a traced program's behaviour."""
    kept = {name: value for name, value in os.environ.items() if not STEERING.fullmatch(name)}
    kept.update(PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0", LC_ALL="C.UTF-8")
    kept.update(changes)
    return kept


def run(arguments, traced=None, directory=None, preload=(), python_paths=(), text=True, **options):
    """Run a program; with traced=DIRECTORY under vbtrace, with its traces in there. `env` adds to
    its environment."""
    env = environment(**options.pop("env", {}))
    if traced is not None:
        assert LIBRARY.exists(), f"{LIBRARY} is missing: build first, or name the build in VBTRACE_BUILD"
        env["LD_PRELOAD"] = " ".join(map(str, [LIBRARY, *preload]))
        env.setdefault("VBTRACE_OUTPUT", str(pathlib.Path(traced) / "%e.%p.vbt"))
        env.setdefault("VBTRACE_QUIET", "1")
    elif preload:
        env["LD_PRELOAD"] = " ".join(map(str, preload))
    if python_paths:
        env["PYTHONPATH"] = ":".join(map(str, python_paths))
    options.setdefault("timeout", TIMEOUT)
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run(list(map(str, arguments)), env=env, cwd=directory, text=text, **options)
    if traced is not None:
        wait_for_helpers()
    return done


def wait_for_helpers():
    """Waits until each helper whose program was killed has written the trace, and is gone."""
    deadline = time.monotonic() + TIMEOUT
    while finishing_helpers():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def finishing_helpers():
    """The process ids of programs that have ended and whose helpers have not: a helper's name has
    its program's id."""
    names = {}
    for directory in pathlib.Path("/proc").glob("[0-9]*"):  # not */stat: looking whether there is one may fail
        try:
            pid, name, state = re.match(r"(\d+) \((.*)\) (\S)", (directory / "stat").read_text(), re.DOTALL).groups()
        except OSError:
            continue  # it has just ended
        if state not in "ZX":
            names[pid] = name
    programs = [name[len("vbtrace-") :] for name in names.values() if re.fullmatch(r"vbtrace-\d+", name)]
    return [pid for pid in programs if pid not in names]


def besides_losses(form, stderr):
    """Standard error of an export, without the lines on what the format cannot say."""
    mark = f": {form}: " if isinstance(stderr, str) else f": {form}: ".encode()
    return stderr[:0].join(line for line in stderr.splitlines(keepends=True) if mark not in line)


def vbtrace(*arguments, **options):
    """Run the analyzer."""
    return run([ANALYZER, *arguments], **options)


SUMMED = trace_reader.SUMMED


def line_of(program, end):
    """The number of the first line of a program that ends with a text."""
    return next(number for number, line in enumerate(program.read_text().splitlines(), 1) if line.endswith(end))


class Report:
    """The output of `vbtrace report --format json` for a trace, with sums by line."""

    def __init__(self, path, done=None):
        self.path = path
        done = done or vbtrace("report", "--format", "json", path)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        self.json = json.loads(done.stdout)
        self.totals = self.json["totals"]
        self.heap, self.python = self.totals["domains"]["heap"], self.totals["domains"]["python"]
        self._by_line = {}

    @classmethod
    def of_live(cls, path):
        """The report of a trace that is being written: reading may find an incomplete chunk, so try
        again."""
        for _ in range(100):
            done = vbtrace("report", "--format", "json", path)
            if not re.search("damaged at byte .*: the file ends inside a chunk", done.stderr):
                break
            time.sleep(0.01)
        return cls(path, done)

    def by_line(self, rows="lines"):
        """The counts of each (file, line), over all functions."""
        if rows not in self._by_line:
            self._by_line[rows] = self._summed(self.json[rows])
        return self._by_line[rows]

    @staticmethod
    def _summed(rows):
        sums = {}
        for row in rows:
            total = sums.setdefault((row["file"], row["line"]), dict.fromkeys(SUMMED, 0))
            for name in SUMMED:
                total[name] += row[name]
        return sums

    def line(self, file, line, rows="lines"):
        """The counts of a line, over all functions. Of code without a file only the program's own:
        packages that are installed may exec code before the program starts."""
        found = self.by_line(rows)
        if file == "<string>":
            found = self._summed([row for row in self.json[rows] if row["file"] == file and row["line"] == line and row["user"]])
        return found.get((str(file), line)) or dict.fromkeys(SUMMED, 0)

    def blocks_at(self, program, comment):
        """(allocs, frees, live_blocks, live_bytes) of the line of a C program with a comment."""
        row = self.line(program, line_of(program, "// " + comment))
        return row["allocs"], row["frees"], row["live_blocks"], row["live_bytes"]

    def intervals(self, label=None, **lines):
        """The intervals with a label, or those from and to these lines: intervals(start=(file,
        line), end=(file, line))."""

        def matches(row):
            places = {"start": row["from"], "end": row["to"]}
            return (label is None or row["label"] == label) and all(
                (places[which]["file"], places[which]["line"]) == (str(file), line) for which, (file, line) in lines.items()
            )

        return [row for row in self.json["intervals"] if matches(row)]

    @functools.cached_property
    def trace(self):
        """The trace, as read by the tests' own reader."""
        return trace_reader.Trace(self.path)


@dataclasses.dataclass
class Run:
    """A program that ran under vbtrace, and its traces, oldest first."""

    done: subprocess.CompletedProcess
    paths: list

    @property
    def stdout(self):
        return self.done.stdout

    @functools.cached_property
    def reports(self):
        return [Report(path) for path in self.paths]

    @property
    def report(self):
        assert len(self.paths) == 1, (self.paths, self.done.stderr)
        return self.reports[0]

    @functools.cached_property
    def printed(self):
        """The JSON object that the program printed."""
        return json.loads(self.done.stdout)


def trace(arguments, directory=None, status=0, silent=True, **options):
    """Run a program under vbtrace and expect it to end with this status and, if silent, with
    nothing on stderr."""
    directory = pathlib.Path(directory or tempfile.mkdtemp(dir=_scratch()))
    done = run(arguments, traced=directory, directory=directory, **options)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    if silent:
        assert not done.stderr, done.stderr
    return Run(done, sorted(directory.glob("*.vbt"), key=lambda path: path.stat().st_mtime_ns))


def in_steps(start, directory, *steps):
    """Returns start(stdin), which runs a program that waits for lines on its standard input. Each
    line is sent when step(reports) is true for the reports of the directory's traces so far,
    however long that takes."""
    deadline = time.monotonic() + TIMEOUT / 2
    theirs, ours = os.pipe()
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool, open(ours, "w", buffering=1) as lines:
            running = pool.submit(start, theirs)
            for step in steps:
                while not running.done() and not step([Report.of_live(path) for path in pathlib.Path(directory).rglob("*.vbt")]):
                    assert time.monotonic() < deadline, "the traces never held what the next step needs"
                    time.sleep(0.02)
                lines.write("\n")
    finally:
        os.close(theirs)
    return running.result()


def trace_in_steps(arguments, *steps, **options):
    directory = tempfile.mkdtemp(dir=_scratch())
    return in_steps(lambda stdin: trace(arguments, directory, stdin=stdin, **options), directory, *steps)


@functools.lru_cache(maxsize=None)
def _scratch():
    """A folder for this run of the tests, removed at its end."""
    folder = tempfile.TemporaryDirectory(prefix="vbtrace-tests.")
    _scratch.folder = folder
    return folder.name


@functools.lru_cache(maxsize=None)
def traced_python(name, python, *arguments, **options):
    """The run of a Python program of tests/programs; cached, so each runs once per interpreter.
    options: VBTRACE_NATIVE="full" ..."""
    return trace([python.path, program(name), *arguments], python_paths=[MODULE_DIRECTORY], env=options)


# Expected counts in a program: "#= allocs N; frees 3; bytes 24 * N" or "//= ..." at the end of a
# line, "#= none" for no request.
_MARK = re.compile(r"(?:#|//)= (.+?)(?: -- .*)?$")
_WORDS = {"allocs": "allocs", "frees": "frees", "bytes": "allocated_bytes", "freed": "freed_bytes", "temporary": "temporary_allocs"}


def truths(program, **names):
    """{line: {count: expected}} of a program's marks; their expressions may use names."""
    found = {}
    for number, text in enumerate(pathlib.Path(program).read_text().splitlines(), 1):
        mark = _MARK.search(text)
        if mark is None or text.lstrip().startswith(("#", "//", "*")):
            continue
        expected = {"allocs": 0, "frees": 0}
        if mark[1] != "none":
            for part in mark[1].split("; "):
                word, _, expression = part.partition(" ")
                expected[_WORDS[word]] = int(eval(expression, dict(names)))
        expected["live_blocks"] = expected["allocs"] - expected["frees"]
        found[number] = expected
    assert found, f"{program} says nothing of its lines"
    return found


def wrong_lines(found, program, expected):
    """The lines whose counts, in `found` by (file, line), differ from the expected ones, as text;
    empty if none does."""
    source = pathlib.Path(program).read_text().splitlines()
    wrong = []
    for number, counts in expected.items():
        row = found.get((str(program), number)) or dict.fromkeys(SUMMED, 0)
        differences = [f"{name} {row[name]} instead of {want}" for name, want in counts.items() if row[name] != want]
        if differences:
            wrong.append(f"{number}: {source[number - 1].strip()}\n        " + ", ".join(differences))
    return "\n".join(wrong)


# Debian's allocators besides the C library's.
ALLOCATORS = ["libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2"]


def needs_library(name):
    """Skips the test if the loader does not find the library."""
    import pytest

    known = shutil.which("ldconfig", path="/sbin:/usr/sbin") and run(["/sbin/ldconfig", "-p"]).stdout
    if name not in (known or ""):
        pytest.skip(f"{name} is not installed")


@functools.lru_cache(maxsize=None)
def compiled(source, *flags):
    """A program of tests/programs, compiled; skips the test without a compiler."""
    import pytest

    compiler = shutil.which(CROSS + ("g++" if source.endswith(".cpp") else "gcc" if CROSS else "cc"))
    if compiler is None:
        pytest.skip(f"needs a compiler for {source}")
    name = "-".join([pathlib.Path(source).stem, *(flag.strip("-").replace("/", "_") for flag in flags)])
    out = pathlib.Path(_scratch()) / name
    command = [compiler, "-g", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{HEADER_DIRECTORY}", f"-I{ROOT}", *flags, "-o", out, program(source)]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out
