"""Mark sections of a Python program for vbtrace.

    import vbtrace

    with vbtrace.section("parse", iterations=len(lines)):
        for line in lines:
            parse(line)

    @vbtrace.section("step")
    def step(): ...

    vbtrace.timeit("sorted(data)", globals=globals(), number=1000)

    vbtrace.stop()
    prepare()       # only frees of blocks allocated before are recorded
    vbtrace.start()

The report then has time, allocations and bytes of each section, and per iteration. Without a
preloaded libvbtrace.so nothing happens, at almost no cost.

This module's own work is never counted: libvbtrace ignores allocations by code of this file, and
everything that must be allocated on the user's line exists before the section begins. An empty
section costs exactly 0.

Standard library only; one file; CPython 3.8 and later.
"""

import operator
import os
import timeit as _timeit
import types

__all__ = ["active", "start", "stop", "section", "begin", "end", "Timer", "timeit", "repeat"]

_MOST = 2**64 - 1  # iterations are passed as an unsigned 64-bit number
_LONGEST_STATEMENT = 60  # characters of a timed statement that become its label


def _connect():
    """The library's functions (begin, end, start, stop), or None if it is not in this process."""
    if "vbtrace" not in os.environ.get("LD_PRELOAD", ""):
        # It may be linked in, or named in /etc/ld.so.preload: then it is among the mapped files.
        try:
            with open("/proc/self/maps", "rb") as maps:
                if b"/libvbtrace" not in maps.read():
                    return None
        except OSError:
            return None
    try:
        import ctypes

        # PyDLL, not CDLL: the GIL stays held, so that no other thread runs between a mark and the
        # marked code.
        library = ctypes.PyDLL(None)
        begin_section, end_section, own_file = (
            library.vbtrace_section_begin,
            library.vbtrace_section_end,
            library.vbtrace_own_file,
        )
    except (ImportError, OSError, AttributeError):
        return None
    begin_section.argtypes, begin_section.restype = (ctypes.c_char_p, ctypes.c_uint64), None
    end_section.argtypes, end_section.restype = (ctypes.c_char_p,), None
    own_file.argtypes, own_file.restype = (ctypes.c_char_p,), None
    own_file(os.fsencode(_connect.__code__.co_filename))
    try:
        start_recording, stop_recording = library.vbtrace_recording_start, library.vbtrace_recording_stop
    except AttributeError:  # a library older than this module
        return begin_section, end_section, None, None
    start_recording.restype = stop_recording.restype = None
    return begin_section, end_section, start_recording, stop_recording


_begin = _end = _start = _stop = None  # the library's functions, set at the end of this file


def active():
    """True if libvbtrace.so is in this process, and sections are recorded."""
    return _begin is not None


def stop():
    """Stop recording, for the whole process: allocations from now on are in no report."""
    if _stop is not None:
        _stop()


def start():
    """Start recording again. With VBTRACE_DELAY=start a program starts with recording off."""
    if _start is not None:
        _start()


# Neither of these two raises: a program must not fail under vbtrace if it works without.
def _bytes(label):
    return str(label).encode("utf-8", "backslashreplace")


def _number(iterations):
    try:
        return min(max(int(iterations), 0), _MOST)
    except (TypeError, ValueError, OverflowError):
        return 0


def begin(label, iterations=0):
    """Begin a section of this thread; its cost is divided by iterations, unless that is 0 or
    None."""
    if _begin is not None:
        _begin(_bytes(label), _number(iterations))


def end(label):
    """End the innermost open section of this thread with this label, and those opened inside it."""
    if _end is not None:
        _end(_bytes(label))


def section(label, iterations=None):
    """A section as a context manager (`with section(...):`) and as a decorator (`@section(...)`).

    A decorated function is one section per call. A decorated generator, coroutine or asynchronous
    generator is a section each time it runs: from where it is resumed to where it yields or awaits
    something that is not ready, so that other code that runs meanwhile is not counted; the
    iterations are those of the first of these sections.
    """
    return _NOTHING if _begin is None else _Section(label, iterations)


class _Nothing:
    """Every section, without the library."""

    __slots__ = ()

    def __enter__(self):
        pass

    def __exit__(self, kind, error, traceback):
        pass

    def __call__(self, function):
        return function


_NOTHING = _Nothing()


class _Enter:
    """What `with` finds as __enter__: a function created beforehand.

    The bound method of an ordinary __enter__ is created before the section begins, and freed by the
    user's line after it has begun: one free too many in every section.
    """

    def __get__(self, owner, kind):
        return self if owner is None else owner._enter

    def __call__(self, owner):  # contextlib.ExitStack calls type(owner).__enter__(owner)
        return owner._enter()


class _Section:
    """A section, with the library."""

    __slots__ = ("_label", "_iterations", "_enter")

    def __init__(self, label, iterations):
        label = self._label = _bytes(label)
        iterations = self._iterations = _number(iterations)
        self._enter = lambda: _begin(label, iterations)

    __enter__ = _Enter()

    def __exit__(self, kind, error, traceback):
        _end(self._label)

    def __call__(self, function):
        import functools  # both are slow to import, and needed only here
        import inspect

        label, iterations = self._label, self._iterations
        if inspect.isasyncgenfunction(function):

            async def wrapper(*args, **kwargs):
                running = function(*args, **kwargs)
                step, left = running.__anext__(), iterations
                while True:
                    try:
                        value = await _in_steps(step, label, left)
                    except StopAsyncIteration:
                        return
                    left = 0
                    try:
                        step = running.asend((yield value))
                    except GeneratorExit:
                        await _in_steps(running.aclose(), label, 0)
                        raise
                    except BaseException as error:
                        step = running.athrow(error)

        elif inspect.iscoroutinefunction(function):

            async def wrapper(*args, **kwargs):
                return await _in_steps(function(*args, **kwargs), label, iterations)

        elif inspect.isgeneratorfunction(function):

            def wrapper(*args, **kwargs):
                return (yield from _in_steps(function(*args, **kwargs), label, iterations))

        else:

            def wrapper(*args, **kwargs):
                _begin(label, iterations)
                try:
                    return function(*args, **kwargs)
                finally:
                    _end(label)

        return functools.wraps(function)(wrapper)


@types.coroutine
def _in_steps(running, label, iterations):
    """Run a generator or awaitable to its end, passing everything through, with the section open
    only while it runs."""
    step, value = running.send, None
    while True:
        _begin(label, iterations)
        try:
            value = step(value)
        except StopIteration as stop:
            return stop.value
        finally:
            _end(label)
        iterations = 0
        try:
            value = yield value
            step = running.send
        except GeneratorExit:
            _begin(label, 0)
            try:
                running.close()
            finally:
                _end(label)
            raise
        except BaseException as error:
            step, value = running.throw, error


class Timer(_timeit.Timer):
    """timeit.Timer whose timed loop is a section, with timeit's number as iterations.

    label names the section; the default is the statement.
    """

    def __init__(self, stmt="pass", *args, label=None, **kwargs):
        super().__init__(stmt, *args, **kwargs)
        if _begin is None:
            return
        if label is None:
            label = " ".join(stmt.split()) if isinstance(stmt, str) else getattr(stmt, "__qualname__", repr(stmt))
            label = "timeit " + label[:_LONGEST_STATEMENT]
        label, loop = _bytes(label), self.inner

        def marked(turns, timer):
            # The loop reads its timer just before and just after: that is where its section begins
            # and ends.
            number = _number(operator.length_hint(turns))
            begun = ended = False

            def clock():
                nonlocal begun, ended
                if not begun:
                    begun = True
                    _begin(label, number)
                    return timer()
                now = timer()
                _end(label)
                ended = True
                return now

            try:
                return loop(turns, clock)
            finally:
                if begun and not ended:  # the statement raised
                    _end(label)

        self.inner = marked


def timeit(stmt="pass", setup="pass", timer=_timeit.default_timer, number=_timeit.default_number, globals=None, label=None):
    """timeit.timeit, with its loop as a section."""
    return Timer(stmt, setup, timer, globals, label=label).timeit(number)


def repeat(
    stmt="pass",
    setup="pass",
    timer=_timeit.default_timer,
    repeat=_timeit.default_repeat,
    number=_timeit.default_number,
    globals=None,
    label=None,
):
    """timeit.repeat, with its loops as sections."""
    return Timer(stmt, setup, timer, globals, label=label).repeat(repeat, number)


_library = _connect()
if _library is not None:
    # Up to CPython 3.10 the first call of a function allocates its frame. For the functions that
    # end a section, that would be inside the first section: call them once beforehand.
    _begin = _end = lambda *mark: None
    with section("first call"):
        end("first call")
    _begin, _end, _start, _stop = _library
