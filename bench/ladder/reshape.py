"""An n x 64 array in Fortran order, flattened: in C order, which copies, and in its own order,
which does not."""

from needs_numpy import np
from variants import variant

SIZES = (1000, 2000, 4000, 8000)


def data(n):
    return (np.asfortranarray(np.linspace(0, 1, 64 * n).reshape(n, 64)),)


def result(flat):
    return np.sort(flat)


@variant(allocs="0", bytes="64 * 8 * n")
def in_order_of_c(a):
    return a.reshape(-1)


@variant(allocs="0", bytes="0")
def in_its_own(a):
    return a.ravel(order="K")
