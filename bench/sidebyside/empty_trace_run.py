"""Runs a Python program with a trace function in C that does nothing, installed while functions
with @profile run.

    empty_trace_run.py PROGRAM [ARGUMENT ...]

The function is libc's abs: its argument is the first one of a trace function, a null pointer here,
and its result, 0, means success.
"""

import builtins
import ctypes
import functools
import runpy
import sys

set_trace = ctypes.pythonapi.PyEval_SetTrace
set_trace.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
set_trace.restype = None
nothing = ctypes.cast(ctypes.CDLL(None).abs, ctypes.c_void_p)


def profile(function):
    @functools.wraps(function)
    def traced(*arguments):
        set_trace(nothing, None)
        try:
            return function(*arguments)
        finally:
            set_trace(None, None)

    return traced


builtins.profile = profile
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
