"""Calls of the C library's allocator through ctypes: the heap requests of each line, without those
of Python itself.

    #= allocs A; frees F; bytes B   of the heap; requests of ctypes and the interpreter are Python's
"""

import ctypes
import gc
import threading

import facts

N = 2_000
THREADS = 8
PLACES = tuple(range(N))

libc = ctypes.CDLL(None, use_errno=True)
pointer, size = ctypes.c_void_p, ctypes.c_size_t


def function(name, result, *arguments):
    found = libc[name]
    found.restype, found.argtypes = result, arguments
    return found


malloc = function("malloc", pointer, size)
calloc = function("calloc", pointer, size, size)
realloc = function("realloc", pointer, pointer, size)
reallocarray = function("reallocarray", pointer, pointer, size, size)
free = function("free", None, pointer)
posix_memalign = function("posix_memalign", ctypes.c_int, ctypes.POINTER(pointer), size, size)
aligned_alloc = function("aligned_alloc", pointer, size, size)
strdup = function("strdup", pointer, ctypes.c_char_p)


def kept_blocks(kept):
    for i in PLACES:
        kept[i] = malloc(100)  #= allocs N; bytes 100 * N


def cleared_blocks(kept):
    for i in PLACES:
        kept[i] = calloc(7, 11)  #= allocs N; frees N; bytes 77 * N -- all freed below
    for i in PLACES:
        free(kept[i])  #= none


def resized_blocks(kept):
    for i in PLACES:
        kept[i] = malloc(10)  #= allocs N; frees N; bytes 10 * N
    for i in PLACES:
        kept[i] = realloc(kept[i], 1000)  #= allocs N; frees N; bytes 1000 * N
    for i in PLACES:
        kept[i] = realloc(kept[i], 5)  #= allocs N; frees N; bytes 5 * N
    for i in PLACES:
        realloc(kept[i], 2**63 - 1)  #= none -- it fails, and the block stays
    for i in PLACES:
        reallocarray(kept[i], 2**40, 2**40)  #= none
    for i in PLACES:
        realloc(kept[i], 0)  #= none -- a free
    for i in PLACES:
        kept[i] = realloc(None, 33)  #= allocs N; bytes 33 * N


def aligned_blocks(kept, more):
    out = pointer()
    for i in PLACES:
        posix_memalign(out, 64, 24)  #= allocs N; frees N // 2; bytes 24 * N
        kept[i] = out.value
    for i in PLACES:
        more[i] = aligned_alloc(32, 96)  #= allocs N; bytes 96 * N
    for i in PLACES[: N // 2]:
        free(kept[i])  #= none


def copied_text(kept):
    for i in PLACES:
        kept[i] = strdup(b"0123456789")  #= allocs N; bytes 11 * N


def one_of_many(kept, ready):
    """ctypes releases the GIL around each call: these threads are in malloc at the same time."""
    ready.wait()
    for i in PLACES:
        kept[i] = malloc(48)  #= allocs THREADS * N; frees THREADS * N // 2; bytes 48 * THREADS * N
        if i % 2:
            free(kept[i])  #= none


def main():
    gc.disable()
    made = [[None] * N for _ in range(6 + THREADS)]
    kept_blocks(made[0])
    cleared_blocks(made[1])
    resized_blocks(made[2])
    aligned_blocks(made[3], made[4])
    copied_text(made[5])
    ready = threading.Event()
    threads = [threading.Thread(target=one_of_many, args=(made[6 + i], ready)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    ready.set()
    for thread in threads:
        thread.join()
    facts.tell_and_leave(N=N, THREADS=THREADS)


main()
