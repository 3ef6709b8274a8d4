"""The page's script without a browser: its own tests under node, its syntax, its size."""

import shutil
import subprocess

import pytest
import vbt

TESTS = vbt.ROOT / "tests" / "page"
WEB = vbt.ROOT / "analyzer" / "report" / "page" / "web"
LARGEST = 150_000  # bytes of a page without data

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs node (Debian: nodejs)")


@needs_node
@pytest.mark.parametrize("file", sorted(path.name for path in TESTS.glob("*.test.mjs")))
def test_units(file):
    done = subprocess.run(["node", "--test", TESTS / file], capture_output=True, text=True, timeout=vbt.TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_node
@pytest.mark.parametrize("file", sorted(str(path.relative_to(vbt.ROOT)) for folder in (WEB / "src", TESTS) for path in folder.rglob("*.*js")))
def test_syntax(file):
    done = subprocess.run(["node", "--check", vbt.ROOT / file], capture_output=True, text=True, timeout=vbt.TIMEOUT)
    assert done.returncode == 0, done.stderr


def test_nothing_parses_markup():
    """Names and sources are set as text: what would read them as markup is not used anywhere."""
    for path in (WEB / "src").rglob("*.js"):
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "setAttribute(\"style\""):
            assert word not in path.read_text(), (path, word)


def test_a_page_without_data_is_small():
    template = vbt.BUILD / "page" / "page.html"
    if not template.exists():
        pytest.skip("this build has no page: it was made without node and npm")
    assert template.stat().st_size < LARGEST
