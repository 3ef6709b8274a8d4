"""How a ground-truth program ends: it says what the test cannot know by itself, and leaves with everything it made still alive."""

import json
import os
import sys


def size(value):
    """Bytes that were asked for to make an object of one block: itself and what the garbage collector keeps before it."""
    return sys.getsizeof(value)


def growth(container, add, items):
    """How a container grows: how often it asks for a new block, and for how many bytes in all."""
    empty = last = sys.getsizeof(container)
    times = total = 0
    for item in items:
        add(container, item)
        now = sys.getsizeof(container)
        if now != last:
            times, total, last = times + 1, total + now - empty, now
    return times, total


def tell_and_leave(**facts):
    print(json.dumps(facts), flush=True)
    os._exit(0)
