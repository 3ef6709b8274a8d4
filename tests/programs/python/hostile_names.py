"""Functions and files with names that try to break out of every report format. Each allocates 1 MiB
that stays."""

import os
import types

NAMES = [
    "</script><script>window.broken = 1</script>",
    "]]><script>window.broken = 2</script>",
    "\"' onload='window.broken = 3' x=\"",
    "</title></svg><img src=x onerror='window.broken = 4'>",
    "&amp;&lt;&#60;",
    "line\nbreak\rtab\tnul\x00bell\x07escape\x1b[31m",
    "surrogate \udcff noncharacter \uffff \ufffe",
    "right to left \u202e separator \u2028",
    "semicolon;space 1",
    "emoji \U0001f525 wide \u4e2d\u6587 " * 20,
]

kept = []


def keep():
    kept.append(bytearray(1 << 20))


for name in NAMES:
    changes = {"co_name": name, "co_filename": "/tmp/" + name}
    if hasattr(keep.__code__, "co_qualname"):
        changes["co_qualname"] = name
    types.FunctionType(keep.__code__.replace(**changes), globals())()
os._exit(0)
