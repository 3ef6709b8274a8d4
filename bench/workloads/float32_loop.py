"""The Python loop over a NumPy array: two allocations per element. Arguments: total elements,
seed."""

import builtins
import itertools
import sys

import numpy as np

hot = getattr(builtins, "profile", lambda function: function)  # memory_profiler measures functions with its decorator


@hot
def loop(a, passes):
    for _ in itertools.repeat(None, passes):
        total = np.float32(0)
        for x in a:
            total += x


size, seed = map(int, sys.argv[1:])
array = np.random.default_rng(seed).standard_normal(2**20, dtype=np.float32)
passes, rest = divmod(size, len(array))
loop(array, passes)
loop(array[:rest], 1)
