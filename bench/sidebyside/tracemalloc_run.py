"""Runs a Python program under tracemalloc, or shows the snapshot of a run.

    tracemalloc_run.py FILE PROGRAM [ARGUMENT ...]    writes a snapshot at the program's end to FILE
    tracemalloc_run.py FILE                           prints it: the blocks of every line and in all
"""

import runpy
import sys
import tracemalloc

if len(sys.argv) > 2:
    file, *sys.argv = sys.argv[1:]
    tracemalloc.start()
    kept = runpy.run_path(sys.argv[0], run_name="__main__")  # keeps the objects of the program's names alive
    tracemalloc.take_snapshot().dump(file)
else:
    statistics = tracemalloc.Snapshot.load(sys.argv[1]).statistics("lineno")
    for line in statistics:
        print(line)
    print(f"all: size={sum(line.size for line in statistics)} B, count={sum(line.count for line in statistics)}")
