"""Code that does not run from top to bottom: generators, async, exceptions, exec, __del__, deep
recursion, callbacks. The marks are explained in ground_truth_objects.py; old is 1 up to 3.10, where
each call of Python code makes a frame object, and new is 1 from 3.11 on, where a frame object is
made only on demand, and generators and coroutines in their def line."""

import functools
import gc
import sys
import threading

import facts
import free_lists

N = 10_000
DEPTH = 3_000
PLACES = dict.fromkeys(range(N))  # the iterator of a dict comes from no free list
NOTHING = [None] * N
FLOAT = facts.size(0.5)


def halves(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = i + 0.5  #= allocs N; bytes N * FLOAT
        yield i  #= allocs 2 * old -- code that ran 1,024 times gets a cache


def generator(kept):
    for _ in halves(kept):  #= allocs 2 * old; frees old -- the generator and its frame, which stays with the code
        pass  #= none


def quarter(i):
    return i + 0.25  #= allocs N; bytes N * FLOAT


def generator_expression(kept):
    source = (quarter(i) for i in PLACES)
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = next(source)  #= none -- the generator's line makes the requests


async def half(i):
    return i + 0.5  #= allocs N + 1; bytes (N + 1) * FLOAT


async def halves_awaited(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = await half(i)  #= allocs N * old; frees N * old -- the coroutine


def asynchronous(kept):
    running = halves_awaited(kept)
    try:
        running.send(None)
    except StopIteration:
        pass


def raised(kept):
    for i in PLACES:
        try:
            raise ValueError  #= allocs 2 * N + new; frees 2 * N + new -- exception, traceback; once a frame object
        except ValueError:
            kept[i] = i + 0.5  #= allocs N; bytes N * FLOAT


class Mortal:
    __slots__ = ("kept", "place")

    def __init__(self, kept, place):
        self.kept, self.place = kept, place

    def __del__(self):
        self.kept[self.place] = self.place + 0.5  #= allocs N + 1; bytes (N + 1) * FLOAT


def died(kept):
    for i in PLACES:  #= allocs 1; frees 1
        mortal = Mortal(kept, i)  #= allocs N; frees N; bytes N * mortal_size
        del mortal  #= none -- the line of __del__ makes the requests


def executed(kept):
    """Each line of generated.py runs once; the code objects die, and their addresses are reused."""
    names = {"kept": kept, "half": 0.5}
    for i in range(DEPTH):
        exec(compile("\n" * i + f"kept[{i}] = {i} + half", "generated.py", "exec"), names)


def recursion(kept, depth):
    if depth:
        kept[depth] = depth + 0.5  #= allocs DEPTH; bytes DEPTH * FLOAT
        recursion(kept, depth - 1)


def recursion_in_a_large_thread(kept):
    def work():
        free_lists.empty()  # the floats that starting a thread left there
        recursion(kept, DEPTH)

    threading.stack_size(256 << 20)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    threading.stack_size(0)


def sort_key(i):
    return i + 0.5  #= allocs N; frees N - 100; bytes N * FLOAT -- sort drops the keys, and 100 of them stay in the free list


def mapped(i):
    return i + 0.5  #= allocs N; bytes N * FLOAT


@functools.lru_cache(maxsize=None)
def cached(i):
    return i + 0.5  #= allocs N; bytes N * FLOAT


def called_back(left, right, kept):
    kept[right] = right + 0.5  #= allocs N - 1; bytes (N - 1) * FLOAT
    return right


def by_reduce(kept):
    functools.reduce(lambda left, right: called_back(left, right, kept), PLACES)


def main():
    gc.disable()
    free_lists.empty()
    made = [NOTHING.copy() for _ in range(20)]
    sys.setrecursionlimit(2 * DEPTH)
    try:
        half(0).send(None)
    except StopIteration as stop:
        made.append(stop.value)
    Mortal(made[9], 0)  # the first use allocates more: frames, up to 3.10
    mortal = Mortal(made[9], 1)
    generator(made[0])
    generator_expression(made[1])
    asynchronous(made[2])
    raised(made[3])
    died(made[4])
    executed(made[5])
    recursion_in_a_large_thread(made[6])
    by_reduce(made[7])
    made.append(list(map(mapped, PLACES)))
    made.append([cached(i) for i in PLACES])
    made[8][:] = PLACES
    made[8].sort(key=sort_key)
    old = int(sys.version_info < (3, 11))
    facts.tell_and_leave(N=N, DEPTH=DEPTH, FLOAT=FLOAT, old=old, new=1 - old, mortal_size=facts.size(mortal))


main()
