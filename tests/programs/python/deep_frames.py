"""Deep stacks whose inner frames come and go: calls and returns over the ends of the interpreter's
chunks of frames, generators, exceptions, C in between, threads, and at one depth a loop."""

import functools
import itertools
import random
import sys
import threading

sys.setrecursionlimit(20000)
TURNS = 5000


class Node:
    def __init__(self, depth):
        self.items = [depth]


def tree(depth, width):
    nodes = [Node(depth)]
    if depth > 0:
        for _ in range(width if depth < 8 else 1):
            nodes += tree(depth - 1, width)[:2]
    return nodes


def generate(depth):
    if depth > 0:
        yield from generate(depth - 1)
    yield [depth]


def fail(depth):
    if depth == 0:
        raise ValueError([depth])
    try:
        fail(depth - 1)
    except ValueError:
        if depth % 7 == 0:
            raise ValueError([depth])
        raise


def under(depth, function):
    """Calls the function under so many frames, some of them called by C."""
    if depth == 0:
        return function()
    items = [depth]
    result = under(depth - 1, function) if depth % 50 else functools.partial(under, depth - 1)(function)
    items.append(depth)
    return result


def swing():
    """Comes back to the same depth again and again, by other ways."""
    depths = random.Random(1)
    for turn in range(40):
        under(depths.randrange(1, 300), lambda: [turn, [turn]])


def everything():
    tree(9, 2)
    list(generate(100))
    try:
        fail(100)
    except ValueError:
        swing()


def loop():
    for _ in itertools.repeat(None, TURNS):
        object()  #= allocs TURNS; frees TURNS


def run():
    for depth in (3, 70, 130, 260, 700):
        under(depth, everything)


under(1500, loop)
threading.stack_size(256 << 20)
thread = threading.Thread(target=run)
thread.start()
thread.join()
run()
