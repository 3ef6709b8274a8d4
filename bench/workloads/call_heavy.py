"""Many calls and almost no allocation: the cost of calls alone. Argument: turns of the loop, six
calls each."""

import builtins
import itertools
import sys

hot = getattr(builtins, "profile", lambda function: function)  # memory_profiler measures functions with its decorator


def leaf(value):
    return value


def pair(value):
    return leaf(value) and leaf(value)


def tree(value):
    return pair(value) and pair(None)


@hot
def loop(size):
    for _ in itertools.repeat(None, size):
        tree(True)


loop(int(sys.argv[1]))
