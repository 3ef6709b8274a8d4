"""Cosine similarity of all pairs of n vectors of 16 numbers: three loops, each pair once, NumPy,
compiled code if available."""

import math
import sys

from needs_numpy import np
from variants import variant

SIZES = (128, 160, 192, 256)  # indices that exist already; arrays beyond what NumPy keeps for the next one
DIMENSIONS = 16
ABSENT = {}
ITERATORS = sys.getsizeof(zip()) + 2 * sys.getsizeof(iter([]))  # per call of cosine()


def iterations(n):
    return n * n


def data(n):
    a = np.cos(np.arange(n * DIMENSIONS, dtype=float)).reshape(n, DIMENSIONS)
    return a.tolist(), a, np.empty((n, n))


def cosine(x, y):
    dot = xx = yy = 0.0
    for p, q in zip(x, y):
        dot += p * q
        xx += p * p
        yy += q * q
    return dot / math.sqrt(xx * yy)


@variant(allocs="3 * n * n + 2 * n", bytes="ITERATORS * n * n + RANGE * n")
def three_loops(vectors, a, out):
    for i in range(len(vectors)):
        for j in range(len(vectors)):
            out[i, j] = cosine(vectors[i], vectors[j])
    return out


@variant(allocs="3 * n * (n + 1) // 2 + 2 * n", bytes="ITERATORS * n * (n + 1) // 2 + RANGE * n")
def each_pair_once(vectors, a, out):
    for i in range(len(vectors)):
        for j in range(i + 1):
            out[i, j] = out[j, i] = cosine(vectors[i], vectors[j])
    return out


@variant(allocs="0", bytes="8 * n * n + 2 * 8 * DIMENSIONS * n + 2 * 8 * n")
def numpy(vectors, a, out):
    unit = a / np.sqrt(np.einsum("ij,ij->i", a, a))[:, None]
    return unit @ unit.T


try:
    import cosine_cython
except ImportError:
    ABSENT["cython"] = "not built"
else:

    @variant(allocs="0", bytes="0")
    def cython(vectors, a, out):
        cosine_cython.cosines(a, out)
        return out


try:
    import numba
except ImportError:
    ABSENT["numba"] = "no Numba (on Debian: apt install python3-numba)"
else:

    @numba.njit
    def jitted(a, out):
        for i in range(a.shape[0]):
            for j in range(a.shape[0]):
                dot = xx = yy = 0.0
                for k in range(a.shape[1]):
                    dot += a[i, k] * a[j, k]
                    xx += a[i, k] * a[i, k]
                    yy += a[j, k] * a[j, k]
                out[i, j] = dot / math.sqrt(xx * yy)

    @variant(allocs="0", bytes="0")
    def by_numba(vectors, a, out):
        jitted(a, out)
        return out


try:
    import cosine_c
except ImportError:
    ABSENT["c_extension"] = "not built"
else:

    @variant(allocs="0", bytes="0")
    def c_extension(vectors, a, out):
        cosine_c.cosines(a, out)
        return out
