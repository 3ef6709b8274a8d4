"""The loop that vbtrace was made for: a Python loop over an array, and over a list of floats. The
marks are explained in ground_truth_objects.py."""

import gc
import time

import numpy as np
import vbtrace

import facts

N = 2**20


def over_an_array(values):
    total = np.float32(0)
    with vbtrace.section("array", iterations=N):
        for x in values:  #= allocs N + 3; frees N + 3 -- elements, iterator, text of the last IndexError (twice)
            total += x  #= allocs N; frees N - 1; bytes 24 * N
    return total


def over_a_list(values):
    total = 0.0
    with vbtrace.section("list", iterations=N):
        for x in values:  #= allocs 1; frees 1; bytes iterator_size
            total += x  #= allocs 1; bytes 24 -- later ones come from the free list
    return total


def between_readings(values):
    total = np.float32(0)
    before = time.perf_counter()
    for x in values:
        total += x
    after = time.perf_counter()
    return total, after - before


def by_numpy(values):
    with vbtrace.section("np.sum", iterations=1):
        return np.sum(values)


def main():
    gc.disable()
    array = np.ones(N, np.float32)
    floats = array.tolist()
    by_numpy(array)
    results = over_an_array(array), over_a_list(floats), between_readings(array)[0]
    assert results == (N, N, N), results
    facts.tell_and_leave(N=N, iterator_size=facts.size(iter([])))


main()
