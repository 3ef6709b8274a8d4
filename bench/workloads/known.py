"""A known answer: n objects of 40 bytes that die at once, then n that stay, each kind from its own
line. Argument: n."""

import builtins
import itertools
import sys

hot = getattr(builtins, "profile", lambda function: function)  # the decorator of line_profiler and memory_profiler, if there


class Node:
    __slots__ = ("next",)


@hot
def work(n):
    last = None
    for _ in itertools.repeat(None, n):
        Node()  # dies
    for _ in itertools.repeat(None, n):
        node = Node()  # stays
        node.next = last
        last = node
    return last


kept = work(int(sys.argv[1]))
