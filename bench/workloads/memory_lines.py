"""Runs a number of lines that allocate once each, in functions of 500 lines. Argument: lines."""

import sys

for first in range(0, int(sys.argv[1]), 500):
    source = f"def lines_{first}():\n" + "    x = bytes(40)\n" * 500 + f"lines_{first}()"
    exec(compile(source, f"lines {first}", "exec"))
