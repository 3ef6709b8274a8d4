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

The report then has time, allocations and bytes of each section, and per iteration. The program can
ask, too:

    with vbtrace.section("parse") as cost:
        parse(line)
    assert cost.counters.allocations <= 3

    vbtrace.counters().peak_bytes           # of the process so far; of counters(thread=True)

Without a preloaded libvbtrace.so nothing happens, at almost no cost: counters are 0, and false.

This module's own work is never counted: libvbtrace ignores allocations by code of this file, and
everything that must be allocated on the user's line exists before the section begins. An empty
section costs exactly 0.

Standard library only; CPython 3.8 and later.
"""

import operator
import os
import timeit as _timeit
import types

__all__ = ["active", "counters", "Counters", "start", "stop", "section", "begin", "end", "Timer", "timeit", "repeat"]

_MOST = 2**64 - 1  # iterations are passed as an unsigned 64-bit number
_LONGEST_STATEMENT = 60  # characters of a timed statement that become its label


def _connect():
    """The library's functions (begin, end, start, stop, end and count, count), the type of its
    counts, and the library; or None if it is not in this process."""
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
        end_counted, count = library.vbtrace_section_end_counted, library.vbtrace_count
    except AttributeError:  # a library older than this module
        return begin_section, end_section, None, None, None, None, None, None
    start_recording.restype = stop_recording.restype = None
    counts = ctypes.c_int64 * len(Counters.__slots__[1:])
    end_counted.argtypes, count.argtypes = (ctypes.c_char_p, counts), (ctypes.c_int, counts)
    return begin_section, end_section, start_recording, stop_recording, end_counted, count, counts, library


class Counters:
    """What was allocated and freed: exact numbers, without what vbtrace itself causes.

    Of the process, of a thread, or of one run of a section; in Python's memory and the heap. Every
    number is 0, and the whole is false, if nothing was counted: the process is not traced, or
    recording is off, or a section has not ended yet.

    allocations, frees          of blocks
    allocated_bytes, freed_bytes
    live_bytes                  of the process; of a thread or section what it allocated less what
                                it freed, which may be negative
    peak_bytes                  the most that was live; of a section above its beginning; of a
                                thread 0, since it is not known
    """

    __slots__ = ("counted", "allocations", "frees", "allocated_bytes", "freed_bytes", "live_bytes", "peak_bytes")

    def __init__(self, counted=False, numbers=(0,) * 6):
        self.counted = counted
        self.allocations, self.frees, self.allocated_bytes, self.freed_bytes, self.live_bytes, self.peak_bytes = numbers

    def __bool__(self):
        return self.counted

    def __repr__(self):
        if not self.counted:
            return "Counters(nothing was counted: %s)" % ("not yet, or recording is off" if active() else "this process is not traced")
        return "Counters(%s)" % ", ".join("%s=%d" % (name, getattr(self, name)) for name in self.__slots__[1:])

    def __eq__(self, other):
        if not isinstance(other, Counters):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None


# What _connect returns, set at the end of this file.
_begin = _end = _start = _stop = _end_counted = _count = _Counts = _functions = None
_NOT_COUNTED = Counters()


def active():
    """True if libvbtrace.so is in this process, and sections are recorded."""
    return _begin is not None


def counters(thread=False):
    """What the process has allocated and freed so far, as Counters; thread: only this thread.

    Exact for this thread and for all that are at rest; of one that runs, what it does just now may
    be missing.
    """
    if _count is None:
        return _NOT_COUNTED
    numbers = _Counts()
    return Counters(True, numbers) if _count(bool(thread), numbers) else _NOT_COUNTED


# What the pytest plugin needs beside that; only where counters are counted.
def _restart_peak():
    """From now on there is a second peak of the process, which _count_lately tells."""
    _functions.vbtrace_peak_restart()


def _count_lately():
    numbers = _Counts()
    return Counters(True, numbers) if _count(2, numbers) else _NOT_COUNTED


def _end_and_count(label):
    """end(label), and what that section took."""
    numbers = _Counts()
    return Counters(True, numbers) if _end_counted(_bytes(label), numbers) else _NOT_COUNTED


def _section_lines(label, least):
    """Call paths at which sections with this label allocated at least so many bytes, as text, a
    line each (see the library's vbtrace_section_lines), and whether there was room for all."""
    import ctypes

    room, complete = ctypes.create_string_buffer(1 << 20), ctypes.c_int()
    write = _functions.vbtrace_section_lines
    write.argtypes = (ctypes.c_char_p, ctypes.c_uint64, ctypes.c_char_p, ctypes.c_uint64, ctypes.POINTER(ctypes.c_int))
    write(_bytes(label), least, room, len(room), ctypes.byref(complete))
    return room.value.decode("utf-8", "replace"), bool(complete.value)


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
    """A section as a context manager (`with section(...) as cost:`) and as a decorator
    (`@section(...)`).

    As a context manager it has its cost, once it has ended: cost.counters, of the run that ended
    last.

    A decorated function is one section per call. A decorated generator, coroutine or asynchronous
    generator is a section each time it runs: from where it is resumed to where it yields or awaits
    something that is not ready, so that other code that runs meanwhile is not counted; the
    iterations are those of the first of these sections.
    """
    return _NOTHING if _begin is None else _Section(label, iterations)


class _Nothing:
    """Every section, without the library."""

    __slots__ = ()
    counters = _NOT_COUNTED

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        pass

    def __call__(self, function):
        return function


_NOTHING = _Nothing()


class _Enter:
    """What `with` finds as __enter__: a method bound here.

    That of an ordinary __enter__ is created by the user's line before the section begins, and freed
    after it has begun: one free too many in every section. (A closure would not do: up to CPython
    3.10, its cells are created by the caller. Nor would one that the section keeps, which would be
    part of a cycle.)
    """

    def __get__(self, owner, kind):
        return self if owner is None else types.MethodType(_enter, owner)

    def __call__(self, owner):  # contextlib.ExitStack calls type(owner).__enter__(owner)
        return _enter(owner)


def _enter(section):
    _begin(section._label, section._iterations)
    return section


class _Section:
    """A section, with the library."""

    __slots__ = ("_label", "_iterations", "_numbers", "_counted")

    def __init__(self, label, iterations):
        self._label, self._iterations = _bytes(label), _number(iterations)
        self._counted = False
        self._numbers = _Counts() if _Counts is not None else None


    __enter__ = _Enter()

    def __exit__(self, kind, error, traceback):
        if _end_counted is not None:
            self._counted = _end_counted(self._label, self._numbers)
        else:
            _end(self._label)

    @property
    def counters(self):
        """What the run that ended last took, as Counters."""
        return Counters(True, self._numbers) if self._counted else _NOT_COUNTED

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
    _Counts = _library[-2]
    _begin = _end = _end_counted = lambda *mark: True
    with section("first call") as _first:
        end("first call")
    if _Counts is not None:
        _first.counters
    del _first
    _begin, _end, _start, _stop, _end_counted, _count, _Counts, _functions = _library
    counters()
