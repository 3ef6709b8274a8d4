"""Measures one statement inside a traced interpreter: what `vbtrace run --memit` runs, see memit.c.

Its file name is "<vbtrace>", so that nothing it does itself counts for the statement: the
statement's frame, function and namespace exist before, and the interpreter's way in and out belongs
to this file. Given: out, a descriptor for the result: the resident set before and at its highest,
and the live heap before, in bytes.
"""

import ctypes
import gc
import os
import sys

STATUS = "/proc/self/status"

# Empties the cache of types' attributes: what is looked up otherwise frees now and then the name of
# what was looked up long ago.
forget_names = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache  # from 3.13 on; before


def resident(name):
    with open(STATUS, "rb") as status:
        for line in status:
            if line.startswith(name):
                return int(line.split()[1]) * 1024


def forget_peak():
    """Resets the kernel's peak of the resident set; false if the kernel cannot do that."""
    try:
        with open("/proc/self/clear_refs", "wb", buffering=0) as control:
            control.write(b"5")
    except OSError:
        return False
    return True


def peak_since(before, earlier):
    """The peak since forget_peak; if that failed, the best that the peak of the whole process,
    which was `earlier` before the statement, can tell."""
    peak = resident(b"VmHWM:")
    return peak if earlier is None or peak > earlier else max(before, resident(b"VmRSS:"))


def measure(statement, setup):
    os.set_inheritable(out, False)  # noqa: F821
    library = ctypes.PyDLL(None)
    begin, end, live = library.vbtrace_section_begin, library.vbtrace_section_end, library.vbtrace_live_bytes
    begin.argtypes, end.argtypes, live.restype = (ctypes.c_char_p, ctypes.c_uint64), (ctypes.c_char_p,), ctypes.c_int64
    names = sys.modules["__main__"].__dict__
    code = compile(statement, "<statement>", "exec")
    exec(compile(setup, "<setup>", "exec"), names)
    begin(b"first call", 0)
    end(b"first call")
    peak_since(0, resident(b"VmHWM:"))
    gc.collect()
    earlier = None if forget_peak() else resident(b"VmHWM:")
    forget_names()
    heap, before = live(), resident(b"VmRSS:")
    begin(b"memit", 1)
    exec(code, names)
    end(b"memit")
    os.write(out, b"%d %d %d\n" % (before, peak_since(before, earlier), heap))  # noqa: F821


statement, setup = sys.argv[1:]
del sys.argv[1:]
measure(statement, setup)
