"""Every second column of an n x 64 array: by a list of columns, which copies, and by a slice, which
does not."""

from needs_numpy import np
from variants import variant

SIZES = (1000, 2000, 4000, 8000)
COLUMNS = list(range(0, 64, 2))


def data(n):
    return (np.linspace(0, 1, 64 * n).reshape(n, 64),)


@variant(allocs="0", bytes="32 * 8 * n")
def by_list(a):
    return a[:, COLUMNS]


@variant(allocs="0", bytes="0")
def by_slice(a):
    return a[:, ::2]
