"""What a workload of the ladder is made of: variants of the same work, the naive first, each with what it is expected to allocate.

A workload is a file beside this one. Its docstring says in one line what it compares. It has

    SIZES                 four sizes n, each twice the one before
    iterations(n)         what costs are divided by; n if there is no such function
    data(n)               what every variant works on, as a tuple of arguments; it is made before anything is measured
    result(value)         what of a variant's value must be the same for all; the value if there is no such function

and functions decorated with @variant. An expectation is a Python expression in n (a string; constants may be left away):
measured at any two sizes, allocations and bytes must differ by exactly what the expression differs. So "2 * n" is two an
iteration and whatever it takes to begin, and "0" is the same at every size. What expressions may use
besides n is in NAMES, and what their workload defines.
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
    """A variant that cannot be here; its text says why."""


def variant(allocs, bytes):
    """Decorate a variant, with what it is expected to allocate, as far as that depends on n."""

    def add(function):
        function.expected = {"allocs": allocs, "bytes": bytes}
        VARIANTS.append(function)
        return function

    return add


def grown(n):
    """How often a list that is appended to asks for another block until it has n items, and for how many bytes in all."""
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
    """Bytes of an object, with what the garbage collector keeps before it."""
    return sys.getsizeof(value)


NAMES = {
    "v": sys.version_info[:2],
    "own_int": sys.version_info < (3, 14),  # from then on, an int takes the place of the one that died
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
    "STR": sys.getsizeof(""),  # of a string of no characters, and of any character more one byte
    "math": math,
}
