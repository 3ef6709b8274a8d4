"""The positive part of every number: an if for each element, np.where, np.maximum."""

from needs_numpy import np
from variants import variant

SIZES = (2000, 4000, 8000, 16000)


def data(n):
    return np.linspace(-1, 1, n), np.empty(n)


@variant(allocs="5 * n // 2", bytes="(INT + FLOAT64) * n + FLOAT64 * n // 2")  # index, element; once more where it is taken
def an_if_each(a, out):
    for i in range(len(a)):
        out[i] = a[i] if a[i] > 0.0 else 0.0
    return out


@variant(allocs="0", bytes="n + 8 * n")  # which are positive, a byte each, and the result
def where(a, out):
    return np.where(a > 0.0, a, 0.0)


@variant(allocs="0", bytes="8 * n")
def maximum(a, out):
    return np.maximum(a, 0.0)
