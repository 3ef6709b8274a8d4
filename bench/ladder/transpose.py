"""The transpose of an n x 64 array: a view, and a copy."""

from needs_numpy import np
from variants import variant

SIZES = (1000, 2000, 4000, 8000)


def data(n):
    return (np.linspace(0, 1, 64 * n).reshape(n, 64),)


@variant(allocs="0", bytes="64 * 8 * n")
def copy(a):
    return np.ascontiguousarray(a.T)


@variant(allocs="0", bytes="0")
def view(a):
    return a.T
