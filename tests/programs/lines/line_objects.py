"""Sums a list of floats: each step makes one float from the free list, without a request."""


def add_up(floats):
    total = 0.5
    for x in floats:
        total += x
    return total


def with_lists(n):
    for _ in range(n):
        a = [None]
        del a


def with_tuples(n):
    for i in range(n):
        a = (n, n)
        a = (n, (n, n, n), a)
        a = (n,) * 20


def with_dicts(n):
    for i in range(n):
        a = {i: i}
        b = [a, a]
    return b


N = 10_000

if __name__ == "__main__":
    add_up([float(i) for i in range(N)])
    with_lists(N)
    with_tuples(N)
    with_dicts(N)
