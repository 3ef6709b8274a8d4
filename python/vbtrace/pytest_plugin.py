"""A plugin for pytest: `pytest --vbtrace` says what each test costs in memory, and fails those that
exceed the limits in their markers.

    @pytest.mark.limit_memory("24 MB")          # what is live in the test at once, above its start
    @pytest.mark.limit_leaks("1 MB")            # what any one call path leaves behind
    @pytest.mark.limit_allocs(100)              # allocations in the test
    @pytest.mark.limit_allocs(per_iteration=2, iterations=1000)
    @pytest.mark.limit_growth("1 KB", runs=10)  # what a further run of the test leaves behind

pytest starts itself again with the library preloaded, so that all is seen. Setup, call and teardown
of each test are sections of the trace, named after the test. Exact figures go into the reports'
user properties, and so into JUnit's XML.
"""

import functools
import inspect
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

import vbtrace

_UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B\s*", re.IGNORECASE)
_MARKERS = {
    "limit_memory": "limit_memory(size, current_thread_only=False): fail the test if so much memory is live in it at once",
    "limit_leaks": "limit_leaks(size, filter_fn=None, current_thread_only=False): fail the test if a call path leaves so much behind",
    "limit_allocs": "limit_allocs(most=None, per_iteration=None, iterations=1): fail the test if it allocates more often",
    "limit_growth": "limit_growth(size, runs=10): run the test more often, and fail it if a run leaves so much behind on average",
}
_SHOWN = 8  # call paths of a test that fails, and frames of each
_AGAIN = "_VBTRACE_PYTEST"  # set in the process that pytest started again


def parse_size(text):
    """Bytes of a size such as "24 MB", as pytest-memray has them: in powers of 1024."""
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("vbtrace: %r: expected a size such as '24 MB'" % (text,))
    return float(found[1]) * _UNITS[found[2].upper() + "B"]


def show_size(size):
    """12.3 MiB"""
    for unit in "B", "KiB", "MiB", "GiB":
        if abs(size) < 1024 or unit == "GiB":
            return "%d B" % size if unit == "B" else "%.1f %s" % (size, unit)
        size /= 1024


def pytest_addoption(parser):
    group = parser.getgroup("vbtrace", "memory of tests, by vbtrace")
    group.addoption("--vbtrace", action="store_true", help="trace the tests: exact memory of each, and the limits in their markers")
    group.addoption("--vbtrace-output", metavar="PATH", help="keep the trace: a file, or a folder if it ends with a slash")
    group.addoption("--vbtrace-most", metavar="N", type=int, default=5, help="how many tests each list of the summary shows; default: 5")


def pytest_configure(config):
    for description in _MARKERS.values():
        config.addinivalue_line("markers", description)
    if config.getoption("vbtrace"):
        if not vbtrace.active():
            raise pytest.UsageError("--vbtrace: the tests are not traced: start pytest as a command, or under vbtrace run")
        config.pluginmanager.register(_Measure(config), "vbtrace-measure")
    else:
        config.pluginmanager.register(_NotMeasured(config), "vbtrace-not-measured")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config, args):
    if not early_config.known_args_namespace.vbtrace or vbtrace.active():
        return
    if os.environ.get(_AGAIN):
        raise pytest.UsageError("--vbtrace: the library could not be preloaded into %s" % sys.executable)
    if list(early_config.invocation_params.args) != sys.argv[1:]:
        raise pytest.UsageError("--vbtrace: pytest.main() cannot be started again: run the program under vbtrace run")
    _start_again(early_config)


def _start_again(config):
    """Runs the same command line with the library preloaded, and ends as that ends."""
    from vbtrace.__main__ import tool

    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None and capture.is_globally_capturing():  # the child writes to this process's own standard output
        capture.stop_global_capturing()
    kept = config.known_args_namespace.vbtrace_output
    folder = None if kept else tempfile.mkdtemp(prefix="vbtrace-pytest-")
    command = [tool(), "run", "--quiet", "-o", kept or folder + "/"]
    command += ["--no-symbolize"] * (not kept) + ["--", sys.executable, *_interpreter_arguments()]
    sys.stdout.flush()
    sys.stderr.flush()
    for number in signal.SIGINT, signal.SIGQUIT:  # from the terminal they reach the child as well
        signal.signal(number, signal.SIG_IGN)
    started = subprocess.Popen(command, env=dict(os.environ, **{_AGAIN: "1"}), close_fds=False, preexec_fn=_default_signals)
    for number in signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, lambda number, frame: started.send_signal(number))
    status = started.wait()
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    if status < 0:
        if -status not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status & 255)


def _default_signals():
    for number in signal.SIGINT, signal.SIGQUIT:
        signal.signal(number, signal.SIG_DFL)


def _interpreter_arguments():
    """What the interpreter was started with: its options, the script or module, the arguments."""
    if hasattr(sys, "orig_argv"):
        return sys.orig_argv[1:]
    with open("/proc/self/cmdline", "rb") as line:
        return [os.fsdecode(word) for word in line.read().split(b"\0")[1:-1]]


class _Cost:
    """What a phase of a test took."""

    NAMES = ("allocations", "frees", "allocated_bytes", "freed_bytes", "live_bytes", "peak_bytes")
    __slots__ = (*NAMES, "elsewhere")

    def __init__(self, section, process, before):
        for name in self.NAMES:
            setattr(self, name, getattr(section, name))
        self.elsewhere = process.allocations - before.allocations - section.allocations  # in other threads
        if self.elsewhere:
            self.peak_bytes = max(self.peak_bytes, process.peak_bytes - before.live_bytes)


_clear_names = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache  # from 3.13 on; before


class _Phase:
    """A section around a phase of a test: a context manager that has a cost when it has ended."""

    def __init__(self, label):
        self.label, self.cost = label, None

    def __enter__(self):
        # The interpreter's cache of attributes keeps names alive, until one that takes the same
        # place comes by: which those are depends on addresses, and so would the frees in a test.
        _clear_names()
        vbtrace._restart_peak()
        self.before = vbtrace.counters()
        vbtrace.begin(self.label)
        return self

    def __exit__(self, kind, error, traceback):
        counted = vbtrace._end_and_count(self.label)
        self.cost = _Cost(counted, vbtrace._count_lately(), self.before) if counted else None


class _Measure:
    """Measures tests, checks their limits, and shows what they took."""

    def __init__(self, config):
        self.config, self.rows = config, []
        self.worker = hasattr(config, "workerinput")

    # ---- each test ----

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_setup(self, item):
        item._vbtrace = {}
        with _Phase("setup " + item.nodeid) as phase:
            yield
        item._vbtrace["setup"] = phase.cost

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item):
        with _Phase("teardown " + item.nodeid) as phase:
            yield
        self.note(item, "teardown", phase.cost)

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_call(self, item):
        if hasattr(item, "_fixtureinfo") and hasattr(item, "obj") and not getattr(item, "_testcase", None):
            yield  # a function, which is measured alone
        else:
            with _Phase("call " + item.nodeid) as phase:
                yield
            item._vbtrace["call"] = phase.cost
        self.note(item, "setup", item._vbtrace.get("setup"))
        self.note(item, "call", item._vbtrace.get("call"))

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        item, function = pyfuncitem, pyfuncitem.obj
        label = "call " + item.nodeid
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            with _Phase(label) as phase:
                yield
            item._vbtrace["call"] = phase.cost
            return
        growth = _marker(item, "limit_growth")

        @functools.wraps(function)
        def measured(*arguments, **names):
            phase = _Phase(label)
            try:
                with phase:
                    result = function(*arguments, **names)
            finally:
                item._vbtrace["call"] = phase.cost
            if growth is not None:
                item._vbtrace["growth"] = _growth(lambda: function(*arguments, **names), growth)
            return result

        pyfuncitem.obj = measured
        try:
            yield
        finally:
            pyfuncitem.obj = function

    def note(self, item, when, cost):
        """The figures of a phase become properties of the test's reports."""
        if cost is not None:
            for name in cost.NAMES:
                item.user_properties.append(("vbtrace_%s_%s" % (when, name), getattr(cost, name)))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        report = outcome.get_result()
        if call.when != "call" or not report.passed:
            return
        failures, lines = _exceeded(item)
        if failures:
            report.outcome = "failed"
            report.longrepr = "\n".join(failures)
            if lines:
                report.sections.append(("vbtrace", "\n".join(lines)))

    # ---- the summary ----

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and not self.worker:
            properties = dict(report.user_properties)
            if "vbtrace_call_allocations" in properties:
                self.rows.append((report.nodeid, properties))

    def pytest_terminal_summary(self, terminalreporter):
        if not self.rows or self.worker:
            return
        terminalreporter.section("vbtrace: memory of %d %s" % (len(self.rows), "test" if len(self.rows) == 1 else "tests"))
        for title, name, show in (
            ("allocate most often", "allocations", "{:,}".format),
            ("have most at once", "peak_bytes", show_size),
            ("leave most behind", "live_bytes", show_size),
        ):
            key = "vbtrace_call_" + name
            rows = sorted((row for row in self.rows if row[1][key] > 0), key=lambda row: (-row[1][key], row[0]))
            if rows:
                terminalreporter.write_line("Tests that %s" % title)
            for nodeid, properties in rows[: self.config.getoption("vbtrace_most")]:
                terminalreporter.write_line("%16s  %s" % (show(properties[key]), nodeid))


class _NotMeasured:
    """Says that limits were not checked."""

    def __init__(self, config):
        theirs = {"limit_memory", "limit_leaks"} if config.pluginmanager.hasplugin("memray") else set()  # which checks them
        self.names, self.count = set(_MARKERS) - theirs, 0

    def pytest_collection_modifyitems(self, items):
        self.count = sum(_marker(item, name) is not None for item in items for name in self.names)

    def pytest_terminal_summary(self, terminalreporter):
        if self.count:
            terminalreporter.write_line(
                "vbtrace: %d %s of memory %s not checked: run pytest --vbtrace"
                % (self.count, *(("limit", "was") if self.count == 1 else ("limits", "were")))
            )


def _marker(item, name):
    return item.get_closest_marker(name) if hasattr(item, "get_closest_marker") else None


def _arguments(marker, names, **defaults):
    """The arguments of a marker, by name."""
    unknown = set(marker.kwargs) - set(names)
    if unknown or len(marker.args) > len(names):
        raise ValueError("vbtrace: %s: expected %s" % (marker.name, ", ".join(names)))
    return dict(defaults, **dict(zip(names, marker.args)), **marker.kwargs)


def _growth(run, marker):
    """What each further run of the test leaves behind, in bytes, after one to warm up."""
    import gc

    runs = _arguments(marker, ("size", "runs"), runs=10)["runs"]
    run()
    gc.collect()
    before = vbtrace.counters().live_bytes
    for _ in range(runs):
        run()
    gc.collect()
    return (vbtrace.counters().live_bytes - before) / runs


def _call_paths(item, least):
    """(bytes left, bytes allocated, allocations, frames) of the call paths of a test, and whether
    there are more. A frame is (function, file, line), innermost first."""
    text, complete = vbtrace._section_lines("call " + item.nodeid, least)
    paths = []
    for line in text.splitlines():
        fields = line.split("\t")
        allocs, _, allocated, freed = map(int, fields[:4])
        frames = [(fields[i], fields[i + 1], int(fields[i + 2])) for i in range(4, len(fields) - 2, 3)]
        paths.append((allocated - freed, allocated, allocs, _of_test(frames)))
    return paths, complete


def _of_test(frames):
    """The frames up to the test's own function: what called that is pytest."""
    for at, (function, file, _) in enumerate(frames):
        if file == __file__ or (function == "pytest_pyfunc_call" and "_pytest" in file):
            return frames[:at]
    return frames


def _show_paths(paths, what, complete):
    shown = []
    for left, allocated, allocs, frames in paths[:_SHOWN]:
        shown.append("%s %s in %d %s:" % (show_size(left if what == "left" else allocated), what, allocs, "allocation" if allocs == 1 else "allocations"))
        shown += ["    %s:%d: %s" % (file, line, function) for function, file, line in frames[:_SHOWN]]
    if len(paths) > _SHOWN:
        shown.append("and %d more call paths" % (len(paths) - _SHOWN))
    return shown + [] if complete else shown + ["and more: there was no room for all call paths"]


class _Stack:
    """A call path, for the filter of limit_leaks: frames with function, filename and lineno."""

    def __init__(self, frames):
        self.frames = tuple(_Frame(*frame) for frame in frames)


class _Frame:
    def __init__(self, function, filename, lineno):
        self.function, self.filename, self.lineno = function, filename, lineno


def _exceeded(item):
    """The limits that a test exceeded, as sentences, and the call paths that did."""
    failures, lines = [], []
    cost = getattr(item, "_vbtrace", {}).get("call")
    if cost is None:
        return failures, lines
    marker = _marker(item, "limit_memory")
    if marker is not None:
        size = parse_size(_arguments(marker, ("size", "current_thread_only"))["size"])
        if cost.peak_bytes >= size:
            failures.append("Test was limited to %s but allocated %s" % (show_size(size), show_size(cost.peak_bytes)))
            paths, complete = _call_paths(item, 1)
            lines += _show_paths(sorted(paths, key=lambda path: -path[1]), "allocated", complete)
            if cost.elsewhere:
                lines.append("and %d in other threads, whose lines are in the trace (--vbtrace-output)" % cost.elsewhere)
    marker = _marker(item, "limit_leaks")
    if marker is not None:
        arguments = _arguments(marker, ("size", "filter_fn", "current_thread_only"), filter_fn=None)
        size, wanted = parse_size(arguments["size"]), arguments["filter_fn"]
        paths, complete = _call_paths(item, int(size))
        paths = [path for path in paths if path[0] >= size and (wanted is None or wanted(_Stack(path[3])))]
        if paths:
            failures.append("Test was allowed to leak %s per location but at least one location leaked more" % show_size(size))
            lines += _show_paths(sorted(paths, key=lambda path: -path[0]), "left", complete)
    failures += _counts_exceeded(item, cost)
    return failures, lines


def _counts_exceeded(item, cost):
    failures = []
    marker = _marker(item, "limit_allocs")
    if marker is not None:
        arguments = _arguments(marker, ("most", "per_iteration", "iterations"), most=None, per_iteration=None, iterations=1)
        most, each = arguments["most"], cost.allocations / max(arguments["iterations"], 1)
        if most is not None and cost.allocations > most:
            failures.append("Test was limited to %s allocations but made %s" % (format(most, ","), format(cost.allocations, ",")))
        if arguments["per_iteration"] is not None and each > arguments["per_iteration"]:
            failures.append("Test was limited to %g allocations per iteration but made %g" % (arguments["per_iteration"], each))
    marker = _marker(item, "limit_growth")
    growth = item._vbtrace.get("growth")
    if marker is not None and growth is not None:
        size = parse_size(_arguments(marker, ("size", "runs"))["size"])
        if growth >= size:
            failures.append("Test was limited to a growth of %s per run but left %s behind" % (show_size(size), show_size(growth)))
    return failures
