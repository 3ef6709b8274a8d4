"""Process pools by every method of multiprocessing: workers.py METHOD HOW. The workers' allocations
are known."""

import json
import multiprocessing
import os
import sys
import time

TASKS = [100, 200, 300, 400]


def work(n):
    kept = [None] * n
    for i in range(n):
        kept[i] = object()  #= the tasks' sum, 1000 in all
    time.sleep(0.02)
    return os.getpid()


def main():
    method, how = sys.argv[1:]
    context = multiprocessing.get_context(method)
    pool = context.Pool(2)
    pids = pool.map(work, TASKS, chunksize=1)
    if how == "close":
        pool.close()
    else:
        sys.stdin.readline()  # until their traces are complete
        pool.terminate()  # SIGTERM to each
    pool.join()
    print(json.dumps(sorted(set(pids))))


if __name__ == "__main__":
    main()
