"""Makes and drops objects of many types, so that those left alive can be compared line by line with
tracemalloc's.

With an argument it traces itself with tracemalloc and prints the live blocks of each line; under
vbtrace it runs without. Objects that die here are of types without a free list, with one exception,
marked below: tracemalloc moves the block of an object from a free list to the line that took it,
vbtrace leaves it with the line that requested it.
"""

import gc
import json
import os
import sys
import tracemalloc

import free_lists

N = 1_000
PLACES = tuple(range(N))
TEXTS = tuple(map(str, PLACES))  # in 3.14 dropped ints go to a free list, so all are made here
SIZES = tuple(7 * i for i in PLACES)
HALF = PLACES[: N // 2]
NOTHING = [None] * N


class Open:
    def __init__(self, value):
        self.value = value


class Slotted:
    __slots__ = ("value", "following")

    def __init__(self, value, following):
        self.value = value
        self.following = following


def table():
    rows = {}
    for i in PLACES:
        rows[f"row {TEXTS[i]}"] = [i * 1000, TEXTS[i] * 20, {"half": i / 2}]
    for i in PLACES[::3]:
        rows[f"row {TEXTS[i]}"][1] = None
    return rows


def chain():
    last = None
    for i in PLACES:
        last = Slotted(i << 40, last)
    for i in HALF:
        last = last.following
    return last


def instances():
    made = NOTHING.copy()
    for i in PLACES:
        made[i] = Open((i, i, TEXTS[i] + "."))
    for i in PLACES[::2]:
        made[i].more = [made[i]]
    return made


def strings():
    lines = NOTHING.copy()
    for i in PLACES:
        lines[i] = f"{TEXTS[i]}: " + "x" * (i % 100)
    for i in PLACES[::2]:
        lines[i] = lines[i].upper()
    for i in PLACES[::7]:
        lines[i] = None
    return lines


def split(text):
    return text.split(" ")


def exceptions():
    caught = NOTHING.copy()
    for i in PLACES:
        caught[i] = ValueError(TEXTS[i], TEXTS[i])
    for i in PLACES[::4]:
        caught[i].text = str(caught[i])
    for i in PLACES[::2]:
        KeyError()
    return caught


def functions():
    made = NOTHING.copy()
    for i in PLACES:
        made[i] = lambda x, y: x + y
    for i in PLACES[::3]:
        made[i] = made[i](1, i)
    return made


def buffers():
    kept = NOTHING.copy()
    for i in PLACES:
        kept[i] = bytearray(SIZES[i])
    for i in PLACES:
        kept[i].extend(b"0123456789")
    for i in PLACES[::5]:
        kept[i] = bytes(kept[i])
    for i in PLACES[::2]:
        kept[i] = {i, i + 1000}
    for i in PLACES[::3]:
        kept[i] = None
    return kept


def from_the_free_list(dropped, taken):
    for i in PLACES:
        dropped[i] = i + 0.5
    for i in PLACES:
        dropped[i] = None
    for i in PLACES[:100]:
        taken[i] = i + 0.25


def main():
    gc.disable()
    words = " ".join(map(str, PLACES))
    dropped, taken = NOTHING.copy(), NOTHING.copy()
    free_lists.empty()
    Slotted(0, None), bytearray(Open(0).value)  # now the argument tuples of such calls are in the free lists
    if len(sys.argv) > 1:
        tracemalloc.start(1)
    kept = [table(), chain(), instances(), strings(), split(words), exceptions(), functions(), buffers()]
    from_the_free_list(dropped, taken)
    if len(sys.argv) > 1:
        snapshot = tracemalloc.take_snapshot()
        tracemalloc.stop()
        found = [(s.traceback[0].filename, s.traceback[0].lineno, s.count, s.size) for s in snapshot.statistics("lineno")]
        print(json.dumps(found), flush=True)
    os._exit(len(kept) - 8)


main()
