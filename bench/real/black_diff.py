"""black --diff on a module of the standard library. Argument: its name."""

import contextlib
import io
import os
import sys
import zlib

import black

out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
with contextlib.redirect_stdout(out):
    black.main(["--diff", "--quiet", f"{os.path.dirname(os.__file__)}/{sys.argv[1]}.py"], standalone_mode=False)
out.flush()
diff = out.buffer.getvalue().decode().splitlines()[2:]  # the first two lines have the time of day
print(len(diff), zlib.crc32("\n".join(diff).encode()))
