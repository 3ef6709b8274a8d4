"""Executes three cells as the kernel of a notebook does, each as a file of its own."""
import linecache

CELLS = [
    "import json\nwords = [f'word {number % 50}' for number in range(4000)]",
    "def count(words):\n    counts = {}\n    for word in words:\n        counts[word] = counts.get(word, 0) + 1\n    return counts",
    "text = json.dumps(words)\ncopies = [json.loads(text) for turn in range(10)]\nprint(len(count(words)), len(copies))",
]


def run_cells():
    names = {"__name__": "__main__"}
    for number, cell in enumerate(CELLS, 1):
        file = f"<ipython-input-{number}-0123456789ab>"
        linecache.cache[file] = (len(cell), None, cell.splitlines(keepends=True), file)
        exec(compile(cell, file, "exec"), names)


run_cells()
