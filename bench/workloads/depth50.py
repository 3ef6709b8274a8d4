"""One allocation per turn, under 50 Python frames. Argument: turns of the loop."""

import builtins
import itertools
import sys

hot = getattr(builtins, "profile", lambda function: function)  # memory_profiler measures functions with its decorator


@hot
def loop(size):
    for _ in itertools.repeat(None, size):
        object()


def under(frames, size):
    if frames == 0:
        loop(size)
    else:
        under(frames - 1, size)


under(48, int(sys.argv[1]))  # the module and 49 of these: 50 frames above the loop
