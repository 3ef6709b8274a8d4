"""Objects of every common sort. The requests of each line are given at its end and compared with
the trace.

    #= allocs A; frees F; bytes B -- why   A requests of B bytes, of which F blocks (0 if omitted)
                                           were freed again
    #= none                                no request at all

Names in these expressions: N, v (the version, as sys.version_info[:2]), and the facts printed at
the end. All objects are kept until then: none comes from a free list, and nothing is freed unless
its line says so.
"""

import gc
import sys

import facts
import free_lists

N = 10_000
NUMBERS = tuple(range(1000, 1000 + N))  # whose ints already exist: iterating makes none
PLACES = dict.fromkeys(range(N))  # the iterator of a dict comes from no free list
TEXTS = tuple(map(str, NUMBERS))
NOTHING = [None] * N


def floats(kept):
    for i in PLACES:  #= allocs 1; frees 1 -- the iterator
        kept[i] = i + 0.5  #= allocs N; bytes N * float_size
    return kept


def ints(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = i + 1000  #= allocs N; bytes N * int_size
    return kept


def small_ints(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = i % 256  #= none -- they always exist
    return kept


def large_ints(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = i << 100  #= allocs N - 1; bytes large_int_sizes + 4 * (N - 1) -- 0 exists; with room for a carry digit that is dropped
    return kept


def concatenated(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = "number " + TEXTS[i]  #= allocs N; bytes number_text_sizes
    return kept


def formatted(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = f"number {TEXTS[i]}"  #= allocs N; bytes number_text_sizes
    return kept


def converted(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = str(NUMBERS[i])  #= allocs 2 * N; frees N; bytes text_sizes + N * two_digits_size -- a scratch int on the way
    return kept


def tuples(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = (i, i)  #= allocs N; bytes N * pair_size
    return kept


def lists(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = [i, i, i]  #= allocs 2 * N; bytes N * (list_size + items_header + 3 * 8) -- the list and its items
    return kept


def growing_list(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept.append(i)  #= allocs list_growth[0]; frees list_growth[0] - 1; bytes list_growth[1] -- reallocations
    return kept


def dicts(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = {"a": i}  #= allocs 2 * N; bytes N * small_dict_size -- the dict and its keys
    return kept


def growing_dict(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = i  #= allocs dict_growth[0]; frees dict_growth[0] - 1 - (v < (3, 11)) -- up to 3.10 one in a free list
    return kept


def sets(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = {i}  #= allocs N; bytes N * set_size
    return kept


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value  #= none -- the slot is part of the object


class Open:
    def __init__(self, value):
        self.value = value  #= allocs 2 * (N + 100) if v < (3, 11) else 0 -- up to 3.10 the first attribute makes dict and values


def slotted(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = Slotted(i)  #= allocs N; bytes N * slotted_size
    return kept


def instances(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = Open(i)  #= allocs 2 * N if v in ((3, 11), (3, 12)) else N -- 3.11 and 3.12 keep the values apart
    return kept


def closures(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = lambda: None  #= allocs N; bytes N * function_size
    return kept


def bound_methods(kept):
    method_of = Slotted(0)
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = method_of.__init__  #= allocs N; bytes N * method_size
    return kept


def bytes_and_bytearrays(kept):
    for i in PLACES:  #= allocs 1; frees 1
        kept[i] = bytes(i)  #= allocs N - 1; bytes byte_sizes -- empty bytes exist
    return kept


# In 3.10 and 3.11 the list and the set grow in the comprehension's first line, otherwise in that of
# the element.
def list_comprehension():
    return [
        i + 0.25  #= allocs N + here * list_growth[0]; frees here * (list_growth[0] - 1); bytes N * float_size + here * list_growth[1]
        for i in PLACES
    ]


def set_comprehension():
    return {
        i + 0.75  #= allocs N + here * set_growth[0]; frees here * (set_growth[0] - 1); bytes N * float_size + here * set_growth[1]
        for i in PLACES
    }


def main():
    gc.disable()
    free_lists.empty()
    made = [NOTHING.copy() for _ in range(20)]
    made.append([])
    made.append({})
    warm = Slotted(0), bytes(3)  # up to 3.10 the first call makes a frame, and the first bytes() a name
    first = [Open(i) for i in range(100)]  # the first instances are larger: they leave room for later attributes
    functions = (floats, ints, small_ints, large_ints, concatenated, formatted, converted, tuples, lists, dicts)
    functions += (sets, slotted, instances, closures, bound_methods, bytes_and_bytearrays)
    for number, function in enumerate(functions):
        function(made[number])
    growing_list(made[-2])
    growing_dict(made[-1])
    kept = made, first, warm, list_comprehension(), set_comprehension()
    facts.tell_and_leave(
        N=N,
        float_size=facts.size(0.5),
        int_size=facts.int_size(),
        two_digits_size=facts.two_digits_size(),
        large_int_sizes=sum(map(facts.size, kept[0][3][1:])),
        number_text_sizes=sum(map(facts.size, kept[0][4])),
        text_sizes=sum(map(facts.size, TEXTS)),
        pair_size=facts.size((1, 1)),
        list_size=facts.size([]),
        items_header=facts.ITEMS_HEADER,
        here=not (3, 10) <= sys.version_info[:2] <= (3, 11),
        list_growth=facts.growth([], list.append, PLACES),
        small_dict_size=facts.size({"a": 1}),
        dict_growth=facts.growth({}, lambda d, i: d.__setitem__(i, i), PLACES),
        set_growth=facts.growth(set(), set.add, PLACES),
        set_size=facts.size({1}),
        slotted_size=facts.size(Slotted(0)),
        function_size=facts.size(main),
        method_size=facts.size(first[0].__init__),
        byte_sizes=sum(map(facts.size, kept[0][15][1:])),
    )


main()
