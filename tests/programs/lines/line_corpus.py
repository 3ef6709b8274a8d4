"""Small programs with every kind of control flow, whose lines are also counted by other tools.

usage: line_corpus.py [settrace|line_profiler]
    counts the lines of this file that way and prints [function, its first line, line, hits] as
    JSON; without an argument it only runs.
"""

import functools
import json
import sys
import threading

PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


@program
def insertion_sort(n=12):
    a = list(range(n, 0, -1))
    for i in range(1, len(a)):
        key = a[i]
        j = i - 1
        while j >= 0 and a[j] > key:
            a[j + 1] = a[j]
            j -= 1
        a[j + 1] = key
    return a


def merged(a):
    if len(a) < 2:
        return a
    middle = len(a) // 2
    left, right = merged(a[:middle]), merged(a[middle:])
    result = []
    while left and right:
        result.append((left if left[0] < right[0] else right).pop(0))
    return result + left + right


@program
def merge_sort():
    return merged([5, 2, 9, 1, 7, 3, 8])


@program
def recursion(n=6):
    return n if n < 2 else recursion(n - 1) + recursion(n - 2)


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


@program
def mutual_recursion():
    return is_even(9)


@program
def deep_recursion(n=300):
    if n == 0:
        return 0
    return 1 + deep_recursion(n - 1)


@program
def loops_with_else():
    for i in range(5):
        if i == 3:
            continue
        if i == 4:
            break
    else:
        i = -1
    while i > 0:
        i -= 2
    else:
        i = 10
    return i


@program
def loops_in_one_line(n=5):
    for i in range(n): pass
    while n: n -= 1
    total = 0
    for i in range(3): total += i; total *= 2
    return total


@program
def comprehensions():
    a = [x * 2 for x in range(6) if x % 2]
    b = {x: y for x in range(3) for y in range(2)}
    c = {x for x in a}
    d = [[y for y in range(x)] for x in range(3)]
    return a, b, c, d


@program
def generator_expressions():
    squares = (x * x for x in range(5))
    first = next(squares)
    return first + sum(squares) + max(
        y
        for y in range(3)
    )


def counter(n):
    for i in range(n):
        got = yield i
        if got:
            yield got * 2


@program
def generators():
    total = sum(counter(4))
    running = counter(3)
    next(running)
    total += running.send(5)
    running.close()
    return total


def guarded():
    try:
        while True:
            try:
                yield 1
            except ValueError:
                yield 2
    finally:
        pass


@program
def generators_with_errors():
    running = guarded()
    next(running)
    running.throw(ValueError())
    next(running)
    try:
        running.throw(KeyError())
    except KeyError:
        pass
    left = guarded()
    next(left)
    left.close()


def inner_steps():
    result = yield 1
    yield 2
    return result


def outer_steps():
    got = yield from inner_steps()
    yield got


@program
def delegation():
    return list(outer_steps())


class Step:
    def __await__(self):
        yield 1
        return 2


async def waits(n):
    total = 0
    for _ in range(n):
        total += await Step()
    return total


async def gives(n):
    for i in range(n):
        yield i + await waits(1)


async def gathers():
    found = [x async for x in gives(3)]
    async for y in gives(2):
        found.append(y)
    return found


@program
def coroutines():
    running = gathers()
    try:
        while True:
            running.send(None)
    except StopIteration as stop:
        return stop.value


def fails(n):
    if n == 0:
        raise ValueError(
            "at the bottom"
        )
    fails(n - 1)


@program
def exceptions():
    caught = 0
    for i in range(4):
        try:
            fails(i)
        except (KeyError, ValueError) as error:
            caught += len(str(error))
        else:
            caught -= 1
        finally:
            caught += 1
    return caught


def returns_through_finally():
    try:
        return 1
    finally:
        pass


@program
def reraised():
    try:
        try:
            returns_through_finally()
            {}["no"]
        except KeyError:
            raise RuntimeError("chained")
    except RuntimeError:
        return True


class Context:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return error[0] is ValueError


@program
def contexts():
    with Context() as a, Context() as b:
        pass
    with Context():
        raise ValueError
    with a:
        with b:
            result = 1
    return result


@program
def statements_of_several_lines():
    a = (
        1,
        len("abc"),
        max(
            2,
            3,
        ),
    )
    b = sum(
        a
    ) + \
        1
    text = """
    {}
    """.format(
        b
    )
    if (
        b
        and
        a
    ):
        b = {
            "a": a,
            "b": [
                b,
            ],
        }
    return (
        text,
        b,
    )


@program
def closures_and_lambdas():
    count = 0

    def bump():
        nonlocal count
        count += 1
        return count

    double = lambda x: (
        x
        * 2
    )
    return [bump() for _ in range(3)], double(bump()), (lambda: 1)()


@program
def callbacks():
    def key(x):
        return -x

    a = sorted([3, 1, 2], key=key)
    b = list(map(lambda x: x + 1, filter(None, [0, 1, 2])))
    return a, b, functools.reduce(lambda x, y: x + y, a)


def twice(function):
    @functools.wraps(function)
    def wrapper(*args):
        function(*args)
        return function(*args)

    return wrapper


@program
@twice
def decorated():
    x = 1
    return x


@program
def class_bodies():
    class Point:
        dimensions = 2
        names = [c for c in "xy"]

        def __init__(self, x):
            self.x = x

        @property
        def double(self):
            return self.x * 2

        @staticmethod
        def make(x):
            return Point(x)

        def __del__(self):
            self.x = None

    p = Point.make(4)
    q = p.double
    del p
    return q, Point.names


@program
def conditions():
    a = 3
    b = 1 if a > 2 else 2
    c = a and b or 5
    assert c, \
        "never"
    if a < 2:
        return 1
    elif a == 3:
        pass
    else:
        return 2
    return (d := b + c)


@program
def unfinished_loops():
    for x in counter(5):
        if x == 2:
            break
    return next((y for y in range(10) if y > 3), None)


@program
def early_returns():
    def find(n):
        for i in range(10):
            for j in range(10):
                if i * j == n:
                    return i, j
        return None

    return find(6), find(35), find(97)


@program
def code_made_anew():
    found = []
    for n in range(3):
        def made(n=n):
            return n + 1
        found.append(made())
    return found


def main():
    return [function() for function in PROGRAMS]


def by_settrace(counted="line"):
    hits = {}

    def count(frame, event, argument):
        code = frame.f_code
        if code.co_filename != __file__:
            return None
        if event == counted:
            key = code.co_name, code.co_firstlineno, frame.f_lineno
            hits[key] = hits.get(key, 0) + 1
        return count

    threading.settrace(count)
    sys.settrace(count)
    main()
    sys.settrace(None)
    return [[*key, count] for key, count in hits.items()]


def by_line_profiler():
    import line_profiler

    profiler = line_profiler.LineProfiler()
    for value in list(globals().values()):
        if getattr(value, "__code__", None) is not None and value.__module__ == __name__:
            profiler.add_function(value)
    profiler.enable_by_count()
    main()
    profiler.disable_by_count()
    # Version 4.0 counts hits in a map by the following line, of which its report shows only the
    # last.
    hits, maps = {}, profiler.c_code_map
    for code, hashes in profiler.code_hash_map.items():
        for entry in (entry for key in hashes for entry in maps.get(key, {}).values()):
            key = code.co_name, code.co_firstlineno, entry["lineno"]
            hits[key] = hits.get(key, 0) + entry["nhits"]
    return [[*key, count] for key, count in hits.items()]


if __name__ == "__main__":
    how = sys.argv[1] if len(sys.argv) > 1 else None
    if how is None:
        main()
    else:
        print(json.dumps({"settrace": by_settrace, "entries": lambda: by_settrace("call"), "line_profiler": by_line_profiler}[how]()))
