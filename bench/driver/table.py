"""bench/run table: tables in Markdown, from the results of bench/run overhead, real or memory."""

import json
import pathlib

from sidebyside import application_tables, markdown

from . import memory
from .subcommand import BENCH, Failed, Parser

# {option: (what writes the file, its table, help)}
TABLES = {
    "lines": ("overhead", markdown.of_lines, "the time that tools add to each line instead"),
    "real": ("real", application_tables.markdown, "the tables of bench/run real instead"),
    "real_short": ("real", application_tables.short_markdown, "a few lines of them"),
    "memory": ("memory", memory.markdown, "the tables of bench/run memory instead"),
}


def main(arguments):
    made = Parser(prog="run table", description="Print a table in Markdown: by default the one that bench/run overhead makes.", allow_abbrev=False)
    made.add_argument("file", nargs="?", type=pathlib.Path, help="default: the file in bench/results/")
    which = made.add_mutually_exclusive_group()
    for name, (_, _, text) in TABLES.items():
        which.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=text)
    options = made.parse_args(arguments)
    writer, table, _ = next((TABLES[name] for name in TABLES if getattr(options, name)), ("overhead", markdown.lines, ""))
    file = options.file or BENCH / "results" / f"{writer}.json"
    try:
        results = json.loads(file.read_text())
        if writer == "overhead" and "rows" in results and "seen" not in results:
            raise Failed(f"{file}: expected the results of a whole run; this one was stopped, or made with --costs-only")
        lines = list(table(results))
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise Failed(f"{file}: expected what bench/run {writer} writes") from None
    print("\n".join(lines))
