"""Idioms for which the interpreter does additional work under tracing: argv[1] turns of each."""

import asyncio
import sys

TURNS = int(sys.argv[1])
text, numbers, table = "abc", (1, 2, 3), {1: 2}


def methods():
    out = []
    for i in range(TURNS):
        out.append(i)
        text.find("b")
        table.get(1)
        numbers.index(3)
        str.find(text, "b")
        text.encode(encoding="ascii")
        str.encode(*("abc",))
        str.encode(*("abc",), **{})
        text.find(str(i + 1000))
        bound = [].append
        bound(i)


def comprehensions():
    squares = [i * i for i in range(TURNS)]
    odd = {i for i in squares if i % 2}
    return {i: str(i) for i in odd}


def functions():
    def local(a, b=1, *, c=2):
        return str(a)

    for i in range(TURNS):
        local(i + 1000)
        local(i, c=5)
        (lambda: [i, i])()


def seven():
    yield 1
    return 7


def delegating():
    for i in range(TURNS):
        got = yield from seven()


def generators():
    for i in range(TURNS):
        one = seven()
        next(one)
        try:
            next(one)
        except StopIteration:
            pass
        list(seven())
        sum(i for i in range(3))
    for i in delegating():
        pass


def ends():
    """Where any monitoring makes the interpreter take another path: from 3.12 on for a loop's
    generator that returns a value, from 3.14 on for one that is closed."""
    for i in range(TURNS):
        if sys.version_info < (3, 12):
            for j in seven():
                pass
        if sys.version_info < (3, 14):
            one = seven()
            next(one)
            one.close()


class Countdown:
    def __init__(self):
        self.left = 2

    def __iter__(self):
        return self

    def __next__(self):
        self.left -= 1
        if self.left == 0:
            raise StopIteration(3)
        return self.left


def iterators():
    for i in range(TURNS):
        for j in Countdown():
            pass
        sum(Countdown())


def deep(depth):
    if depth:
        return deep(depth - 1)
    raise ValueError("deep")


class Forgiving:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return True


def exceptions():
    for i in range(TURNS):
        try:
            raise KeyError(i)
        except KeyError:
            pass
        try:
            deep(5)
        except ValueError:
            pass
        try:
            try:
                int("x")
            finally:
                pass
        except ValueError:
            pass
        with Forgiving():
            raise KeyError


async def value(of):
    return of


async def counting(to):
    for i in range(to):
        yield i


async def waiting():
    for i in range(TURNS):
        await value(None)
        five = await value(5)
        pair = await value((1, 2))
        await asyncio.sleep(0)
        async for j in counting(3):
            pass
        some = [j async for j in counting(3)]
        stopped = counting(3)
        await stopped.__anext__()
        await stopped.aclose()


def far_down():
    """Bytecode offsets beyond the preallocated ints."""
    a = 0
    # fmt: off
    a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a
    a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a
    a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a
    a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a
    a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a; a = a
    # fmt: on
    for i in range(TURNS): a = str(i + 1000)
    b = [str(i + 1000) for i in range(TURNS)]
    for i in range(TURNS):
        try:
            raise KeyError
        except KeyError:
            yield str(i + 1000)


methods()
comprehensions()
functions()
generators()
ends()
iterators()
exceptions()
asyncio.run(waiting())
for each in far_down():
    pass
