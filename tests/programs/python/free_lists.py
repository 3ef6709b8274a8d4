"""Empties CPython's free lists, so that the next objects come from the allocators.

CPython keeps freed floats, tuples, lists, dicts and more for later use; an object served from such
a list makes no request. A program that must know the requests of each of its lines calls empty()
first, and keeps all objects from then on.
"""

_HELD = []

# More than any list holds: 2,000 tuples of each length, 255 contexts, 200 frames, 100 floats and
# ints, 80 lists, dicts and keys.
_MORE = 2100


class _Instance:
    def __init__(self):
        self.attribute = None

    def method(self):
        pass


def _frames(depth):
    return depth and _frames(depth - 1)


async def _asynchronous():
    yield None


def _empty_once():
    held = [None] * 24
    numbers = tuple(range(300, 300 + _MORE))
    for length in range(1, 21):
        held[length - 1] = [tuple([None] * length) for _ in numbers]
    held[20] = [(0.5 + n, n + 10_000, [n], {n: n}, {"a": n, "b": n}, _Instance(), slice(n), range(n), iter([n])) for n in numbers[:400]]
    held[21] = [_Instance().method for _ in numbers[:400]] + [{}.keys() for _ in numbers[:400]] + [[].append for _ in numbers[:400]]
    held[22] = [_asynchronous().__anext__() for _ in numbers[:100]]
    held[23] = numbers
    _HELD.append(held)


def empty():
    _frames(250)
    _empty_once()
    _empty_once()  # what the first time left
