"""n products of 4 x 4 matrices: one by one, by einsum, by one batched matmul."""

from needs_numpy import np
from variants import variant

SIZES = (500, 1000, 2000, 4000)
PRODUCT = 4 * 4 * 8


def data(n):
    return np.linspace(0, 1, 16 * n).reshape(n, 4, 4), np.linspace(1, 2, 16 * n).reshape(n, 4, 4), np.empty((n, 4, 4))


@variant(allocs="7 * n", bytes="(872 if NUMPY2 else 840) * n")
def one_by_one(x, y, out):
    for i in range(len(x)):
        out[i] = x[i] @ y[i]
    return out


@variant(allocs="0", bytes="PRODUCT * n")
def einsum(x, y, out):
    return np.einsum("nij,njk->nik", x, y)


@variant(allocs="0", bytes="PRODUCT * n")
def batched(x, y, out):
    return x @ y


@variant(allocs="0", bytes="0")
def batched_into(x, y, out):
    return np.matmul(x, y, out=out)
