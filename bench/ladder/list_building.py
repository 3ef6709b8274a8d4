"""A list of n squares: by append, by comprehension, into a list of the right length."""

from variants import variant

SIZES = (1000, 2000, 4000, 8000)


def data(n):
    return ([i + 0.5 for i in range(n)],)


# A list reallocates as it grows, in a comprehension just as by append: both have the same peak.


@variant(allocs="n + grown(n)[0]", bytes="FLOAT * n + grown(n)[1]")
def append(values):
    squares = []
    for x in values:
        squares.append(x * x)
    return squares


@variant(allocs="n + grown(n)[0]", bytes="FLOAT * n + grown(n)[1]")
def comprehension(values):
    return [x * x for x in values]


@variant(allocs="(1 + own_int) * n", bytes="(FLOAT + POINTER + own_int * INT) * n")  # a square and an index each
def right_length(values):
    squares = [None] * len(values)
    for i in range(len(values)):
        squares[i] = values[i] * values[i]
    return squares
