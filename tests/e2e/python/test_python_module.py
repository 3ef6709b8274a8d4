"""The Python module vbtrace: its calls of the library, with a fake library that records them;
and that it does nothing without one."""

import os
import pathlib
import shutil
import subprocess
import sys
import textwrap

import pytest

import vbt


def interpreters():
    """Every CPython from 3.8 on that is found, newest last, one of each version."""
    found = {}
    candidates = [shutil.which(f"python3.{minor}") for minor in range(8, 20)]
    candidates += sorted(map(str, pathlib.Path.home().glob(".pyenv/versions/3*/bin/python3")))
    for path in [sys.executable, *filter(None, candidates)]:
        answer = subprocess.run(
            [path, "-c", "import sys; print(*sys.version_info[:3]) if sys.implementation.name == 'cpython' else 0"],
            capture_output=True,
            text=True,
        ).stdout.split()
        version = tuple(map(int, answer))
        if version >= (3, 8):
            found.setdefault(version, path)
    return [pytest.param(path, id=".".join(map(str, version))) for version, path in sorted(found.items())]


@pytest.fixture(params=interpreters())
def python(request):
    def run(script, notes=True, **environment):
        """Run a script, with a library that records every mark in the list `marks`, or with none;
        returns its output."""
        preamble = textwrap.dedent(LIBRARY) if notes else ""
        kept = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD" and not name.startswith("VBTRACE")}
        kept.update(PYTHONPATH=str(vbt.MODULE_DIRECTORY), PYTHONDONTWRITEBYTECODE="1", **environment)
        done = subprocess.run(
            [request.param, "-W", "error", "-c", preamble + textwrap.dedent(script)],
            capture_output=True,
            text=True,
            env=kept,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout.strip()

    return run


# A fake of ctypes, and through it of the library.
LIBRARY = """
    import os, sys, types

    marks = []

    def note(kind):
        def function(*arguments):
            marks.append((kind, *arguments))
        return function

    class Library:
        vbtrace_section_begin = note("begin")
        vbtrace_section_end = note("end")
        vbtrace_own_file = note("own")

    Library = types.SimpleNamespace(**{name: value for name, value in vars(Library).items() if name.startswith("vbtrace")})
    ctypes = types.ModuleType("ctypes")
    ctypes.PyDLL = lambda name: Library
    ctypes.c_char_p, ctypes.c_uint64 = bytes, int
    sys.modules["ctypes"] = ctypes
    os.environ["LD_PRELOAD"] = "/somewhere/libvbtrace.so"
    import vbtrace
    own = marks.pop(0)
    assert own == ("own", vbtrace.__file__.encode()), own
    assert marks == [], marks   # importing the module leaves no section behind
"""

NO_LIBRARY = """
    import sys
    before = set(sys.modules)  # a .pth file may have imported anything
    import vbtrace
    assert not vbtrace.active()
    assert not {"ctypes", "inspect"} & (set(sys.modules) - before)
    section = vbtrace.section("a", 3)
    with section as cost:
        assert not cost.counters and cost.counters.allocations == 0
    assert not vbtrace.counters() and vbtrace.counters(thread=True).peak_bytes == 0
    assert repr(vbtrace.counters()) == "Counters(nothing was counted: this process is not traced)"
    def function(): pass
    assert section(function) is function
    vbtrace.begin("a", 3)
    vbtrace.end("a")
    assert vbtrace.timeit("pass", number=10) >= 0
    assert len(vbtrace.repeat("pass", repeat=2, number=10)) == 2
    number, seconds = vbtrace.Timer("pass", label="x").autorange()
    assert number >= 1 and seconds >= 0.2
    print("done")
"""


def test_without_the_library_nothing_happens(python):
    assert python(NO_LIBRARY, notes=False) == "done"


def test_a_library_that_could_not_be_loaded_is_no_library(python):
    # The name is in LD_PRELOAD, but the functions are missing: the loader reported that and
    # continued.
    assert python("import vbtrace; print(vbtrace.active())", notes=False, VBTRACE_QUIET="1") == "False"


def test_without_ctypes_nothing_happens(python):
    script = """
        import os, sys
        sys.modules["ctypes"] = None    # an import of it fails
        os.environ["LD_PRELOAD"] = "libvbtrace.so"
        import vbtrace
        print(vbtrace.active())
    """
    assert python(script, notes=False) == "False"


def test_with_begin_and_end(python):
    script = """
        assert vbtrace.active()
        with vbtrace.section("outer", iterations=7) as cost:
            assert not cost.counters
            vbtrace.begin("inner")
            vbtrace.end("inner")
        try:
            with vbtrace.section("raises"):
                raise KeyError
        except KeyError:
            pass
        print(marks)
    """
    assert python(script) == str(
        [
            ("begin", b"outer", 7),
            ("begin", b"inner", 0),
            ("end", b"inner"),
            ("end", b"outer"),
            ("begin", b"raises", 0),
            ("end", b"raises"),
        ]
    )


def test_exit_stack(python):
    script = """
        import contextlib
        with contextlib.ExitStack() as stack:
            stack.enter_context(vbtrace.section("a", 2))
        print(marks)
    """
    assert python(script) == str([("begin", b"a", 2), ("end", b"a")])


def test_odd_labels_and_iterations_never_raise(python):
    script = """
        for label, iterations in [("é\\udc80", -1), (5, 2**70), (None, None), ("x", "no"), ("x", float("inf")), ("x", 2.9)]:
            with vbtrace.section(label, iterations):
                vbtrace.begin(label, iterations)
                vbtrace.end(label)
        for mark in marks[::4]:
            print(*mark[1:])
    """
    assert python(script).splitlines() == [
        r"b'\xc3\xa9\\udc80' 0",
        f"b'5' {2**64 - 1}",
        "b'None' 0",
        "b'x' 0",
        "b'x' 0",
        "b'x' 2",
    ]


def test_decorated_function(python):
    script = """
        @vbtrace.section("f", 3)
        def double(value, fail=False):
            "doubles"
            marks.append("runs")
            if fail:
                raise ValueError
            return 2 * value

        assert double(4) == 8 and double.__name__ == "double" and double.__doc__ == "doubles"
        try:
            double(1, fail=True)
        except ValueError:
            pass
        print(marks)
    """
    once = [("begin", b"f", 3), "runs", ("end", b"f")]
    assert python(script) == str(once + once)


def test_decorated_generator_is_open_only_while_it_runs(python):
    script = """
        import inspect

        @vbtrace.section("g", 5)
        def generator():
            try:
                got = yield 1
                marks.append(got)
                yield 2
            except KeyError:
                yield 3
            return 4

        assert inspect.isgeneratorfunction(generator)
        def collect():
            result = yield from running
            marks.append(result)
        running = generator()
        outer = collect()
        assert next(outer) == 1
        assert outer.send("sent") == 2
        assert outer.throw(KeyError()) == 3
        assert list(outer) == []
        print(marks)

        marks.clear()
        running = generator()
        next(running)
        running.close()
        print(marks)
    """
    first, next_, end = ("begin", b"g", 5), ("begin", b"g", 0), ("end", b"g")
    marks = [first, end, next_, "sent", end, next_, end, next_, end, 4]
    assert python(script).splitlines() == [str(marks), str([first, end, next_, end])]


def test_decorated_coroutine_is_open_only_while_it_runs(python):
    script = """
        import asyncio, inspect

        @vbtrace.section("c", 5)
        async def coroutine(name):
            marks.append(name)
            await asyncio.sleep(0)
            marks.append(name)
            return name

        async def main():
            assert inspect.iscoroutinefunction(coroutine)
            print(await asyncio.gather(coroutine("a"), coroutine("b")))

        asyncio.run(main())
        print(marks)
    """
    first, next_, end = ("begin", b"c", 5), ("begin", b"c", 0), ("end", b"c")
    marks = [first, "a", end, first, "b", end, next_, "a", end, next_, "b", end]
    assert python(script).splitlines() == [str(["a", "b"]), str(marks)]


def test_decorated_asynchronous_generator(python):
    script = """
        import asyncio, inspect

        @vbtrace.section("ag", 5)
        async def generator():
            try:
                got = yield 1
                await asyncio.sleep(0)
                yield got
            except KeyError:
                yield "caught"

        async def main():
            assert inspect.isasyncgenfunction(generator)
            print([value async for value in generator()])
            running = generator()
            print(await running.asend(None), await running.asend("sent"), await running.athrow(KeyError()))
            running = generator()
            await running.__anext__()
            await running.aclose()

        asyncio.run(main())
        begun = sum(mark[0] == "begin" for mark in marks)
        assert [mark[0] for mark in marks] == ["begin", "end"] * begun
        print(sum(mark[2] for mark in marks if mark[0] == "begin"))
    """
    assert python(script).splitlines() == ["[1, None]", "1 sent caught", "15"]


def test_timer_marks_exactly_the_loop(python):
    script = """
        readings = iter(range(100))
        def timer():
            marks.append("reads")
            return next(readings)

        assert vbtrace.Timer("marks.append('runs')", "marks.append('setup')", timer, globals()).timeit(2) == 1
        print(marks)

        marks.clear()
        assert vbtrace.repeat("pass", timer=timer, repeat=2, number=3, label="named") == [1, 1]
        print(marks)

        marks.clear()
        def fails():
            raise KeyError
        try:
            vbtrace.timeit(fails, timer=timer, number=3)
        except KeyError:
            print(marks)
    """
    label = b"timeit marks.append('runs')"
    named = [("begin", b"named", 3), "reads", "reads", ("end", b"named")]
    assert python(script).splitlines() == [
        str(["setup", ("begin", label, 2), "reads", "runs", "runs", "reads", ("end", label)]),
        str(named + named),
        str([("begin", b"timeit fails", 3), "reads", ("end", b"timeit fails")]),
    ]


def test_autorange_gives_each_number_its_section(python):
    script = """
        clock = 0.0
        def timer():
            global clock
            clock += 0.05 * (len(marks) // 2)
            return clock

        number, seconds = vbtrace.Timer("pass", timer=timer, label="auto").autorange()
        numbers = [mark[2] for mark in marks if mark[0] == "begin"]
        assert numbers[:3] == [1, 2, 5] and numbers[-1] == number, numbers
        assert [mark[0] for mark in marks] == ["begin", "end"] * len(numbers)
        print("done")
    """
    assert python(script) == "done"
