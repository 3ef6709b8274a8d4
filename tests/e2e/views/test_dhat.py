"""The export for DHAT's viewer, read back by our own reader and by dh_view.html in a browser."""

import json
import pathlib

import pytest

import browser
import export_samples
import golden
import vbt

VIEWER = pathlib.Path("/usr/libexec/valgrind/dh_view.html")
SAID = "dhat: what was live at the peak and at the end is left out: the format takes it with lifetimes only, which a trace does not hold\n"


def exported(path, *options):
    done = vbt.vbtrace("export", "--format", "dhat", *options, path, check=True)
    assert done.stderr == f"vbtrace: warning: {path}: {SAID}"
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_totals_are_ours(name):
    file = exported(export_samples.trace_of(name))
    report = json.loads(vbt.vbtrace("report", "--format", "json", export_samples.trace_of(name), check=True).stdout)
    head = {key: file[key] for key in ("dhatFileVersion", "mode", "bklt", "bkacc", "tu", "Mtu")}
    assert head == {"dhatFileVersion": 2, "mode": "heap", "bklt": False, "bkacc": False, "tu": "us", "Mtu": "s"}
    assert file["te"] == report["program"]["duration_ns"] // 1000 and file["cmd"] == report["program"]["command"]
    assert sum(stack["tb"] for stack in file["pps"]) == report["totals"]["allocated_bytes"]
    assert sum(stack["tbk"] for stack in file["pps"]) == report["totals"]["allocs"]
    assert len({tuple(stack["fs"]) for stack in file["pps"]}) == len(file["pps"])
    assert all(0 < number < len(file["ftbl"]) for stack in file["pps"] for number in stack["fs"]) and file["ftbl"][0] == "[root]"


def test_stacks_begin_with_the_innermost_frame():
    file = exported(golden.trace_of("cpp"))
    (stack,) = [stack for stack in file["pps"] if stack["tbk"] == 1291]
    frames = [file["ftbl"][number] for number in stack["fs"]]
    assert frames[0].startswith("0x0: operator new(unsigned long)") and frames[-1].startswith("0x0: _start ")
    assert [frame.split("(")[0] for frame in frames if "catalogue.cpp" in frame][-1] == "0x0: main "
    assert any(frame.startswith("0x0: index_words") and ", inlined (" in frame for frame in frames)


@pytest.mark.skipif(not VIEWER.exists(), reason="dh_view.html, of valgrind, is not installed")
@pytest.mark.skipif(bool(browser.missing()), reason=str(browser.missing()))
def test_dh_view_reads_it():
    """What it does with a file that one picks; its sums are ours."""
    with browser.Browser() as window:
        for name in export_samples.SAMPLES:
            file = exported(export_samples.trace_of(name))
            window.open(VIEWER)
            script = "gFilename = 'x'; gData = JSON.parse(arguments[0]); buildTree(); displayTree(0, 0, 0); return [gRoot._totalBytes, gRoot._totalBlocks]"
            sums = [sum(stack[key] for stack in file["pps"]) for key in ("tb", "tbk")]
            assert window.run(script, json.dumps(file)) == sums
            assert window.errors() == []
