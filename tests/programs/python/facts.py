"""How a ground-truth program ends: it says what the test cannot know by itself, and leaves with everything it made still alive."""

import json
import os
import sys
import sysconfig

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
ITEMS_HEADER = 8 if FREE_THREADED else 0  # before the items of a list: how many there is room for


def size(value):
    """Bytes that were asked for to make an object of one block: itself and what the garbage collector keeps before it."""
    return sys.getsizeof(value)


def int_size():
    """Bytes that are asked for to make an int of one digit by computing: from 3.11 on as the padded C struct."""
    return size(1000) if sys.version_info < (3, 11) else two_digits_size()


def two_digits_size():
    return size(1 << 40)


def growth(container, add, items):
    """How a container grows: how often it asks for a new block, and for how many bytes in all."""
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
