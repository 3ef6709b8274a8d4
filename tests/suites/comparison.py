"""What comparisons of a traced with an untraced run of test suites share: the environment, the
outcomes, the table."""

import collections
import os
import pathlib
import signal
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VBTRACE_BUILD", ROOT / "build")).resolve()
LIBRARY = BUILD / "preload" / "libvbtrace.so"
PYTHON = os.environ.get("VBTRACE_SUITES_PYTHON", "/usr/bin/python3")


def environment(traces=None, **changes):
    """The environment of an untraced run, or of one whose traces go to a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VBTRACE", "PYTHON", "LD_"))}
    kept.update(changes)
    if traces is not None:
        kept.update(LD_PRELOAD=str(LIBRARY), VBTRACE_OUTPUT=f"{traces}/%e.%p.vbt", VBTRACE_QUIET="1")
    return kept


def outcomes(path):
    """{test: passed, failed or skipped} of a file in JUnit's format; empty if there is none."""
    found = {}
    if not path.exists():
        return found
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname') or ''}.{case.get('name')}".lstrip(".")
        bad = case.find("failure") is not None or case.find("error") is not None
        found[name] = "failed" if bad else "skipped" if case.find("skipped") is not None else "passed"
    return found


def counts(found):
    return collections.Counter(found.values())


def differences(untraced, traced):
    """[(test, outcome untraced, outcome traced)] where they differ."""
    return [
        (name, untraced.get(name, "absent"), traced.get(name, "absent"))
        for name in sorted(untraced.keys() | traced.keys())
        if untraced.get(name) != traced.get(name)
    ]


def run(command, folder, env, timeout):
    """Exit status and output; status None if it took too long. Signals that a shell ignores for
    what it starts in the background are not ignored: tests send them."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    process = subprocess.Popen(list(map(str, command)), cwd=folder, env=env, start_new_session=True, **options)
    try:
        said = process.communicate(timeout=timeout)[0]
        return process.returncode, said
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # with all that it started
        return None, process.communicate()[0]


def say(text):
    print(text, file=sys.stderr, flush=True)
