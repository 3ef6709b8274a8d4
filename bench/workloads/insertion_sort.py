"""Insertion sort: many lines and no allocation, since integers this small already exist. Argument:
how often 100 elements in reverse order are sorted, 15,346 lines each."""

import builtins
import sys

hot = getattr(builtins, "profile", lambda function: function)  # memory_profiler measures functions with its decorator


@hot
def insertion_sort(values):
    for i in range(1, len(values)):
        value = values[i]
        j = i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value


for _ in range(int(sys.argv[1])):
    insertion_sort(list(range(100, 0, -1)))
