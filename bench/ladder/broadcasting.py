"""All differences between two sets of n numbers: pair by pair, row by row, by broadcasting."""

from needs_numpy import np
from variants import variant

SIZES = (128, 160, 192, 256)  # indices that exist already; rows beyond what NumPy keeps for the next array


def iterations(n):
    return n * n


def data(n):
    return np.linspace(0, 1, n), np.linspace(1, 2, n), np.empty((n, n))


@variant(
    allocs="3 * n * n + 2 * n", bytes="3 * FLOAT64 * n * n + RANGE * n"
)  # both numbers and their difference; a range for each row
def by_pair(a, b, out):
    for i in range(len(a)):
        for j in range(len(b)):
            out[i, j] = a[i] - b[j]
    return out


@variant(allocs="5 * n", bytes="8 * n * n + 312 * n")
def by_row(a, b, out):
    for i in range(len(a)):
        out[i] = a[i] - b
    return out


@variant(allocs="0", bytes="8 * n * n")
def broadcast(a, b, out):
    return a[:, None] - b[None, :]
