"""The sum of n squares: a loop, a comprehension, np.sum of an array of squares, np.dot."""

from needs_numpy import np
from variants import variant

SIZES = (1000, 2000, 4000, 8000)


def data(n):
    a = np.linspace(0, 1, n)
    return a.tolist(), a


@variant(allocs="0", bytes="0")  # squares and sums come from the free list of floats
def loop(values, a):
    total = 0.0
    for x in values:
        total += x * x
    return total


@variant(allocs="n + grown(n)[0]", bytes="FLOAT * n + grown(n)[1]")
def comprehension(values, a):
    return sum([x * x for x in values])


@variant(allocs="0", bytes="8 * n")  # the array of squares
def np_sum(values, a):
    return np.sum(a * a)


@variant(allocs="0", bytes="0")
def np_dot(values, a):
    return np.dot(a, a)
