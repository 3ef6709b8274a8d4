"""Lines whose costs in line mode are known; line_counts.py reads marks such as "#= hits 3; allocs
6; own_allocs 0; net 3 * B".

One bytearray(SIZE) takes B bytes in 2 allocations: the object and its bytes. v is the interpreter's
version: up to 3.10 the first call of a function allocates its frame, and recursion one for each
level. i is 1 if an int and a range are allocated, 0 if free lists serve them, from 3.14 on. g is
the size of a generator if its function creates it, from 3.12 on, otherwise 0.
"""

import sys

SIZE = 10_000
B = sys.getsizeof(bytearray(SIZE))


def rebinding(n):
    for _ in range(n):
        block = bytearray(SIZE)  #= hits n; allocs 2 * n; frees 2 * (n - 1); net B; least 0; most B
    return None  #= hits 1; allocs 0; frees 0; net 0


def dropping(n):
    for _ in range(n):
        block = bytearray(SIZE)  #= hits n; allocs 2 * n; frees 0; net n * B; least B; most B
        del block  #= hits n; allocs 0; frees 2 * n; net -n * B; least -B; most -B


def height():
    base = None  #= hits 1; net 0
    base = len(bytearray(SIZE) + bytearray(SIZE))  #= hits 1; allocs 6 + i; frees 6; net 28 * i; rises 40171
    return base  #= hits 1; net 0


def make(n):
    return bytearray(n)  #= hits 6; allocs 12; frees 0; net 6 * B


def calls():
    a = make(SIZE)  #= hits 1; called_allocs 2; own_allocs v < (3, 11); called_net B
    a = make(SIZE), make(SIZE), len(make(SIZE))  #= hits 1; allocs 6 + i; own_allocs i; frees 4; net B + 28 * i
    for a in (make(SIZE) for _ in range(2)):
        pass
    del a


def recursion(n):
    if n == 0:  #= hits 11
        return None
    block = bytearray(SIZE)  #= hits 10; allocs 20; net 10 * B; least B; most B
    recursion(n - 1)  #= hits 10; called_allocs 18; own_allocs 10 * (v < (3, 11)); own_frees 18; called_net 9 * B
    return None


def generator(n):
    for _ in range(n):
        yield bytearray(SIZE)  #= hits n; allocs 2 * n; frees 0; net n * B; least B; most B


def consumer(n):
    for block in generator(n):  #= hits n + 1; called_allocs 2 * n + 2 * i + (g > 0); called_net n * B + g
        pass  #= hits n; allocs 0; frees 0
    del block


def failing(n):
    block = bytearray(SIZE)  #= hits 3; allocs 6; net 3 * B
    raise ValueError  #= hits 3


def exceptions():
    for _ in range(3):  #= hits 4
        try:  #= hits 3
            failing(0)  #= hits 3
        except ValueError:  #= hits 3
            pass  #= hits 3


N = 100

if __name__ == "__main__":
    rebinding(N)
    dropping(N)
    height()
    calls()
    recursion(10)
    consumer(N)
    exceptions()
    print(B, sys.getsizeof(generator(1)))
