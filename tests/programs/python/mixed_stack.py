"""Python called by C called by Python: the functions on the stack of each block. Blocks are
identified by their sizes."""

import functools
import threading


def block(size):
    return bytearray(size - 1)  # which requests one byte more


def direct():
    return block(10001)


def reduced(size):
    return functools.reduce(lambda _, item: block(size + item), [0, 0])


def nested(depth):
    if depth == 0:
        return block(20001)
    return max([depth], key=lambda item: nested(item - 1) and item)


def generated():
    yield block(30001)


class Compared:
    def __init__(self, size):
        self.size = size

    def __lt__(self, other):
        return len(block(self.size)) < 0

    def __del__(self):
        block(self.size + 1)


def drop():
    Compared(50001)


def in_thread():
    nested(2)


direct()
reduced(11001)
nested(3)
list(generated())
sorted([Compared(40001), Compared(40001)])
drop()
thread = threading.Thread(target=in_thread)
thread.start()
thread.join()
