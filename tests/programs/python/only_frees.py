"""A child that frees what it inherited, and allocates next to nothing itself."""

import os

KEPT = [str(i) * 3 for i in range(1000)]
if os.fork() == 0:
    KEPT.clear()
    os._exit(0)
os.wait()
