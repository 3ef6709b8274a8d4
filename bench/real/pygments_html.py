"""Pygments: modules of the standard library become HTML, with a colour for each kind of word.
Argument: modules."""

import os
import sys
import zlib

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

LIBRARY = os.path.dirname(os.__file__)
MODULES = (
    "abc ast base64 bdb calendar codecs configparser contextlib copy csv dataclasses enum fractions ftplib functools gettext"
    " gzip heapq imaplib inspect locale logging/handlers mailbox optparse pickle"
).split()

lexer, formatter = PythonLexer(), HtmlFormatter(linenos="table", full=True, title="a module")
length, checksum = 0, 0
for module in MODULES[: int(sys.argv[1])]:
    with open(f"{LIBRARY}/{module}.py", encoding="utf-8") as source:
        page = highlight(source.read(), lexer, formatter)
    with open(f"{module.replace('/', '-')}.html", "w", encoding="utf-8") as out:
        out.write(page)
    length, checksum = length + len(page), zlib.crc32(page.encode(), checksum)
print(length, checksum)
