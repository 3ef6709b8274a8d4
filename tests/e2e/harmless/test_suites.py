"""A few of CPython's own tests, traced: the same tests pass, fail and are skipped as untraced.
tests/suites/python_suites.py runs many more."""

import subprocess
import sys

import pytest

import vbt

sys.path.insert(0, str(vbt.ROOT / "tests" / "suites"))
import comparison  # noqa: E402
import python_suites  # noqa: E402


@pytest.mark.parametrize("module, at_least", [("test_list", 50), ("test_dict", 100), ("test_generators", 30), ("test_json", 150)])
def test_of_cpython(module, at_least):
    if subprocess.run([comparison.PYTHON, "-c", f"import test.{module}"], capture_output=True).returncode != 0:
        pytest.skip(f"{comparison.PYTHON} has no test.{module} (Debian: libpython3.11-testsuite)")
    status, untraced, _, _ = python_suites.once("cpython", module, traced=False)
    traced_status, traced, printed, traces = python_suites.once("cpython", module, traced=True)
    assert comparison.differences(untraced, traced) == [] and traced_status == status, printed
    assert comparison.counts(traced)["passed"] >= at_least and traces >= 1
