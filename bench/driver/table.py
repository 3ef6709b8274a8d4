"""bench/run table: tables in Markdown, from the results of bench/run overhead."""

import json
import pathlib

from sidebyside import markdown

from .subcommand import BENCH, Failed, Parser


def main(arguments):
    made = Parser(prog="run table", description="Print the side-by-side table of bench/run overhead in Markdown.", allow_abbrev=False)
    made.add_argument(
        "file", nargs="?", type=pathlib.Path, default=BENCH / "results" / "overhead.json", help="default: %(default)s"
    )
    made.add_argument("--lines", action="store_true", help="the time that tools add to each line instead")
    options = made.parse_args(arguments)
    try:
        results = json.loads(options.file.read_text())
        if "rows" in results and "seen" not in results:
            raise Failed(f"{options.file}: expected the results of a whole run; this one was stopped, or made with --costs-only")
        lines = list(markdown.of_lines(results) if options.lines else markdown.lines(results))
    except OSError as error:
        raise Failed(f"{options.file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise Failed(f"{options.file}: expected what bench/run overhead writes") from None
    print("\n".join(lines))
