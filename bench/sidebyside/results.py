"""The file of results of bench/run overhead and bench/run native.

A run takes long; if it is stopped, the rounds so far are kept in a file beside that of the last
complete run, which only a complete run replaces.
"""

import errno
import json
import os
import tempfile

from . import measure


def as_json(results):
    """Readable but compact JSON: every row of a list on one line."""
    parts = []
    for name, value in results.items():
        if isinstance(value, list):
            text = "[\n" + ",\n".join(" " + json.dumps(row) for row in value) + "\n]"
        else:
            text = json.dumps(value, indent=1)
        parts.append(f"{json.dumps(name)}: {text}")
    return "{" + ",\n".join(parts) + "}\n"


def in_repository(path):
    """A path as text, relative to the repository's root if it is inside: results may be
    published."""
    root = measure.SOURCES.parents[1]
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def unfinished(path):
    """The file for the rounds so far of a run whose results go to path."""
    return path.with_name(f"{path.stem}.unfinished{path.suffix}")


def prepare(path):
    """Check that results can be written to path before hours are spent on them; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    tempfile.TemporaryFile(dir=path.parent).close()


class Results:
    """The results of a run; path is for those of a complete run, manifest describes machine and
    tools."""

    def __init__(self, path, manifest):
        self.path, self.manifest = path, manifest
        self.unfinished = unfinished(path)
        self.rounds_done = 0

    def after_round(self, rows):
        """Keep the rows so far."""
        self.rounds_done += 1
        self.write(self.unfinished, rows)

    def finish(self, rows, **more):
        """Write the complete results; more holds findings besides the rows, by name."""
        self.write(self.path, rows, **more)
        self.unfinished.unlink(missing_ok=True)

    def write(self, path, rows, **more):
        """Write at once or not at all: nobody ever sees half a file."""
        made = {"manifest": {**self.manifest, "rounds_done": self.rounds_done}, "rows": rows, **more}
        new = path.with_name(path.name + ".new")
        try:
            new.write_text(as_json(made))
            os.replace(new, path)
        except OSError as error:
            raise measure.Failed(f"{path}: {error.strerror}") from None

    def stopped(self):
        """A sentence on where the rounds of a stopped or failed run are; None if there are none."""
        if self.rounds_done == 0:
            return None
        return f"stopped after {self.rounds_done} of {self.manifest['rounds']} rounds, which are in {self.unfinished}"
