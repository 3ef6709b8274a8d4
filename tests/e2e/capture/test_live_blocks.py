"""Live blocks of every line against tracemalloc, the interpreter's own count, on every interpreter
found."""

import json

import vbt

PROGRAM = vbt.program("live_blocks.py")
SOURCE = PROGRAM.read_text().splitlines()


def lines_of_functions():
    """The numbers of all lines inside the functions that main() calls, without their def lines."""
    first = SOURCE.index("def table():") + 2
    last = SOURCE.index("def main():") - 2
    return [number for number in range(first, last + 1) if SOURCE[number - 1].startswith("    ")]


def number_of(text):
    return next(number for number, line in enumerate(SOURCE, 1) if line.strip() == text)


def test_lines_agree_with_tracemalloc(interpreter):
    done = vbt.run([interpreter.path, PROGRAM, "tracemalloc"])
    assert done.returncode == 0, done.stderr
    theirs = {line: (count, size) for file, line, count, size in json.loads(done.stdout) if file == str(PROGRAM)}
    report = vbt.traced_python(PROGRAM.name, interpreter).report
    float_size = 40 if interpreter.free_threaded else 24
    wrong = []
    for line in lines_of_functions():
        row = report.line(PROGRAM, line)
        found, expected = (row["live_blocks"], row["live_bytes"]), theirs.get(line, (0, 0))
        if SOURCE[line - 1].strip() == "dropped[i] = i + 0.5":
            expected = (100, 100 * float_size)  # in the free list, or with whoever took them from it
        if SOURCE[line - 1].strip() == "taken[i] = i + 0.25":
            assert expected == (100, 100 * float_size)
            expected = (0, 0)  # made without a request
        if found != expected:
            wrong.append(f"{line}: {SOURCE[line - 1].strip()}\n        {found}, tracemalloc {expected}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_failed_requests_are_no_allocations(interpreter):
    """Nor in an interpreter whose data lie at low addresses, near a null pointer (Debian's is not a
    PIE)."""
    run = vbt.traced_python("failed_requests.py", interpreter)
    program = vbt.program("failed_requests.py")
    source = program.read_text().splitlines()
    for kind, served in json.loads(run.stdout).items():
        row = run.report.line(program, next(number for number, text in enumerate(source, 1) if f'"{kind}": lambda' in text))
        assert 0 < served < 30 and row["allocated_bytes"] // (64 << 20) == served, (kind, served, row)


def test_memory_of_blocks_that_are_gone():
    """malloc_trim gives back what the library took for them, too, and forgets none that is left."""
    program = vbt.compiled("trim.c", "-O1", "-fno-builtin")
    untraced = int(vbt.run([program]).stdout)
    run = vbt.trace([program])
    assert int(run.stdout) - untraced < 20 * 1024  # of some 100 MiB
    row = next(row for row in run.report.json["lines"] if row["allocs"] > 1_000_000)
    assert (row["allocs"], row["frees"], row["live_blocks"]) == (2 * 2_000_000 - 20, 2 * 2_000_000 - 20, 0)
    assert run.report.totals["unknown_frees"]["heap"] == 0 and run.report.json["conservation"]["holds"]
