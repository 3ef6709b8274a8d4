"""What the end-to-end tests share: the interpreters they run on, and a note of them at the top of the run."""

import vbt


def pytest_report_header():
    lines = [f"vbtrace: {vbt.BUILD} (VBTRACE_BUILD chooses another build)"]
    return lines + [f"interpreter: {python}" for python in vbt.interpreters()]


def pytest_generate_tests(metafunc):
    """A test that takes `interpreter` runs on every interpreter found."""
    if "interpreter" in metafunc.fixturenames:
        metafunc.parametrize("interpreter", vbt.interpreters(), ids=lambda interpreter: interpreter.name)
