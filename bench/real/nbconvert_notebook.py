"""nbconvert: runs a notebook in a kernel, a process of its own, and makes HTML of it. Argument:
cells."""

import os
import re
import sys
import zlib

import nbformat
from nbconvert import HTMLExporter
from nbconvert.preprocessors import ExecutePreprocessor

CELLS = (
    "import statistics\nnumbers = [{n} * k % 101 for k in range(2000)]\nstatistics.mean(numbers)",
    "import json\nprint(json.dumps({{'n': {n}, 'numbers': numbers[:10]}}, indent=1))",
    "words = sorted(str(number) for number in set(numbers))\nwords[:3], len(words)",
    "[[a * b for a in range({n} % 7)] for b in range(5)]",
)

os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # or the kernel warns on stderr
notebook = nbformat.v4.new_notebook()
for n in range(1, int(sys.argv[1]) + 1):
    notebook.cells.append(nbformat.v4.new_markdown_cell(f"# Part {n}\n\nSome *text* with `code`, a list:\n\n- one\n- $x^{n}$", id=f"text-{n}"))
    notebook.cells.append(nbformat.v4.new_code_cell(CELLS[(n - 1) % 4].format(n=n), id=f"code-{n}"))
ExecutePreprocessor(timeout=300, kernel_name="python3").preprocess(notebook, {"metadata": {"path": "."}})
html, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook)
outputs = [str(output.get("data", output.get("text"))) for cell in notebook.cells for output in cell.get("outputs", [])]
print(len(outputs), zlib.crc32("\n".join(outputs).encode()), len(re.findall("<div", html)))
