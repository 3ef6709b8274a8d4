"""Sorting n numbers that are in descending order: insertion sort, merge sort with slices,
sorted()."""

from variants import variant

SIZES = (32, 64, 128, 256)  # up to 256 the indices are integers that exist already


def data(n):
    return ([n - i for i in range(n)],)


@variant(allocs="0", bytes="POINTER * n")  # the list that is sorted
def insertion(values):
    values = values[:]
    for i in range(1, len(values)):
        value, at = values[i], i
        while at > 0 and values[at - 1] > value:
            values[at] = values[at - 1]
            at -= 1
        values[at] = value
    return values


@variant(allocs="3 * n", bytes="2 * POINTER * n * log2(n)")  # at every level the halves, and the list they are merged into
def merge(values):
    if len(values) < 2:
        return values
    half = len(values) // 2
    left, right = merge(values[:half]), merge(values[half:])
    merged = values[:]
    i = j = 0
    while i + j < len(values):
        at = i + j
        if j == len(right) or (i < len(left) and left[i] <= right[j]):
            merged[at] = left[i]
            i += 1
        else:
            merged[at] = right[j]
            j += 1
    return merged


@variant(allocs="0", bytes="size(sorted([0] * n))")  # up to CPython 3.8 with spare capacity
def by_sorted(values):
    return sorted(values)
