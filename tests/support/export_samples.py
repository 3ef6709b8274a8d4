"""The traces that exports are tested with: those of tests/golden (C++ with inlined functions,
threads, a program that was killed, several processes ...), a Python program with whole native
stacks, and one whose names are full of characters that formats use themselves."""

import functools

import golden
import vbt

SAMPLES = (*golden.SAMPLES, "whole", "odd")


@functools.lru_cache(maxsize=None)
def trace_of(name):
    """A file, or the folder of several."""
    if name in golden.SAMPLES:
        return golden.trace_of(name)
    program, options = {"whole": ("mixed_stack.py", {"VBTRACE_NATIVE": "full"}), "odd": ("hostile_names.py", {})}[name]
    return vbt.traced_python(program, vbt.interpreters()[0], **options).paths[0]
