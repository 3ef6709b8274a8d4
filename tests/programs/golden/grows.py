"""Grows until it is killed, as a process is that the kernel finds too large."""
import os
import signal

cache = {}


def look_up(key):
    if key not in cache:
        cache[key] = bytes(10_000)
    return cache[key]


for number in range(3000):
    look_up(f"key {number}")
os.kill(os.getpid(), signal.SIGKILL)
