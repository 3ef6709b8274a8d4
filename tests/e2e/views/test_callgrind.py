"""The export for KCachegrind, read back by our own reader and by callgrind_annotate."""

import json
import re
import shutil
import subprocess

import pytest

import export_samples
import golden
import vbt

SAID = "callgrind: call stacks are not in the format, which has calls between functions only\n"
FIELDS = {
    "Bytes": "allocated_bytes",
    "Allocs": "allocs",
    "PeakBytes": None,
    "LiveBytes": "live_bytes",
    "LiveBlocks": "live_blocks",
    "Temporary": "temporary_allocs",
}


def exported(path, *options):
    done = vbt.vbtrace("export", "--format", "callgrind", *options, path, check=True)
    assert done.stderr == f"vbtrace: warning: {path}: {SAID}"
    return done.stdout


class Callgrind:
    """events; totals; own: {(object, file, function): {line: sums}}; calls: [(caller, line, callee,
    count, sums)]."""

    def __init__(self, text):
        names, self.own, self.calls = {}, {}, []
        head, self.body = re.split(r"^events: ", text, maxsplit=1, flags=re.MULTILINE)
        self.headers = dict(line.split(": ", 1) for line in head.splitlines()[1:])
        lines = iter(self.body.splitlines())
        self.events = next(lines).split()
        now = {}
        for line in lines:
            if match := re.fullmatch(r"(c?)(ob|fl|fi|fn)=\((\d+)\)(?: (.*))?", line):
                called, key, number, name = match.groups()
                key = "fl" if key == "fi" else key
                assert (key, number) in names or name is not None, line
                if name is not None:
                    assert names.setdefault((key, number), name) == name
                now[called + key] = names[key, number]
            elif match := re.fullmatch(r"calls=(\d+) (\d+)", line):
                count, at = int(match[1]), next(lines).split()
                self.calls.append((self.function(now), int(at[0]), self.function(now, "c"), count, self.sums(at[1:])))
            elif match := re.fullmatch(r"(summary|totals): (.*)", line):
                setattr(self, match[1], self.sums(match[2].split()))
            elif line:
                at, *numbers = line.split()
                own = self.own.setdefault(self.function(now), {})
                own[int(at)] = [a + b for a, b in zip(own.get(int(at), [0] * len(self.events)), self.sums(numbers))]

    def function(self, now, called=""):
        return tuple(now[called + key] for key in ("ob", "fl", "fn"))

    def sums(self, numbers):
        assert len(numbers) == len(self.events)
        return list(map(int, numbers))


def totals_of(path):
    report = json.loads(vbt.vbtrace("report", "--format", "json", path, check=True).stdout)
    peak = sum(line["at_peak_bytes"] for line in report["lines"])
    return {event: peak if field is None else report["totals"][field] for event, field in FIELDS.items()}


@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_totals_are_ours(name):
    read = Callgrind(exported(export_samples.trace_of(name)))
    expected = totals_of(export_samples.trace_of(name))
    assert read.events == list(expected) and read.headers["positions"] == "line"
    assert read.totals == read.summary == list(expected.values())
    assert [sum(column) for column in zip(*(sums for lines in read.own.values() for sums in lines.values()))] == read.totals


def test_calls_have_what_is_below_them():
    """By file and name, in a program whose counts are known: catalogue.cpp."""
    read = Callgrind(exported(golden.trace_of("cpp")))
    into = {}
    for caller, line, callee, count, sums in read.calls:
        into.setdefault(callee[2].split("(")[0], []).append((caller[2].split("(")[0], line, count, dict(zip(read.events, sums))))
    ((caller, line, count, sums),) = into["index_words"]
    assert (caller, line, count, sums["Allocs"], sums["LiveBlocks"]) == ("main", 37, 1, 1508, 0)
    ((caller, line, count, sums),) = into["read_books"]
    assert (caller, line, sums["Allocs"], sums["LiveBlocks"]) == ("main", 37, 5939, 5927)


def test_recursion_counts_once(tmp_path):
    """What is below a call that is on the stack ten times."""
    (tmp_path / "down.py").write_text("def down(n):\n    return down(n - 1) if n else list(map(str, range(10**6, 10**6 + 5000)))\n\n\nkept = down(10)\n")
    trace = vbt.trace(["/usr/bin/python3", "-I", "down.py"], directory=tmp_path).paths[0]
    read = Callgrind(exported(trace))
    into = {caller[2]: sums[1] for caller, _, callee, _, sums in read.calls if callee[2] == "down"}
    assert set(into) == {"<module>", "down"}
    assert 5000 <= into["down"] <= into["<module>"] < 2 * into["down"]


@pytest.mark.parametrize("measure, event", [("bytes", "Bytes"), ("allocs", "Allocs"), ("peak", "PeakBytes"), ("leaks", "LiveBytes"), ("temporary", "Temporary")])
def test_measure_is_the_first_event(measure, event):
    read = Callgrind(exported(golden.trace_of("cpp"), "--measure", measure))
    assert read.events[0] == event and sorted(read.events) == sorted(FIELDS)


@pytest.mark.skipif(shutil.which("callgrind_annotate") is None, reason="callgrind_annotate, of valgrind, is not installed")
@pytest.mark.parametrize("name", export_samples.SAMPLES)
def test_callgrind_annotate_reads_it(name, tmp_path):
    path = tmp_path / "callgrind.out"
    path.write_text(exported(export_samples.trace_of(name)))
    done = subprocess.run(["callgrind_annotate", "--auto=no", "--threshold=100", str(path)], capture_output=True, text=True, timeout=vbt.TIMEOUT)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = [line for line in done.stdout.splitlines() if line.endswith("PROGRAM TOTALS")]
    shown = [int(number.replace(",", "")) for number in re.findall(r"[\d,]+", re.sub(r"\([^)]*\)", "", line))]
    assert shown == list(totals_of(export_samples.trace_of(name)).values())


@pytest.mark.skipif(shutil.which("callgrind_annotate") is None, reason="callgrind_annotate, of valgrind, is not installed")
def test_source_is_annotated(tmp_path):
    """Each line of the source has what was counted at it."""
    (tmp_path / "lines.py").write_text("a = [None] * 1000\nb = [None] * 2000\n")
    trace = vbt.trace(["/usr/bin/python3", "-I", "lines.py"], directory=tmp_path).paths[0]
    path = tmp_path / "callgrind.out"
    path.write_text(exported(trace))
    source = tmp_path / "lines.py"
    done = subprocess.run(["callgrind_annotate", "--threshold=100", str(path), str(source)], capture_output=True, text=True, timeout=vbt.TIMEOUT)
    for size, line in (("8,0", "a = [None] * 1000"), ("16,", "b = [None] * 2000")):
        (shown,) = [shown for shown in done.stdout.splitlines() if shown.endswith("  " + line)]
        assert shown.strip().startswith(size), shown
