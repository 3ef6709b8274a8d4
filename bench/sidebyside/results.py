"""The file of results of bench/run overhead and bench/run native.

A run takes long, and who stops it keeps the rounds so far: in a file beside that of the last whole run, which only a whole run
replaces.
"""

import errno
import json
import os
import tempfile

from . import measure


def as_json(results):
    """Readable, and not long: every row of a list on one line."""
    parts = []
    for name, value in results.items():
        if isinstance(value, list):
            text = "[\n" + ",\n".join(" " + json.dumps(row) for row in value) + "\n]"
        else:
            text = json.dumps(value, indent=1)
        parts.append(f"{json.dumps(name)}: {text}")
    return "{" + ",\n".join(parts) + "}\n"


def in_repository(path):
    """A path as text, from the repository's root where it lies in there: results may be published."""
    root = measure.SOURCES.parents[1]
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def unfinished(path):
    """Where a run that would end as path keeps its rounds so far."""
    return path.with_name(f"{path.stem}.unfinished{path.suffix}")


def prepare(path):
    """Make sure, before hours go by, that results can be written as path; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    tempfile.TemporaryFile(dir=path.parent).close()


class Results:
    """Where a run writes; path is where the results of a whole one go, manifest what it is made on and with."""

    def __init__(self, path, manifest):
        self.path, self.manifest = path, manifest
        self.unfinished = unfinished(path)
        self.rounds_done = 0

    def after_round(self, rows):
        """Keep what is there, until there is more."""
        self.rounds_done += 1
        self.write(self.unfinished, rows)

    def finish(self, rows, **more):
        """All of it; more is what a run found out beside the rows, by name."""
        self.write(self.path, rows, **more)
        self.unfinished.unlink(missing_ok=True)

    def write(self, path, rows, **more):
        """At once or not at all: a reader, or who is interrupted, never has half a file."""
        made = {"manifest": {**self.manifest, "rounds_done": self.rounds_done}, "rows": rows, **more}
        new = path.with_name(path.name + ".new")
        try:
            new.write_text(as_json(made))
            os.replace(new, path)
        except OSError as error:
            raise measure.Failed(f"{path}: {error.strerror}") from None

    def stopped(self):
        """A sentence for who stopped the run, or whom it failed; None while there is nothing to keep."""
        if self.rounds_done == 0:
            return None
        return f"stopped after {self.rounds_done} of {self.manifest['rounds']} rounds, which are in {self.unfinished}"
