"""Python's tokenize and ast: modules of the standard library are parsed, changed, printed and
compiled. Argument: modules."""

import ast
import io
import os
import sys
import tokenize
import zlib

LIBRARY = os.path.dirname(os.__file__)
MODULES = (
    "argparse ast bdb calendar cgi cmd code codecs configparser copy csv datetime decimal dis doctest enum fractions ftplib"
    " functools gettext glob heapq imaplib inspect ipaddress locale mailbox mimetypes netrc optparse pathlib pdb pickle platform"
    " plistlib poplib pydoc random shutil smtplib socket ssl statistics string subprocess tarfile tempfile textwrap threading"
    " trace traceback turtle typing uuid weakref zipfile"
).split()


class WithoutDocstrings(ast.NodeTransformer):
    """Empties the strings that are statements."""

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            node.value = ast.Constant("")
        return self.generic_visit(node)


names, length, checksum = {}, 0, 0
for module in MODULES[: int(sys.argv[1])]:
    with open(f"{LIBRARY}/{module}.py", encoding="utf-8") as file:
        source = file.read()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            names[token.string] = names.get(token.string, 0) + 1
    tree = WithoutDocstrings().visit(ast.parse(source))
    text = ast.unparse(tree)
    compile(text, module, "exec")
    length, checksum = length + len(text), zlib.crc32(text.encode(), checksum)
print(len(names), max(names, key=names.get), length, checksum)
