"""The same loop over a list of Python floats: served by their free list, without allocations.
Arguments: total elements, seed."""

import builtins
import itertools
import random
import sys

hot = getattr(builtins, "profile", lambda function: function)  # memory_profiler measures functions with its decorator


@hot
def loop(a, passes):
    for _ in itertools.repeat(None, passes):
        total = 0.0
        for x in a:
            total += x


size, seed = map(int, sys.argv[1:])
generator = random.Random(seed)
floats = [generator.random() for _ in range(2**18)]
passes, rest = divmod(size, len(floats))
loop(floats, passes)
loop(floats[:rest], 1)
