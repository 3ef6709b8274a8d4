"""Reads the documents of the tree: their headings, links, tables and fenced blocks."""

import functools
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def paths(root=ROOT):
    """The tree's documents."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "--", "*.md"]
    names = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split()
    return [root / name for name in sorted(names) if (root / name).exists()]


@functools.lru_cache(maxsize=None)
def read(path):
    return (ROOT / path).read_text()


def fenced(text):
    """[(what follows the first ```, what is between)] of a document's fenced blocks."""
    return FENCE.findall(text)


def prose(text):
    """The text with the fenced blocks, and what is in backticks, made blank."""
    text = FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", lambda code: re.sub(r"\S", " ", code[0]), text, flags=re.DOTALL)


def headings(text):
    """[(level, title)] of a document."""
    text = FENCE.sub("", text)
    return [(len(marks), title.strip()) for marks, title in re.findall(r"^(#{1,6}) (.+)$", text, re.MULTILINE)]


def anchors(text):
    """What links can point to within a document: the headings, as GitHub writes them."""
    found = set()
    for _, title in headings(text):
        title = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", title).lower()
        base = name = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
        number = 0
        while name in found:
            number += 1
            name = f"{base}-{number}"
        found.add(name)
    return found


def links(text):
    """The targets of a document's links and pictures."""
    return re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose(text))


def section(text, title):
    """What is below a heading, up to the next one of its level or above."""
    match = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    assert match, f"there is no section '{title}'"
    end = re.compile(rf"^#{{1,{len(match[1])}}} ", re.MULTILINE).search(text, match.end())
    return text[match.end() : end.start() if end else len(text)]


def rows(text):
    """The rows of all tables in a text, as lists of cells, without headings."""
    found = []
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if all(re.fullmatch(r":?-+:?", cell) for cell in cells):
                found.pop()  # what was taken for a row was the heading
            else:
                found.append(cells)
    return found


def between(text, name):
    """What is between the comments `name: begin` and `name: end`."""
    pattern = rf"^<!-- {re.escape(name)}: begin -->\n(.*?)^<!-- {re.escape(name)}: end -->$"
    match = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    assert match, f"there is nothing between <!-- {name}: begin --> and <!-- {name}: end -->"
    return match[1]
