"""vbtrace merge: a file that holds what several traces say together."""

import json
import random
import shutil

import pytest

import parts
import trace_reader
import trace_writer
import vbt

PYTHON = "/usr/bin/python3"
PROGRAM = """
import multiprocessing, time

def work(number):
    began = time.perf_counter()
    kept = [bytes(1000) for _ in range(number)]
    return time.perf_counter() - began

if __name__ == "__main__":
    with multiprocessing.Pool(3) as pool:
        pool.map(work, [100 * number for number in range(9)], chunksize=1)
        pool.close()
        pool.join()
"""
VIEWS = [["report"], ["lines"], ["functions"], ["tree"], ["tree", "--by", "process"], ["tree", "--measure", "peak"], ["leaks"], ["temporary"], ["intervals"], ["timeline"]]


def merge(output, *traces):
    done = vbt.vbtrace("merge", "-o", output, *traces)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stderr
    return output


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("merged")
    (folder / "program.py").write_text(PROGRAM)
    done = vbt.run([vbt.ANALYZER, "run", "--quiet", "-o", f"{folder}/traces/", PYTHON, "program.py"], directory=folder)
    assert done.returncode == 0, done.stderr
    paths = sorted((folder / "traces").glob("*.vbt"))
    assert len(paths) >= 4
    return paths


def without_names(report):
    """Without the names of files, which differ."""
    for row in report.get("processes") or []:
        row["trace"] = None
    return report


def test_the_same_bytes_in_any_order(traces, tmp_path):
    expected = merge(tmp_path / "all.vbt", *traces).read_bytes()
    for seed in range(3):
        names = list(traces)
        random.Random(seed).shuffle(names)
        assert merge(tmp_path / "again.vbt", *names).read_bytes() == expected
    assert merge(tmp_path / "again.vbt", traces[0].parent).read_bytes() == expected


def test_merges_of_merges(traces, tmp_path):
    expected = parts.view("report", merge(tmp_path / "all.vbt", *traces))
    first = merge(tmp_path / "first.vbt", *traces[:2])
    rest = merge(tmp_path / "rest.vbt", *traces[2:])
    again = merge(tmp_path / "again.vbt", rest, first)
    found = parts.view("report", again)
    for report in (expected, found):
        for row in report["intervals"]:
            row["time_ns"]["std"] = round(row["time_ns"]["std"], 3)  # of a sum of fractions, which is rounded
    assert without_names(found) == without_names(expected)
    single = merge(tmp_path / "single.vbt", traces[0])
    assert merge(tmp_path / "other.vbt", single, *traces[1:]).read_bytes() == (tmp_path / "all.vbt").read_bytes()


@pytest.mark.parametrize("view", VIEWS, ids=" ".join)
def test_views_of_the_file_are_those_of_the_traces(view, traces, tmp_path):
    merged = merge(tmp_path / "all.vbt", *traces)
    assert without_names(parts.view(*view, merged)) == without_names(parts.view(*view, *traces))


def test_processes_of_the_file(traces, tmp_path):
    merged = merge(tmp_path / "all.vbt", *traces)
    rows = {row["pid"]: row for row in parts.view("list", merged)["processes"]}
    assert {pid: {**row, "trace": None} for pid, row in rows.items()} == {row["pid"]: {**row, "trace": None} for row in parts.view("list", *traces)["processes"]}
    for pid in rows:
        done = vbt.vbtrace("report", "--format", "json", "--process", str(pid), merged)
        assert done.returncode == 0 and done.stderr == f"vbtrace: warning: {merged}: intervals and counted lines of a merged trace are those of all processes: they are left out\n"
        found, single = json.loads(done.stdout), parts.view("report", "--process", str(pid), *traces)
        for name in parts.COUNTS:
            assert found["totals"][name] == single["totals"][name]
        keys = parts.COUNTS if not single["totals"]["inherited_blocks"] else parts.COUNTS[:1]
        assert parts.nonzero(parts.summed(found["user_lines"], parts.place, keys)) == parts.nonzero(parts.summed(single["user_lines"], parts.place, keys))


def test_the_file_is_as_the_format_says(traces, tmp_path):
    """The second reader finds all chunks sound, and an older one would skip those that it does
    not know."""
    merged = merge(tmp_path / "all.vbt", *traces)
    kinds = [kind for _, kind, _ in trace_reader.chunks(merged.read_bytes(), checked=True)]
    assert kinds.index("PROCESSES") == 1 and kinds[-1] == "END" and {"PROCESS_TICKS", "PROCESS_COUNTERS"} <= set(kinds)
    info = parts.view("info", merged)
    assert info["complete"] and info["conservation"]["holds"]


def test_cut_anywhere(traces, tmp_path):
    merged = merge(tmp_path / "all.vbt", *traces)
    data = merged.read_bytes()
    offsets = [offset for offset, _, _ in trace_reader.chunks(data)]
    cut = tmp_path / "cut.vbt"
    for end in offsets[2:]:
        cut.write_bytes(data[:end])
        for view in (["report"], ["tree", "--by", "process"], ["list"]):
            done = vbt.vbtrace(*view, cut)
            assert done.returncode == 0, (end, view, done.stderr)
        assert vbt.vbtrace("merge", "-o", tmp_path / "again.vbt", cut).returncode == 0


def test_traces_without_names(tmp_path):
    """Native traces as the library leaves them, and one with its names: others are looked up."""
    program = vbt.compiled("heap_calls.c")
    first, second = (vbt.trace([program]).paths[0] for _ in range(2))
    plain = merge(tmp_path / "plain.vbt", first, second)
    assert "FRAMES" not in parts.view("info", plain)["chunks"]
    named = tmp_path / "named.vbt"
    assert vbt.vbtrace("symbolize", "-o", named, second).returncode == 0
    mixed = merge(tmp_path / "mixed.vbt", first, named)
    assert "FRAMES" in parts.view("info", mixed)["chunks"]
    for path in (plain, mixed):
        rows = parts.nonzero(parts.summed(parts.view("report", path)["user_lines"], parts.place, parts.COUNTS))
        expected = parts.nonzero(parts.summed([row for trace in (first, second) for row in parts.view("report", trace)["user_lines"]], parts.place, parts.COUNTS))
        assert rows == expected


def test_what_is_refused(traces, tmp_path):
    merged = merge(tmp_path / "all.vbt", *traces)

    def refused(message, *arguments):
        done = vbt.vbtrace("merge", *arguments)
        assert (done.returncode, done.stderr) == (2, f"vbtrace: {message}\n")

    refused("merge: expected -o FILE, which the merged trace is written to", merged)
    refused("--output -: expected a file; a trace is not written to standard output", "-o", "-", merged)
    copy = tmp_path / "copy.vbt"
    shutil.copy(traces[0], copy)
    refused(f"{copy}: is one of the traces; choose another name for --output", "-o", copy, copy, traces[1])
    label = next(f"{row['program']} ({row['pid']})" for row in parts.view("list", traces[0])["processes"])
    one, other = sorted(map(str, (merged, traces[0])))
    refused(f"{one} and {other} both hold the process {label}", "-o", tmp_path / "x.vbt", merged, traces[0])
    assert not (tmp_path / "x.vbt").exists()
    done = vbt.vbtrace("lines", "--at", "50%", merged)
    assert (done.returncode, done.stderr) == (2, f"vbtrace: {merged}: a merged trace holds the whole run only; --from, --to and --at need the traces it was made from\n")
    full = vbt.vbtrace("merge", "-o", "/dev/full", *traces)
    assert (full.returncode, full.stderr) == (2, "vbtrace: /dev/full: cannot be written: No space left on device\n")


def test_lines_of_python_lie_in_no_module(tmp_path):
    """Whatever a trace says."""
    files = [tmp_path / "plain.vbt", tmp_path / "odd.vbt"]
    for number, (file, module) in enumerate(zip(files, (None, "/usr/lib/libodd.so"))):
        places = [("/app/a.py", "work", 3)]
        pairs = [("pid", 100 + number), ("ppid", 1), ("host", "h"), ("started", 1_700_000_000_000_000_000), ("python", "3.11.2"), ("exe", "/usr/bin/python3")]
        trace_writer.write(file, pairs, places, {(places[0],): (4, 400, 1, 100, 300, 0)}, [(10**7, 300)], module=module)
    merged = merge(tmp_path / "all.vbt_", *files)
    parts.check_sums([merged], files)
    assert [(row["allocs"], row["line"]) for row in parts.view("report", merged)["lines"]] == [(8, 3)]


def test_fifty_generated_traces(tmp_path):
    paths = trace_writer.generate(tmp_path, 50, 20, seed=2)
    merged = merge(tmp_path / "all.vbt_", *paths)
    parts.check_sums([merged], paths)
