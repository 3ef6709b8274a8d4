"""Keeps what the interpreter frees when it shuts down: in a cache, a module, a registered function.
Ends in the way that the argument names."""

import atexit
import functools
import os
import signal
import sys
import time


@functools.lru_cache(maxsize=None)
def cached(number):
    return bytes(10000 + number)  # cached


def at_end():
    last.append(bytes(5000))  # by a function of atexit: before anything is freed


last = []
atexit.register(at_end)
for i in range(200):
    cached(i)
time.sleep(1)
how = sys.argv[1]
if how == "exit":
    sys.exit(3)
if how == "_exit":
    os._exit(3)
if how == "raise":
    raise ValueError("as it was asked to")
if how in ("SIGTERM", "SIGINT"):
    os.kill(os.getpid(), getattr(signal, how))
    time.sleep(60)
