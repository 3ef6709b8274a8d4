"""Many threads on the same lines at once. The marks are explained in ground_truth_objects.py."""

import gc
import sys
import threading

import facts
import free_lists

THREADS = 50
N = 1_000
PLACES = dict.fromkeys(range(N))  # the iterator of a dict comes from no free list
NOTHING = [None] * N


def work(kept, others, ready):
    ready.wait()  # all start together
    for i in PLACES:  #= allocs THREADS; frees THREADS
        kept[i] = i + 0.5  #= allocs THREADS * N; bytes THREADS * N * float_size
    for i in PLACES:  #= allocs THREADS; frees THREADS
        others[i] = i + 1000  #= allocs THREADS * N; bytes THREADS * N * int_size


def main():
    gc.disable()
    free_lists.empty()
    sys.setswitchinterval(1e-5)  # switch between them often
    ready = threading.Event()
    made = [NOTHING.copy() for _ in range(2 * THREADS)]
    threads = [threading.Thread(target=work, args=(made[i], made[THREADS + i], ready)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    free_lists.empty()  # the floats that starting threads left there
    ready.set()
    for thread in threads:
        thread.join()
    facts.tell_and_leave(THREADS=THREADS, N=N, float_size=facts.size(0.5), int_size=facts.int_size())


main()
