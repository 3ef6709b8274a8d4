"""What a workload of the ladder consists of: variants of the same work, the naive one first, each
with the allocations it is expected to make.

A workload is a file beside this one. Its docstring says in one line what it compares. It has

    SIZES                 four sizes n, each twice the one before
    iterations(n)         the divisor of costs; n if there is no such function
    data(n)               the arguments of every variant, as a tuple; made before measuring
    result(value)         the part of a variant's value that must be equal for all; all of it if
                          there is no such function

and functions decorated with @variant. An expectation is a Python expression in n (a string;
constants may be omitted): measured at any two sizes, allocations and bytes must differ by exactly
what the expression differs. So "2 * n" is two per iteration plus a constant, and "0" is the same at
every size. Besides n, expressions may use NAMES and whatever their workload defines.
"""

import math
import sys

try:
    import numpy
except ImportError:
    numpy = None

VARIANTS = []  # of the workload that is being imported

POINTER = 8


class Absent(Exception):
    """A variant that is not available; its text says why."""


def variant(allocs, bytes):
    """Decorate a variant with the allocations it is expected to make, as far as they depend on
    n."""

    def add(function):
        function.expected = {"allocs": allocs, "bytes": bytes}
        VARIANTS.append(function)
        return function

    return add


def grown(n):
    """How often a list that is appended to reallocates until it has n items, and how many bytes it
    requests in all."""
    items, times, total = [], 0, 0
    empty = last = sys.getsizeof(items)
    for _ in range(n):
        items.append(None)
        now = sys.getsizeof(items)
        if now != last:
            times, total, last = times + 1, total + now - empty, now
    return times, total


def log2(n):
    return n.bit_length() - 1


def size(value):
    """Bytes of an object, including the garbage collector's header."""
    return sys.getsizeof(value)


NAMES = {
    "v": sys.version_info[:2],
    "own_int": sys.version_info < (3, 14),  # from then on an int reuses the memory of the one freed before
    "NUMPY2": numpy is not None and not numpy.__version__.startswith("1."),
    "grown": grown,
    "log2": log2,
    "size": size,
    "POINTER": POINTER,
    "FLOAT": sys.getsizeof(0.5),
    "FLOAT64": 24,  # np.float64(0.5)
    "INT": sys.getsizeof(1000)
    if sys.version_info < (3, 11)
    else sys.getsizeof(1 << 40),  # computed; from 3.11 on the padded C struct
    "RANGE": sys.getsizeof(range(1)) + sys.getsizeof(iter(range(1))),  # two objects
    "STR": sys.getsizeof(""),  # of an empty string; each character adds one byte
    "math": math,
}
