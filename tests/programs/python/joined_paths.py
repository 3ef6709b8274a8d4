"""Stacks that are easily taken for one another: the same Python frames, executing the same
instructions, under other native ones, and the other way round. Blocks are identified by their
sizes.

`first` and `second` call what they are given. Whether C is between the two functions, or between
the second and what it calls, only the interpreter's own notes show: the frames, their instructions
and the return addresses are the same."""

import asyncio
import functools
import itertools
import sys

ROUNDS = 100


def block(size):
    return bytearray(size - 1)  # which requests one byte more


SIZES = itertools.cycle([10001, 20001])


def last(_):
    return block(next(SIZES))


def first(function, argument):
    return function(argument)


def second(function):
    return function(None)


class Operand:
    """Its operator is found from the left, from the right, and in C's own way."""

    def __add__(self, other):
        return block(30001)

    __radd__ = __add__

    def __index__(self):
        return len(block(40001)) and 1


def add(left, right):
    return left + right


def recursive(depth, through_c):
    if depth == 0:
        return block(50001)
    call = functools.partial(recursive, depth - 1, through_c // 2) if through_c % 2 else None
    return call() if call else recursive(depth - 1, through_c // 2)


def generate(depth):
    if depth > 0:
        yield from generate(depth - 1)
    yield block(60001)


def fail(depth):
    if depth == 0:
        raise ValueError(block(70001))
    fail(depth - 1)


async def wait(depth):
    if depth > 0:
        await wait(depth - 1)
    await asyncio.sleep(0)
    return block(80001)


def alternate():
    for function, argument in [(second, functools.partial(last)), (functools.partial(second), last)] * ROUNDS:
        first(function, argument)


def everything():
    alternate()
    ours, numbers = Operand(), [1, 2, 3]
    for turn in range(ROUNDS):
        add(ours, 1)
        add(1, ours)
        add(ours, ours)
        numbers[ours]
        recursive(12, turn * 2654435761 % 4096)
        for depth in range(turn % 7):
            list(generate(depth))
        try:
            fail(turn % 9)
        except ValueError:
            block(70002)
    asyncio.run(wait(6))
    sys.settrace(lambda *_: None)
    recursive(6, 21)
    sys.settrace(None)


everything()
