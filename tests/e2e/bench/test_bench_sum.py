"""bench/bench_sum.py by itself: its options, its protocol and its results.json."""

import importlib.util
import json
import re
import subprocess
import sys

import pytest

import vbt

pytest.importorskip("numpy")
PROGRAM = vbt.ROOT / "bench" / "bench_sum.py"


def bench_sum(*arguments, directory):
    return subprocess.run([sys.executable, str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, cwd=directory)


@pytest.fixture(scope="module")
def module():
    specification = importlib.util.spec_from_file_location("bench_sum", PROGRAM)
    loaded = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(loaded)
    return loaded


def test_results_and_table(tmp_path):
    done = bench_sum("--sizes", "2^4,6-7,100", "--elements", 200, "--repeats", 2, "--out", tmp_path / "new", directory=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = json.loads((tmp_path / "new" / "results.json").read_text())
    assert [(row["size"], row["op"]) for row in rows] == [
        (size, op) for size in (16, 64, 128, 100) for op in ("python_loop", "np_sum")
    ]
    for row in rows:
        assert row.keys() >= {"size", "op", "mean_time_ns", "std_time_ns", "n_repeats"}
        assert row["mean_time_ns"] > 0 and row["std_time_ns"] >= 0 and row["n_repeats"] == 2
        assert row["calls_per_repeat"] == 200 // row["size"]
    heading, *lines = done.stdout.splitlines()
    assert heading.split() == ["elements", "python", "loop", "np.sum", "ratio"]
    assert [line.split()[0] for line in lines[:4]] == ["16", "64", "128", "100"]
    assert all(re.search(r"\d\.\d\dx?$|\d\.\dx$", line) for line in lines[:4])
    assert lines[-1] == f"8 measurements in {tmp_path / 'new' / 'results.json'}"


def test_output_may_be_a_file(tmp_path):
    done = bench_sum("--sizes", 1, "--elements", 1, "--repeats", 1, "--out", tmp_path / "mine.json", directory=tmp_path)
    assert done.returncode == 0
    assert [row["std_time_ns"] for row in json.loads((tmp_path / "mine.json").read_text())] == [0.0, 0.0]


def test_output_goes_to_the_working_directory(tmp_path):
    assert bench_sum("--sizes", 1, "--elements", 1, directory=tmp_path).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--sizes", "10-4"], "--sizes: '10-4' is no size"),
        (["--sizes", "0"], "--sizes: '0' is no size"),
        (["--sizes", "2^31"], "--sizes: '2^31' is no size"),
        (["--sizes", "16,,32"], "--sizes: '' is no size"),
        (["--sizes", "many"], "--sizes: 'many' is no size"),
        (["--target-ms", "0"], "--target-ms"),
        (["--target-ms", "nan"], "--target-ms"),
        (["--repeats", "1.5"], "--repeats"),
        (["--elements", "-3"], "--elements"),
        (["--seed", "-1"], "--seed"),
        (["--unknown"], "--unknown"),
        (["--out", "/dev/null/results.json"], "--out: cannot write /dev/null: File exists"),
        (["--out", "."], "--out: cannot write results.json: Is a directory"),
    ],
)
def test_bad_options_are_one_line(tmp_path, arguments, says):
    (tmp_path / "results.json").mkdir()
    done = bench_sum(*arguments, directory=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("bench_sum.py: ") and says in done.stderr


def test_defaults_are_the_protocol(module, tmp_path):
    options = module.options_from(["--out", str(tmp_path)])
    assert options.sizes == [2**k for k in range(4, 25)]
    assert (options.target_ms, options.elements) == (100, None)
    quick = module.options_from(["--quick", "--out", str(tmp_path)])
    assert quick.sizes == [16, 256, 4096, 65536, 1048576] and quick.target_ms < 100
    assert module.options_from(["--quick", "--sizes", "2^5", "--out", str(tmp_path)]).sizes == [32]


def test_calibration_reaches_the_target(module, monkeypatch):
    tried = []

    def fake_time(operation, a, calls):
        tried.append(calls)
        return 100 * calls

    monkeypatch.setattr(module, "time_once", fake_time)
    calls = module.calls_for(None, None, 1e6)
    assert 10_000 <= calls <= 12_000 and len(tried) <= 5
    monkeypatch.setattr(module, "time_once", lambda operation, a, calls: 0 if calls < 7 else 1e9)
    assert module.calls_for(None, None, 1e6) >= 7


def test_loop_above_2_20_is_repeated_once(module, monkeypatch, tmp_path):
    options = module.options_from(["--out", str(tmp_path)])
    monkeypatch.setattr(module, "calls_for", lambda operation, a, target: 3)
    sections = []
    monkeypatch.setattr(module, "time_in_section", lambda operation, a, calls, n: sections.append((calls, n)) or 3000)
    for operation, size, repeats, iterations in [
        ("python_loop", 2**20, 5, 3 * 2**20),
        ("python_loop", 2**20 + 1, 1, 3 * (2**20 + 1)),
        ("np_sum", 2**20 + 1, 5, 3),
    ]:
        sections.clear()
        monkeypatch.setattr(module, operation, named(operation))
        row = module.measure(getattr(module, operation), module.np.empty(size, module.np.float32), options)
        assert row["n_repeats"] == repeats and row["mean_time_ns"] == 1000 and row["std_time_ns"] == 0
        assert sections == [(3, iterations)] * repeats


def named(name):
    def operation(a, calls):
        pass

    operation.__name__ = name
    return operation


def test_a_section_holds_one_repetition(module, monkeypatch):
    marks = []

    class Section:
        def __init__(self, label, iterations):
            marks.append((label, iterations))

        def __enter__(self):
            marks.append("begin")

        def __exit__(self, *error):
            marks.append("end")

    monkeypatch.setattr(module, "section", Section)
    assert module.time_in_section(module.np_sum, module.np.zeros(8, module.np.float32), 2, 2) > 0
    assert marks == [("np_sum 8", 2), "begin", "end"]


def test_both_operations_sum(module):
    a = module.np.arange(10, dtype=module.np.float32)
    assert module.python_loop(a, module.turns(2)) == module.np_sum(a, module.turns(2)) == 45
    assert type(module.python_loop(a, module.turns(1))) is module.np.float32
