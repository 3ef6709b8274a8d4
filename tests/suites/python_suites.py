"""CPython's own tests and NumPy's, untraced and under vbtrace: the same tests must pass, fail and
be skipped.

usage: python_suites.py [cpython|numpy] [MODULE ...]

Needs Debian's libpython3.11-testsuite, python3-numpy, python3-pytest and python3-hypothesis, and an
hour or two. VBTRACE_SUITES_PYTHON names another interpreter: Debian's has no _testcapi, which
test_capi needs.

Modules whose outcomes differ are run again both ways, up to three times: a few
tests depend on the time of day or on the machine's load. Prints a row per module; exit status 1 if
a difference remains that has no known cause.
"""

import pathlib
import sys
import tempfile

import comparison

CPYTHON = """test_list test_dict test_set test_gc test_threading test_fork1 test_multiprocessing_fork test_subprocess test_asyncio
test_ctypes test_generators test_coroutines test_json test_pickle test_io test_mmap test_signal test_time test_sys test_tracemalloc
test_capi test_exceptions test_weakref test_thread test_memoryview test_float test_long test_unicode test_tuple test_os test_posix
test_socket test_select test_queue test_concurrent_futures test_embed test_faulthandler test_site""".split()
NUMPY = ["core", "lib", "random"]
# Tests that must fail under any tool that wraps Python's allocators, and why.
CAUSES = {
    "test.test_sys.SysModuleTest.test_debugmallocstats": "pymalloc's statistics are printed only while nothing stands before it; as with -X tracemalloc",
}
# Tests that wait forever on some machines, with or without vbtrace: a connection from a virtual
# machine to itself that its host does not forward.
IGNORED = ["*VSOCK*"]
TIMES = 3
TIMEOUT = 1200


def suite(kind, module, folder):
    """The command that runs a module's tests and writes their outcomes to a file."""
    report = folder / "report.xml"
    if kind == "cpython":
        ignored = [word for pattern in IGNORED for word in ("-i", pattern)]
        return [comparison.PYTHON, "-m", "test", *ignored, "--junit-xml", report, module], report
    code = f"import numpy, sys; sys.exit(not numpy.{module}.test(extra_argv=['-q', '-p', 'no:cacheprovider', '--junit-xml', {str(report)!r}]))"
    return [comparison.PYTHON, "-c", code], report


def once(kind, module, traced):
    with tempfile.TemporaryDirectory(prefix="vbtrace-suite.", ignore_cleanup_errors=True) as scratch:
        folder = pathlib.Path(scratch)
        traces = folder / "traces"
        traces.mkdir()
        command, report = suite(kind, module, folder)
        status, text = comparison.run(command, folder, comparison.environment(traces if traced else None, HOME=scratch), TIMEOUT)
        return status, comparison.outcomes(report), text, len(list(traces.glob("*.vbt")))


def main(arguments):
    kinds = {"cpython": CPYTHON, "numpy": NUMPY}
    kind = arguments[0] if arguments else None
    if kind is not None and kind not in kinds:
        comparison.say(f"python_suites.py: expected cpython or numpy, found {kind}")
        return 2
    bad = 0
    print(f"{'module':<28}{'passed':>8}{'failed':>8}{'skipped':>8}{'traces':>8}  differences", flush=True)
    for kind in [kind] if kind else kinds:
        for module in arguments[1:] or kinds[kind]:
            for turn in range(TIMES):
                untraced_status, untraced, _, _ = once(kind, module, traced=False)
                traced_status, traced, text, traces = once(kind, module, traced=True)
                found = comparison.differences(untraced, traced)
                same = not found and untraced_status == traced_status
                explained = bool(found) and all(name in CAUSES for name, _, _ in found)
                if same or explained:
                    break
            number = comparison.counts(traced)
            verdict = "none" if same else "with a cause" if explained else f"exit status {untraced_status} and {traced_status}"
            row = f"{module:<28}{number['passed']:>8}{number['failed']:>8}{number['skipped']:>8}{traces:>8}  {verdict}"
            print(row + (f" (at run {turn + 1})" if turn > 0 and same else ""), flush=True)
            for name, before, after in found:
                print(f"    {name}: {before} untraced, {after} traced" + (f": {CAUSES[name]}" if name in CAUSES else ""), flush=True)
            if not same and not explained:
                bad += 1
                comparison.say(text[-3000:])
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
