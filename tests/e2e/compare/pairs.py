"""Pairs of programs with one known change each, and what is different between their runs.

A pair is made of one small program in C by replacing parts of it. What it allocates is written in
the program, so that each difference is known by hand. `lines` are the lines of the program that
change: by function and text, what is added to which count. All others must not change.
"""

import dataclasses
import pathlib
import shutil
import subprocess

import pytest
import vbt

BASE = """\
#include <stdlib.h>
#include <string.h>

static void *kept[1000];

static void fill(int n) {
    for (int i = 0; i < n; i++) {
        void *row = malloc(100);
        memset(row, 1, 100);
        free(row);
    }
}

static void store(int n) {
    for (int i = 0; i < n; i++)
        kept[i] = malloc(50);
}

static void drop(int n) {
    for (int i = 0; i < n; i++)
        free(kept[i]);
}

static void nest(int n) {
    if (n > 0) {
        nest(n - 1);
        free(malloc(16));
    }
}

int main(void) {
    fill(100);
    store(10);
    nest(5);
    drop(10);
    return 0;
}
"""

ROW, KEPT, NEST = ("fill", "void *row = malloc(100);"), ("store", "kept[i] = malloc(50);"), ("nest", "free(malloc(16));")
TWO_ROWS = [("        free(row);\n", "        void *more = malloc(8);\n        free(more);\n        free(row);\n")]


@dataclasses.dataclass(frozen=True)
class Pair:
    name: str
    edits: tuple  # (old text, new text) of the new program
    lines: dict = dataclasses.field(default_factory=dict)
    moved: bool = False  # some lines are on other lines than before
    before: tuple = ()  # edits of the old program


def counts(allocs=0, size=0, peak=0, left=0, blocks=0, temporary=0):
    return dict(allocs=allocs, allocated_bytes=size, at_peak_bytes=peak, live_bytes=left, live_blocks=blocks, temporary_allocs=temporary)


def pair(name, edits=(), lines=None, moved=False, before=()):
    return Pair(name, tuple(edits), lines or {}, moved, tuple(before))


PAIRS = [
    pair("nothing"),
    pair("lines shifted", [("#include <string.h>\n", "#include <string.h>\n\n/* A comment\n   of two lines. */\n")], moved=True),
    pair("lines shifted within", [("    if (n > 0) {\n", "    /* down */\n    if (n > 0) {\n        /* to 0 */\n")], moved=True),
    pair("a larger block", [("malloc(100)", "malloc(120)")], {("fill", "void *row = malloc(120);"): counts(size=2000)}),
    pair("an allocation more in a loop", TWO_ROWS, {("fill", "void *more = malloc(8);"): counts(100, 800, temporary=100), ROW: counts(temporary=-100)}, moved=True),
    pair("an allocation less in a loop", lines={("fill", "void *more = malloc(8);"): counts(-100, -800, temporary=-100), ROW: counts(temporary=100)}, moved=True, before=TWO_ROWS),
    pair("a leak", [("drop(10)", "drop(9)")], {KEPT: counts(left=50, blocks=1)}),
    pair("a leak mended", [], {KEPT: counts(left=-50, blocks=-1)}, before=[("drop(10)", "drop(9)")]),
    pair("more iterations", [("fill(100)", "fill(150)")], {ROW: counts(50, 5000, temporary=50)}),
    pair("fewer iterations", [("fill(100)", "fill(1)")], {ROW: counts(-99, -9900, temporary=-99)}),
    pair("more is kept", [("store(10)", "store(30)"), ("drop(10)", "drop(30)")], {KEPT: counts(20, 1000, peak=1000)}),
    pair("the peak moved", [("fill(100);", "fill(100);\n    free(calloc(1, 4000));")], {("main", "free(calloc(1, 4000));"): counts(1, 4000, 4000, temporary=1), KEPT: counts(peak=-500), NEST: counts(peak=-16)}, moved=True),
    pair("a function renamed", [("fill(", "fill_rows(")]),
    pair("a recursive function renamed", [("nest(", "descend(")]),
    pair("a function renamed and its only line edited", [("store(", "store_all("), ("malloc(50)", "malloc(51)")], {KEPT: counts(-10, -500, -500), ("store_all", "kept[i] = malloc(51);"): counts(10, 510, 510)}),
    pair("a line edited", [("malloc(50)", "malloc(51)")], {("store", "kept[i] = malloc(51);"): counts(size=10, peak=10)}),
    pair("two functions change places", [(BASE[BASE.index("static void store") : BASE.index("static void drop")], ""), ("static void nest", BASE[BASE.index("static void store") : BASE.index("static void drop")] + "static void nest")], moved=True),
    pair("a block of no bytes", [("    return 0;", "    free(malloc(0));\n    return 0;")], {("main", "free(malloc(0));"): counts(1, temporary=1)}),
    pair("calloc instead of malloc", [("malloc(50)", "calloc(1, 50)")]),
    pair("deeper recursion", [("nest(5)", "nest(8)")], {NEST: counts(3, 48, temporary=3)}),
    pair("a second line that says the same", [("        free(malloc(16));\n", "        free(malloc(16));\n        free(malloc(16));\n")], {NEST: counts(5, 80, temporary=5)}, moved=True),
    pair("a function taken apart", [("        void *row = malloc(100);\n        memset(row, 1, 100);\n        free(row);\n", "        one();\n"), ("static void fill", "static void one(void) {\n    void *row = malloc(100);\n    memset(row, 1, 100);\n    free(row);\n}\n\nstatic void fill")], {ROW: counts(-100, -10000, temporary=-100), ("one", "void *row = malloc(100);"): counts(100, 10000, temporary=100)}, moved=True),
    pair("less is freed at once", [("        free(row);\n", "        free(malloc(1));\n        free(row);\n")], {("fill", "free(malloc(1));"): counts(100, 100, temporary=100), ROW: counts(temporary=-100)}, moved=True),
]


def source_of(edits):
    text = BASE
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


def compiled(folder, text, name="program.c"):
    """The program of a text, in a folder of its own."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a compiler for C")
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    subprocess.run([compiler, "-g", "-O0", "-pthread", "-o", folder / "program", folder / name], check=True)
    return folder / "program"


def traces_of(pair, folder):
    """A trace of the old program and one of the new."""
    return [traced(compiled(pathlib.Path(folder) / side, source_of(edits))) for side, edits in (("old", pair.before), ("new", pair.edits))]


def traced(program):
    (path,) = vbt.trace([program]).paths
    return path
