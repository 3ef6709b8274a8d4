#!/usr/bin/python3
"""Writes python_line_cases.inc: line tables of real interpreters, with the lines these interpreters
read from them.

usage: tests/unit/python/python_line_cases.py > tests/unit/python/python_line_cases.inc

Compiles the same sample with every interpreter it finds (Debian's, and those under ~/.pyenv),
and asks each for the line of every instruction: dis.findlinestarts up to 3.9, co_lines from 3.10
on. The output is committed, so that the test needs no interpreter.
"""
import glob
import json
import os
import subprocess
import sys

# Lines that go back, lines far apart, long stretches of code on one line, code without a line, a
# first line far down.
SAMPLE = (
    '''\
import os, sys
def plain(a, b=2):
    c = a + b

    return c
def backwards(x):
    return max(
        x.first(
            1,
            2),
        [y
         for y in x
         if y],
        key=lambda z: z.
        w)
@staticmethod
@os.fspath
def decorated(): pass
class C(object):
    """A class."""
    a = 1
    def method(self):
        try:
            with open(self.a) as f, \\
                 open(f) as g:
                yield f.read()
        except (OSError,
                ValueError) as e:
            raise RuntimeError(
                e) from None
        else:
            return 3
        finally:
            del self.a
async def coroutine(x):
    async for i in x:
        async with i as j:
            await j
    while True:
        if x: continue
        else: break
def long_line(a):
'''
    + "    return " + " + ".join(f"a[{i}]" for i in range(50)) + "\n"
    + "def far_apart(a):\n    b = a\n" + "\n" * 700 + "    c = b\n" + "\n" * 130 + "    return (\n" + "\n" * 200
    + "        c,\n        a)\n"
    + "def wide(a):\n    return a, (" + " " * 300 + "a.b" + " " * 200 + "(1))\n"
    + "\n" * 3000 + "def beyond(a):\n    return a\n"
)

# Runs in each interpreter; old enough for 3.8.
INNER = r'''
import dis, json, sys
def codes(code):
    yield code
    for const in code.co_consts:
        if hasattr(const, "co_code"):
            yield from codes(const)
def runs(code):
    size = len(code.co_code)
    if sys.version_info >= (3, 10):
        return [[start, end, -1 if line is None else line] for start, end, line in code.co_lines() if end > start]
    starts = list(dis.findlinestarts(code))
    ends = [start for start, _ in starts[1:]] + [size]
    return [[start, end, line] for (start, line), end in zip(starts, ends)]
table = "co_linetable" if sys.version_info >= (3, 10) else "co_lnotab"
print(json.dumps([[code.co_name, code.co_firstlineno, getattr(code, table).hex(), runs(code)]
                  for code in codes(compile(sys.stdin.read(), "sample.py", "exec"))]))
'''


def kind_of(version):
    if version < (3, 10):
        return "VBT_LINES_LNOTAB"
    return "VBT_LINES_RANGES" if version == (3, 10) else "VBT_LINES_LOCATIONS"


def merged(runs):
    """Merge adjacent ranges of one line."""
    out = []
    for start, end, line in runs:
        if out and out[-1][1] == start and out[-1][2] == line:
            out[-1][1] = end
        else:
            out.append([start, end, line])
    return out


def wrapped(items, indent):
    lines, line = [], indent
    for item in items:
        if len(line) + len(item) > 130:
            lines.append(line.rstrip())
            line = indent
        line += item + " "
    return "\n".join(lines + [line.rstrip()])


def main():
    found = {}
    for path in ["/usr/bin/python3"] + sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python3"))):
        version = subprocess.run([path, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=True)
        version = tuple(map(int, version.stdout.split()))
        if version >= (3, 8):
            found.setdefault(version, path)
    seen = set()
    print("/* Made by python_line_cases.py: line tables of CPython", ", ".join(f"{a}.{b}" for a, b in sorted(found)) + ". */")
    for version, path in sorted(found.items()):
        answer = subprocess.run([path, "-c", INNER], input=SAMPLE, capture_output=True, text=True, check=True)
        for name, first, table, runs in json.loads(answer.stdout):
            case = (kind_of(version), first, table)
            if case in seen:
                continue
            seen.add(case)
            table_bytes = [f"0x{byte:02x}," for byte in bytes.fromhex(table)]
            run_texts = [f"{{{start}, {end}, {line}}}," for start, end, line in merged(runs)]
            print(f'{{.name = "{version[0]}.{version[1]} {name}", .kind = {case[0]}, .first_line = {first}, '
                  f".size = {len(table_bytes)}, .run_count = {len(run_texts)},")
            print(" .table = (const uint8_t[]){\n" + wrapped(table_bytes or ["0"], "     ") + "},")
            print(" .runs = (const struct line_run[]){\n" + wrapped(run_texts, "     ") + "}},")
    sys.stdout.flush()


main()
