"""Runs the end-to-end tests on all interpreters found, and names those at the top."""

import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
pytest.register_assert_rewrite("conservation", "vbt")

import vbt  # noqa: E402


def pytest_configure():
    """A shell lets background jobs ignore Ctrl-C, which the programs under test would inherit."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header():
    lines = [f"vbtrace: {vbt.BUILD} (VBTRACE_BUILD chooses another build)"]
    return lines + [f"interpreter: {python}" for python in vbt.interpreters()]


def pytest_generate_tests(metafunc):
    """A test that takes `interpreter` runs on every interpreter found."""
    if "interpreter" in metafunc.fixturenames:
        metafunc.parametrize("interpreter", vbt.interpreters(), ids=lambda interpreter: interpreter.name)
