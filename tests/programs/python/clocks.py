"""Clock readings and marked sections in Python. The lines between them have known costs: see
ground_truth_objects.py. Floats that are kept cost one request each."""

import datetime
import gc
import importlib
import logging
import sys
import threading
import time
import timeit

import vbtrace

import facts
import free_lists

N = 1_000
TURNS = 5
PLACES = tuple(range(N))
KEYS = dict.fromkeys(PLACES)  # the iterator of a dict comes from no free list
NOTHING = [None] * N
TEXT = "x" * 99
made = []


def fill(kept):
    for i in KEYS:
        kept[i] = i + 0.5


def with_perf_counter(kept):
    before = time.perf_counter()  # perf_counter begins
    fill(kept)
    after = time.perf_counter()  # perf_counter ends
    return before, after


def with_perf_counter_ns(kept):
    before = time.perf_counter_ns()  # perf_counter_ns begins
    fill(kept)
    after = time.perf_counter_ns()  # perf_counter_ns ends
    return before, after


def with_time(kept):
    before = time.time()  # time begins
    fill(kept)
    after = time.time()  # time ends
    return before, after


def with_time_ns(kept):
    before = time.time_ns()  # time_ns begins
    fill(kept)
    after = time.time_ns()  # time_ns ends
    return before, after


def with_monotonic(kept):
    before = time.monotonic()  # monotonic begins
    fill(kept)
    after = time.monotonic()  # monotonic ends
    return before, after


def with_process_time(kept):
    before = time.process_time()  # process_time begins
    fill(kept)
    after = time.process_time()  # process_time ends
    return before, after


def with_thread_time(kept):
    before = time.thread_time()  # thread_time begins
    fill(kept)
    after = time.thread_time()  # thread_time ends
    return before, after


def with_datetime(kept):
    before = datetime.datetime.now()  # datetime begins
    fill(kept)
    after = datetime.datetime.now()  # datetime ends
    return before, after


def with_libraries(kept):
    """Clock readings by libraries in between do no harm."""
    before = time.perf_counter()  # libraries begin
    logging.getLogger("test").handle(logging.makeLogRecord({"msg": "made", "levelno": logging.DEBUG}))
    threading.Event().wait(0.001)
    importlib.import_module("colorsys")
    import wave  # noqa: F401
    lock = threading.Lock()
    for i in PLACES:
        lock.acquire()
        lock.release()
    fill(kept)
    thread = threading.Thread(target=time.time)
    thread.start()
    thread.join()
    after = time.perf_counter()  # libraries end
    return before, after


def repeated(firsts, kept, readings):
    """10, 20, ... 50 texts, half of which are dropped again."""
    for turn in PLACES[:TURNS]:
        readings[turn] = time.perf_counter()  # repeated begins
        for i in firsts[2 * turn + 1]:
            kept[i] = TEXT + "x"
        for i in firsts[turn]:
            kept[i] = None
        readings[turn + TURNS] = time.perf_counter()  # repeated ends


def sections(kept):
    for _ in PLACES[:3]:
        with vbtrace.section("empty", iterations=1):
            pass
    vbtrace.begin("empty by calls")
    vbtrace.end("empty by calls")
    with vbtrace.section("outer", iterations=N):
        with vbtrace.section("inner", iterations=N):
            fill(kept)


def recursive(label, kept, depth):
    vbtrace.begin(label, 1)
    kept[depth] = TEXT + "x"  # each level counts its own and those below
    if depth > 1:
        recursive(label, kept, depth - 1)
    vbtrace.end(label)


def in_thread(kept):
    with vbtrace.section("in a thread", iterations=N):
        fill(kept)


def in_threads():
    threads = [threading.Thread(target=in_thread, args=(NOTHING.copy(),)) for _ in range(4)]
    made.append(threads)
    for thread in threads:
        made.append(thread._args)
        thread.start()
    for thread in threads:
        thread.join()


def main():
    gc.disable()
    fill(NOTHING.copy())  # up to 3.10 the first call makes a frame
    functions = [with_perf_counter, with_perf_counter_ns, with_time, with_time_ns, with_monotonic, with_process_time]
    functions += [with_thread_time, with_datetime, with_libraries]
    for function in functions:
        made.append(NOTHING.copy())
        free_lists.empty()
        made.append(function(made[-1]))
    firsts = [dict.fromkeys(PLACES[: 5 * n]) for n in PLACES[1 : 2 * TURNS + 1]]
    made.append([NOTHING.copy() for _ in PLACES[:5]])
    kept, readings, *more = made[-1]
    free_lists.empty()
    repeated(firsts, kept, readings)
    free_lists.empty()
    sections(more[0])
    recursive("first time", more[1], 5)
    recursive("recursive", more[2], 5)
    in_threads()
    names = {"kept": [], "n": 10**6}
    free_lists.empty()
    vbtrace.timeit("kept.append(n + 1)", globals=names, number=N, label="timeit")
    timeit.timeit("kept.append(n + 1)", globals=names, number=N)
    made.append(names)
    bound = sys.version_info < (3, 14)  # up to 3.13 `with` makes a bound method of __exit__
    facts.tell_and_leave(N=N, iterator=facts.size(iter(KEYS)), float_size=facts.size(0.5), with_binds=int(bound))


main()
