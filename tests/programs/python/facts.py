"""How a ground-truth program ends: it prints what the test cannot know by itself, and exits with
all its objects alive."""

import json
import os
import sys
import sysconfig

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
ITEMS_HEADER = 8 if FREE_THREADED else 0  # before the items of a list: its capacity


def size(value):
    """Bytes requested for an object of one block: the object and the garbage collector's header."""
    return sys.getsizeof(value)


def int_size():
    """Bytes requested for a computed int of one digit: from 3.11 on the padded C struct."""
    return size(1000) if sys.version_info < (3, 11) else two_digits_size()


def two_digits_size():
    return size(1 << 40)


def growth(container, add, items):
    """How a container grows: how often it requests a new block, and how many bytes in all."""
    empty = last = sys.getsizeof(container)
    header = ITEMS_HEADER if isinstance(container, list) else 0
    times = total = 0
    for item in items:
        add(container, item)
        now = sys.getsizeof(container)
        if now != last:
            times, total, last = times + 1, total + now - empty + header, now
    return times, total


def tell_and_leave(**facts):
    print(json.dumps(facts), flush=True)
    os._exit(0)
