"""Counted lines and the resident set in the layouts and files of other tools."""

import collections
import re

import pytest

import vbt


def test_export_for_mprof(tmp_path):
    """Debian's mprof finds the peak of the trace."""
    run = vbt.trace(["/usr/bin/python3", "-c", "a = bytearray(50 << 20); import time; time.sleep(0.3)"])
    out = tmp_path / "mprofile_20260101000000.dat"
    assert vbt.vbtrace("export", "--format", "mprof", "-o", out, run.paths[0]).returncode == 0
    first, *rows = out.read_text().splitlines()
    assert first.startswith("CMDLINE /usr/bin/python3 -c ")
    samples = [(float(mib), float(when)) for _, mib, when in map(str.split, rows)]
    started = float(run.report.trace.process_values("started")[0]) / 1e9
    assert samples == sorted(samples, key=lambda sample: sample[1]) and abs(samples[0][1] - started) < 60
    peak = max(mib for mib, _ in samples)
    assert peak > 50
    mprof = vbt.shutil.which("python3-mprof") or vbt.shutil.which("mprof")
    if mprof is None:
        pytest.skip("needs mprof (on Debian: apt install python3-memory-profiler)")
    said = vbt.run([mprof, "peak", out], directory=tmp_path).stdout
    assert said.split() == [str(out), f"{peak:.3f}", "MiB"]
    if vbt.run(["/usr/bin/python3", "-c", "import matplotlib"]).returncode != 0:
        pytest.skip("mprof plot needs matplotlib (on Debian: apt install python3-matplotlib)")
    drawn = vbt.run([mprof, "plot", "--backend", "svg", "-o", "plot.svg", out], directory=tmp_path)
    assert drawn.returncode == 0, drawn.stderr
    picture = (tmp_path / "plot.svg").read_text()
    assert "memory used (in MiB)" in picture and "bytearray(50 << 20)" in picture.replace("&lt;", "<")
    (_, marks), *_ = collections.Counter(vbt.re.findall(r'<use xlink:href="#(m\w+)"', picture)).most_common(1)
    assert marks == len(samples) + 1  # a cross each, and one in the legend


LAYOUT = """
import builtins
profile = getattr(builtins, "profile", None) or __import__("line_profiler").LineProfiler()


@profile
def first(n):
    a = [1] * (1 << 16)
    for _ in range(n):
        b = list(a)

    if n < 0:
        return None
    return b


@profile
def second():
    return 1


first(3)
second()
"""


def layout(text):
    """Rows with # for all numbers except line numbers and counts; headers unchanged."""
    return [vbt.re.sub(r"-?\d+\.\d+(e-\d+)?", lambda found: "#" * len(found[0]), line) for line in text.splitlines()]


@pytest.mark.parametrize("tool", ["memory_profiler", "line_profiler"])
def test_layouts_of_others(tool, tmp_path):
    """Line for line what the tool itself prints for the same program, except times and bytes."""
    python = "/usr/bin/python3"
    if vbt.run([python, "-c", f"import {tool}"]).returncode != 0:
        pytest.skip(f"needs {tool} (on Debian: apt install python3-{tool.replace('_', '-')})")
    program = tmp_path / "layout.py"
    program.write_text(LAYOUT)
    how = ["-m", "memory_profiler"] if tool == "memory_profiler" else ["-m", "kernprof", "-l", "-v", "-o", tmp_path / "lprof"]
    theirs = vbt.run([python, *how, program], directory=tmp_path).stdout
    run = vbt.trace([python, program], env={"VBTRACE_LINES": "profile"})
    ours = vbt.vbtrace("lines", "--like", tool, run.paths[0]).stdout

    def rows(text):
        found = [line for line in layout(text) if re.match(r" {4,}\d+ |Line #|=====|Function|Filename|File", line)]
        if tool == "line_profiler":  # 4.0 shows the hits before the line that followed last
            found = [vbt.re.sub(r"^( +\d+) +\d+ ", r"\1 # ", line) for line in found]
        return [vbt.re.sub(r" +#+( MiB)?", " #", line) for line in found]

    assert rows(ours) == rows(theirs) and len(rows(ours)) > 10
