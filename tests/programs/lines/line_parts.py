"""Lines executed in parts: with the function's entry before them, or with yields in them."""

import asyncio


def one(n): return bytes(n)  # fmt: skip


by_lambda = lambda n: bytes(n)  # noqa: E731


class Kept:
    def __init__(self): self.kept = bytes(5000)  # fmt: skip


def generating():
    before = bytes(1000); got = yield bytes(3000); after = bytes(2000)  # fmt: skip


async def waiting():
    before = bytes(4000); await asyncio.sleep(0); after = bytes(3000)  # fmt: skip
    return before, after


def listed(n): return [bytes(100) for i in range(n)]  # fmt: skip


kept = [one(1000), by_lambda(1000), Kept()]
generator = generating()
kept.append(next(generator))
kept.extend(generator)
kept.append(asyncio.run(waiting()))
kept.append(listed(5))
