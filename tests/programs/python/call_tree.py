"""A call tree with a known cost: bytearrays of 1 MiB that stay, by the functions that request them.

    main > parse  > blocks(2)             2 MiB
           render > draw > blocks(5)      5 MiB
                    blocks(1)             1 MiB
           count(3) > ... > blocks(4)     4 MiB, below itself three times

One temporary MiB in scratch. The process exits before the interpreter could free anything.
"""

import os

MIB = 1 << 20
kept = []


def blocks(count):
    for _ in range(count):
        kept.append(bytearray(MIB))


def parse():
    blocks(2)


def draw():
    blocks(5)


def render():
    draw()
    blocks(1)


def count(depth):
    if depth > 0:
        count(depth - 1)
    else:
        blocks(4)


def scratch():
    bytearray(MIB)


def main():
    parse()
    render()
    count(3)
    scratch()


main()
os._exit(0)
