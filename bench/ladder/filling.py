"""Filling an array one value at a time: np.append, a list first, an array made beforehand."""

from needs_numpy import np
from variants import variant

SIZES = (1000, 2000, 4000, 8000)


def data(n):
    return (np.linspace(0, 1, n).tolist(),)


@variant(
    allocs="(6 if NUMPY2 else 9) * n", bytes="8 * n * (n + 1) // 2 + (400 if NUMPY2 else 597) * n"
)  # every call copies the whole array
def append(values):
    out = np.empty(0)
    for value in values:
        out = np.append(out, value)
    return out


@variant(allocs="grown(n)[0]", bytes="grown(n)[1] + 8 * n")
def list_first(values):
    out = []
    for value in values:
        out.append(value)
    return np.array(out)


@variant(allocs="n", bytes="8 * n + INT * n")  # the indices
def beforehand(values):
    out = np.empty(len(values))
    for i in range(len(values)):
        out[i] = values[i]
    return out
