"""What n orders cost in all: row by row, by columns, by columns without a temporary."""

from needs_numpy import np
from variants import variant

SIZES = (1000, 2000, 4000, 8000)


def data(n):
    orders = np.empty(n, [("price", float), ("quantity", float)])
    orders["price"], orders["quantity"] = np.linspace(1, 2, n), np.linspace(2, 3, n)
    return (orders,)


@variant(allocs="(17 if NUMPY2 else 15) * n", bytes="(1370 if NUMPY2 else 1242) * n")
def by_row(orders):
    total = 0.0
    for order in orders:
        total += order["price"] * order["quantity"]
    return total


@variant(allocs="0", bytes="8 * n")
def by_column(orders):
    return np.sum(orders["price"] * orders["quantity"])


@variant(allocs="0", bytes="0")
def dot(orders):
    return np.dot(orders["price"], orders["quantity"])
