"""2 a + 1, element by element and on the whole array."""

from needs_numpy import np
from variants import variant

SIZES = (1000, 2000, 4000, 8000)


def data(n):
    return np.linspace(0, 1, n), np.empty(n)


@variant(allocs="4 * n", bytes="(INT + 3 * FLOAT64) * n")  # the index, the element, the product, the sum
def by_index(a, out):
    for i in range(len(a)):
        out[i] = a[i] * 2.0 + 1.0
    return out


@variant(allocs="0", bytes="2 * n * 8")  # a temporary array and the result
def whole(a, out):
    return a * 2.0 + 1.0


@variant(allocs="0", bytes="0")
def in_place(a, out):
    np.multiply(a, 2.0, out=out)
    return np.add(out, 1.0, out=out)
