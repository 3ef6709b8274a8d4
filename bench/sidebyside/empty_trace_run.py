"""Runs a Python program with a trace function in C that does nothing, in place while functions run that carry @profile.

    empty_trace_run.py PROGRAM [ARGUMENT ...]

The function is libc's abs: of what it is called with it takes the first for a number, which is a null pointer here, and its 0 says that
all is well.
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
