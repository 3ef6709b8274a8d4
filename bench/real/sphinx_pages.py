"""sphinx-build: pages in HTML, of text and of the documentation in modules' sources. Argument:
modules."""

import os
import pathlib
import sys
import zlib

from sphinx.cmd.build import build_main

MODULES = (
    "argparse calendar collections configparser csv datetime decimal difflib enum fractions functools heapq inspect ipaddress"
    " logging pathlib pickle random shutil statistics string tarfile textwrap tokenize traceback typing unittest zipfile"
).split()
PAGE = """{name}
{line}

.. index:: single: {name}

.. automodule:: {name}
   :members:
   :show-inheritance:

See :doc:`index` and, for another one, :ref:`{other}`.

.. _{name}:

Notes on {name}
{line}---------

========= =====
word      n
========= =====
{name:.9} {size}
========= =====

.. code-block:: python

   import {name}
   help({name})
"""

chosen = MODULES[: int(sys.argv[1])]
source = pathlib.Path("source")
source.mkdir()
(source / "conf.py").write_text("project = 'modules'\nextensions = ['sphinx.ext.autodoc', 'sphinx.ext.intersphinx']\nhtml_theme = 'basic'\n")
(source / "index.rst").write_text("Modules\n=======\n\n.. toctree::\n\n" + "".join(f"   page_{name}\n" for name in chosen))
for name, other in zip(chosen, chosen[1:] + chosen[:1]):
    text = PAGE.format(name=name, other=other, line="=" * len(name), size=len(name))
    (source / f"page_{name}.rst").write_text(text)
with open(os.devnull, "w") as nothing:
    sys.stdout, out, sys.stderr, err = nothing, sys.stdout, nothing, sys.stderr
    status = build_main(["-q", "-b", "html", "source", "html"])
    sys.stdout, sys.stderr = out, err
checksum = 0
pages = sorted(pathlib.Path("html").glob("*.html"))
for page in pages:
    checksum = zlib.crc32(page.read_bytes(), checksum)
print(status, len(pages), checksum)
