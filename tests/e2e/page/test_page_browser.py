"""The page in Chromium, driven by Playwright: the tests are in tests/page/in_browser, this makes
what they look at. Playwright, and TypeScript, which checks types, come from npm by
tests/page/package-lock.json; the browser is Debian's."""

import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
import vbt

TESTS = vbt.ROOT / "tests" / "page"
WEB = vbt.ROOT / "analyzer" / "report" / "page" / "web"
PYTHON = "/usr/bin/python3"
ROUNDS = 8

# Whatever a name, a file and a line can hold. The program waits after each round until its trace
# has a state with it, so that there are windows to choose, however slow the machine.
PROGRAM = r"""
import json, sys, threading
import vbtrace

kept, change = [], int(sys.argv[1])

def load_rows(count):
    rows = []
    for i in range(count):
        rows.append(bytes(100 + i % 50 * change))
    return rows

def parse_rows(rows):
    return [json.loads('{"a": [1, 2, "</script><b>x</b>"], "b": "%s"}' % ("x" * (len(row) % 40))) for row in rows]

def only_in(number):
    return [bytearray(1000 + i) for i in range(50 * number)]

exec("def only_in_%d():\n    return [bytearray(2000 + i) for i in range(60)]" % change)

def odd(name, file):
    code = compile("def f(n):\n    return [bytes(i + 200) for i in range(n)]", file, "exec")
    space = {}
    exec(code, space)
    space["f"].__code__ = space["f"].__code__.replace(co_name=name, co_qualname=name)
    return space["f"]

odds = [odd("</script><img src=x onerror=\"happened=1\">", "odd</script>.py"), odd("x\u202egnp.exe", "bi\u202edi.py"),
        odd("esc\x1b[31m", "new\nline.py"), odd("'\"&<b>", "quote\".py")]

def work(count):
    kept.append(load_rows(count))
    kept.append(parse_rows(kept[-1]))
    for f in odds:
        kept.append(f(count // 10))
    kept.append(globals()["only_in_%d" % change]())
    if len(kept) > 12:
        del kept[:6]

for number in range(ROUNDS):
    with vbtrace.section("round %d" % number, iterations=100 + number):
        work(100 * (number + 1))
        threads = [threading.Thread(target=work, args=(30,), name="</script>") for _ in range(2)]
        for thread in threads:
            thread.start()
            thread.join()
    sys.stdin.readline()
""".replace("ROUNDS", str(ROUNDS))


@functools.lru_cache(maxsize=None)
def modules():
    """The folder with Playwright and TypeScript, and why there is none."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return None, f"needs {program} (Debian: nodejs, npm)"
    folder = pathlib.Path(tempfile.mkdtemp(dir=vbt._scratch()))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(TESTS / name, folder)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000"], cwd=folder, capture_output=True, text=True, timeout=vbt.TIMEOUT)
    if done.returncode != 0:
        return None, f"npm cannot install Playwright and TypeScript: {done.stderr.strip().splitlines()[-1:]}"
    return folder / "node_modules", None


def needed_modules():
    folder, reason = modules()
    if folder is None:
        pytest.skip(reason)
    return folder


def traced(folder, change):
    (folder / "shop.py").write_text(PROGRAM)

    def holds(number):
        return lambda reports: any(row["label"] == f"round {number}" for report in reports for row in report.json["intervals"])

    return vbt.trace_in_steps(
        [PYTHON, folder / "shop.py", str(change)], *map(holds, range(ROUNDS)), env={"VBTRACE_NATIVE": "full"}, python_paths=[vbt.MODULE_DIRECTORY]
    ).paths[0]


@functools.lru_cache(maxsize=None)
def made():
    """What the tests in the browser are told: traces, and pages of them."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=vbt._scratch()))
    trace, older = traced(folder, 3), traced(folder, 2)
    golden = {}
    for path in sorted((vbt.ROOT / "tests" / "golden" / "traces").iterdir()):
        page = folder / f"{path.stem}.golden.html"
        vbt.vbtrace("html", path, "-o", page, check=True)
        golden[path.stem] = {"trace": str(path), "page": str(page)}
    vbt.vbtrace("html", "--no-source", trace, "-o", folder / "without_source.html", check=True)
    for name, *more in ((folder / "page.html",), (folder / "compared.html", "--against", older)):
        vbt.vbtrace("html", trace, "-o", name, *more, check=True)
    return {
        "trace": str(trace), "older": str(older), "page": str(folder / "page.html"), "compared": str(folder / "compared.html"),
        "vbtrace": str(vbt.ANALYZER), "chromium": shutil.which("chromium"), "golden": golden, "without_source": str(folder / "without_source.html"),
    }  # fmt: skip


@pytest.mark.parametrize("file", sorted(path.name for path in (TESTS / "in_browser").glob("*.test.mjs")))
def test_in_browser(file):
    folder = needed_modules()
    if shutil.which("chromium") is None:
        pytest.skip("needs chromium (Debian: chromium)")
    if not (vbt.BUILD / "page" / "page.html").exists():
        pytest.skip("this build has no page: it was made without node and npm")
    env = {**os.environ, "PAGE_MODULES": str(folder), "PAGE_MADE": json.dumps(made())}
    done = subprocess.run(["node", "--test", TESTS / "in_browser" / file], capture_output=True, text=True, timeout=vbt.TIMEOUT, env=env)
    assert done.returncode == 0, done.stdout + done.stderr


def test_types(tmp_path):
    """The types that the script's comments name."""
    folder = needed_modules()
    packages = vbt.BUILD / "page" / "node_modules"
    if not packages.exists():
        pytest.skip("this build has no packages of the page: it was made without node and npm, or with those of another")
    options = {"noEmit": True, "checkJs": True, "allowJs": True, "strict": True, "target": "es2022", "lib": ["dom", "dom.iterable", "es2023"], "types": []}
    options |= {"module": "esnext", "moduleResolution": "bundler", "paths": {"uplot": [str(packages / "uplot" / "dist" / "uPlot.d.ts")]}}
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": [str(WEB / "src" / "main.js")]}))
    done = subprocess.run(["node", folder / "typescript" / "bin" / "tsc", "-p", tmp_path], capture_output=True, text=True, timeout=vbt.TIMEOUT)
    assert done.returncode == 0, done.stdout
