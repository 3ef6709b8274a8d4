"""scripts/lint finds the faults that it is there to find, in small trees with one fault planted in
each."""

import json
import pathlib
import shlex
import subprocess
import sys

import pytest

LINT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lint"
FLOORS = """# Architecture
```floors
preload/top             above
preload/middle/         between
preload/shared/         also in the tool (both sides)
preload/base/           below

analyzer/main           the tool
analyzer/base/          below

format/                 the file (both sides)
```
"""
TREE = {
    "docs/ARCHITECTURE.md": FLOORS,
    "preload/top.c": '#include "preload/middle/counts.h"\nint vbt_top(void) { return vbt_counts(); }\n',
    "preload/middle/counts.h": "int vbt_counts(void);\n",
    "preload/middle/counts.c": '#include "counts.h"\n#include "preload/base/sum.h"\nint vbt_counts(void) { return vbt_sum(); }\n',
    "preload/shared/words.h": "int vbt_words(void);\n",
    "preload/shared/words.c": '#include "words.h"\nint vbt_words(void) { return 1; }\n',
    "preload/base/sum.h": "int vbt_sum(void);\n",
    "preload/base/sum.c": '#include "sum.h"\n#include "format/file.h"\nint vbt_sum(void) { return 2; }\n',
    "analyzer/main.c": '#include "preload/shared/words.h"\nint vbt_main(void) { return vbt_words(); }\n',
    "analyzer/base/text.c": "int vbt_text(void) { return 3; }\n",
    "format/file.h": "enum { VBT_FILE };\n",
    "format/file.c": "int vbt_file(void) { return 4; }\n",
}


def make(root, **changes):
    """Writes the small tree, with the contents of some files changed or added."""
    for name, text in {**TREE, **changes}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def compile_all(root):
    """Compiles each source, and notes that as CMake does; returns the build's folder."""
    commands = []
    for source in root.rglob("*.c"):
        name = source.relative_to(root)
        folder, rest = name.parts[0], "/".join(name.parts[1:])
        out = root / "build" / folder / "CMakeFiles" / f"{folder}.dir" / f"{rest}.o"
        out.parent.mkdir(parents=True, exist_ok=True)
        command = ["gcc", "-w", "-c", "-I", str(root), "-o", str(out.relative_to(root / "build")), str(source)]
        subprocess.run(command, check=True, cwd=root / "build")
        commands.append({"directory": str(root / "build"), "file": str(source), "command": shlex.join(command)})
    (root / "build" / "compile_commands.json").write_text(json.dumps(commands))
    return root / "build"


def lint(root, *arguments):
    """The lines that a check prints; its exit status agrees with them."""
    done = subprocess.run([sys.executable, str(LINT), *map(str, arguments)], cwd=root, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.returncode == bool(done.stdout)
    return done.stdout.splitlines()


def layers(root):
    return lint(root, "layers", compile_all(root))


def test_a_tree_in_order_has_no_fault(tmp_path):
    make(tmp_path)
    assert layers(tmp_path) == lint(tmp_path, "tags") == lint(tmp_path, "columns") == lint(tmp_path, "sizes") == []


def test_an_include_of_a_higher_folder_is_found(tmp_path):
    make(tmp_path, **{"preload/base/sum.c": '#include "sum.h"\n\n#include "preload/middle/counts.h"\nint vbt_sum(void) { return 2; }\n'})
    assert layers(tmp_path) == ["preload/base/sum.c:3: includes preload/middle/counts.h, which is above it in docs/ARCHITECTURE.md"]


def test_a_call_of_a_higher_folder_is_found_without_an_include(tmp_path):
    make(tmp_path, **{"preload/base/sum.c": "int vbt_counts(void);\nint vbt_sum(void) { return vbt_counts(); }\n"})
    assert layers(tmp_path) == [
        "preload/base/sum.c: uses vbt_counts of preload/middle/counts.c, which is above it in docs/ARCHITECTURE.md"
    ]


def test_a_variable_of_a_higher_folder_is_found_without_an_include(tmp_path):
    make(
        tmp_path,
        **{
            "preload/middle/counts.c": "int vbt_count = 5;\nint vbt_counts(void) { return vbt_count; }\n",
            "preload/base/sum.c": "extern int vbt_count;\nint vbt_sum(void) { return vbt_count; }\n",
        },
    )
    assert layers(tmp_path) == [
        "preload/base/sum.c: uses vbt_count of preload/middle/counts.c, which is above it in docs/ARCHITECTURE.md"
    ]


@pytest.mark.parametrize(
    "name, header",
    [
        ("analyzer/base/text.c", "preload/base/sum.h"),
        ("preload/base/sum.c", "analyzer/base/text.h"),
        ("format/file.c", "preload/shared/words.h"),
    ],
)
def test_an_include_of_the_other_side_is_found(tmp_path, name, header):
    make(tmp_path, **{name: f'#include "{header}"\n' + TREE[name], "analyzer/base/text.h": "int vbt_text(void);\n"})
    assert layers(tmp_path) == [f"{name}:1: includes {header}, which is above it in docs/ARCHITECTURE.md"]


def test_a_file_on_no_floor_is_found(tmp_path):
    make(tmp_path, **{"preload/attic/old.c": "int vbt_old;\n"})
    assert layers(tmp_path) == ["preload/attic/old.c: on no floor of the list in docs/ARCHITECTURE.md"]


def test_a_floor_without_files_is_found(tmp_path):
    make(tmp_path, **{"docs/ARCHITECTURE.md": FLOORS.replace("preload/base/ ", "preload/cellar/  deepest\npreload/base/ ")})
    assert layers(tmp_path) == ["docs/ARCHITECTURE.md: preload/cellar/: no file is on that floor"]


def test_an_object_that_is_missing_is_no_silence(tmp_path):
    make(tmp_path)
    build = compile_all(tmp_path)
    (tmp_path / "preload/base/late.c").write_text("int vbt_late;\n")
    done = subprocess.run([sys.executable, str(LINT), "layers", str(build)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0 and "no object of preload/base/late.c" in done.stderr


@pytest.mark.parametrize("kind", ["struct", "union", "enum"])
def test_a_tag_defined_twice_is_found(tmp_path, kind):
    body = "{ VBT_A%d };" if kind == "enum" else "{ int a; };"
    make(
        tmp_path,
        **{
            "preload/base/sum.h": f"{kind} twice {body % 1 if kind == 'enum' else body}\nint vbt_sum(void);\n",
            "analyzer/base/text.c": f"\n{kind} twice {body % 2 if kind == 'enum' else body}\nint vbt_text(void) {{ return 3; }}\n",
        },
    )
    assert lint(tmp_path, "tags") == ["analyzer/base/text.c:2: twice is defined at preload/base/sum.h:1, too"]


def test_a_tag_used_twice_is_no_fault(tmp_path):
    make(tmp_path, **{"preload/base/sum.h": "struct once;\nstruct once { int a; };\nstruct once vbt_one(struct once *);\n"})
    assert lint(tmp_path, "tags") == []


WIDE = "x" * 98


@pytest.mark.parametrize(
    "name, text, line",
    [
        ("preload/base/wide.c", f"/* {WIDE} */\n", 1),
        ("preload/base/wide.c", f"/* short\n * {WIDE}\n * short */\n", 2),
        ("preload/base/wide.h", f"int a;\n    // {WIDE}\n", 2),
        ("tests/wide.cpp", f"int a; /* begins\n {WIDE} and ends */\n", 2),
        ("python/wide.py", f"# {WIDE}x\n", 1),
        ("python/wide.py", f'def f():\n    """Says.\n\n    {WIDE}\n    """\n', 4),
    ],
)
def test_a_wide_comment_is_found(tmp_path, name, text, line):
    make(tmp_path, **{name: text})
    (fault,) = lint(tmp_path, "columns")
    assert fault.startswith(f"{name}:{line}: a comment of 1")


@pytest.mark.parametrize(
    "name, text",
    [
        ("preload/base/wide.c", f'const char *text = "{WIDE}{WIDE}";\n'),
        ("preload/base/wide.c", f"int a{WIDE}; /* short */ int b;\n"),
        ("python/wide.py", f'text = """\n{WIDE}{WIDE}\n"""\n'),
        ("python/wide.py", f"a = '{WIDE}'  # short\n"),
    ],
)
def test_wide_code_is_no_wide_comment(tmp_path, name, text):
    make(tmp_path, **{name: text})
    assert lint(tmp_path, "columns") == []


def test_what_is_too_large_is_found_unless_it_is_an_exception(tmp_path):
    long_function = "int vbt_long(void) {\n" + "    ;\n" * 60 + "    return 0;\n}\n"
    make(
        tmp_path,
        **{
            "preload/base/long.c": long_function,
            "preload/base/many.c": "int a;\n" * 501,
            **{f"preload/middle/part{n}.h": "int a;\n" for n in range(24)},
        },
    )
    found = lint(tmp_path, "sizes")
    assert [fault.split(", more")[0] for fault in found] == [
        "preload/base/many.c: 501 lines",
        "preload/middle/: 26 source files",
        "preload/base/long.c:vbt_long: 63 lines",
    ]
    names = [fault.split(": ")[0] for fault in found]
    exceptions = "```sizes\n" + "".join(f"{name}    a reason\n" for name in names) + "```\n"
    make(tmp_path, **{"docs/CONTRIBUTING.md": exceptions})
    assert lint(tmp_path, "sizes") == []


def test_an_exception_that_is_none_any_more_is_found(tmp_path):
    make(tmp_path, **{"docs/CONTRIBUTING.md": "```sizes\npreload/base/sum.c    was long once\n```\n"})
    assert lint(tmp_path, "sizes") == ["docs/CONTRIBUTING.md: preload/base/sum.c is no exception any more"]
