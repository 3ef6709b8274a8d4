"""Comments end at column 100: what a person reads at once, beside code that may be wider."""

import io
import re
import tokenize

import sources

COLUMNS = 100
C_FOLDERS = ("format", "preload", "analyzer", "bench", "tests")
PYTHON_FOLDERS = ("analyzer", "bench", "preload", "python", "scripts", "tests")


PIECES = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def lines_of_c(text):
    """Numbers of the lines that are comment and nothing else, of a C or C++ source."""
    code = PIECES.sub(lambda piece: re.sub(r"[^\n]", " ", piece[0]) if piece[0].startswith("/") else piece[0], text)
    for number, (line, bare) in enumerate(zip(text.splitlines(), code.splitlines()), 1):
        if line.strip() and not bare.strip():
            yield number


def lines_of_python(text):
    """Numbers of the lines that are comment or docstring and nothing else, of a Python source."""
    previous = None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.line.strip() == token.string:
            yield token.start[0]
        elif token.type == tokenize.STRING and token.string.startswith('"""') and previous in (None, tokenize.INDENT, tokenize.NEWLINE):
            yield from range(token.start[0], token.end[0] + 1)
        if token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.ENCODING):
            previous = token.type


def check(root):
    """All faults, as lines of text."""
    faults = []
    kinds = ((C_FOLDERS, sources.C, lines_of_c), (PYTHON_FOLDERS, (".py",), lines_of_python))
    for folders, suffixes, numbers in kinds:
        for name in sources.tracked(root, folders, suffixes):
            text = (root / name).read_text()
            lines = text.splitlines()
            for number in numbers(text):
                if len(lines[number - 1]) > COLUMNS:
                    faults.append(f"{name}:{number}: a comment of {len(lines[number - 1])} columns; wrap it at {COLUMNS}")
    return faults
