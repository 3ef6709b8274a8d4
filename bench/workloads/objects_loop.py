"""Short-lived objects of every common kind: dicts, tuples, strings, instances. Argument: turns of
the loop."""

import builtins
import sys

hot = getattr(builtins, "profile", lambda function: function)  # memory_profiler measures functions with its decorator


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


@hot
def loop(size):
    for i in range(size):
        entry = {"key": i, "value": "text"}
        numbers = (i, i + 1, i + 2)
        name = f"item {i}"
        point = Point(i, name)
    return size and (entry, numbers, point)


loop(int(sys.argv[1]))
