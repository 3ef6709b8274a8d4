"""The same loop over a list of Python floats: their free list serves it, no allocation. Arguments: elements in all, seed."""

import builtins
import itertools
import random
import sys

hot = getattr(builtins, "profile", lambda function: function)  # memory_profiler measures what carries its decorator


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
