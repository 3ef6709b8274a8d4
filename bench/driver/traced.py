"""Runs a program untraced or under vbtrace, and reads the sections of its trace."""

import json
import pathlib
import subprocess
import time

from sidebyside.measure import Failed, last_line, quiet_environment

TIMEOUT_S = 900
MODULE = pathlib.Path(__file__).resolve().parents[2] / "python"  # the folder of the package vbtrace


def run(command, directory, variables=None):
    """Run a command in directory; returns its stdout, its stderr and its wall time in seconds."""
    command = list(map(str, command))
    environment = {**quiet_environment(), "PYTHONPATH": str(MODULE), "PYTHONDONTWRITEBYTECODE": "1", **(variables or {})}
    start = time.monotonic()
    try:
        done = subprocess.run(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except OSError as error:
        raise Failed(f"{command[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]}: not finished after {TIMEOUT_S} s") from None
    if done.returncode != 0:
        name = " ".join(pathlib.Path(part).name for part in command[:2])
        raise Failed(f"{name}: exit status {done.returncode}: {last_line(done.stderr)}")
    return done.stdout, done.stderr, time.monotonic() - start


class Vbtrace:
    """A build of vbtrace."""

    def __init__(self, library, tool):
        self.library, self.tool = library, tool

    def run(self, command, directory, trace, **options):
        """Run a command under vbtrace, with its trace in the file `trace`; options become VBTRACE_
        variables. Returns what run() does."""
        variables = {"LD_PRELOAD": str(self.library), "VBTRACE_OUTPUT": str(trace), "VBTRACE_QUIET": "1"}
        variables.update((f"VBTRACE_{name.upper()}", value) for name, value in options.items())
        outcome = run(command, directory, variables)
        if not pathlib.Path(trace).is_file():
            raise Failed(f"{self.library}: left no trace: {last_line(outcome[1])}")
        return outcome

    def show(self, *arguments, directory="."):
        """What the analyzer prints."""
        return run([self.tool, *arguments], directory, {"COLUMNS": "132"})[0]

    def sections(self, trace):
        """{label: section}, as in the JSON of `vbtrace report`. Fails if events were lost."""
        report = json.loads(self.show("report", "--format", "json", trace))
        if report["totals"]["lost_events"]:
            raise Failed(f"{trace}: {report['totals']['lost_events']} events lost; the counts would be too low")
        found = {}
        for row in report["intervals"]:
            if row["kind"] == "section" and found.setdefault(row["label"], row) is not row:
                raise Failed(f"{trace}: section '{row['label']}' begins or ends at more than one place")
        return found


def cost(section):
    """The counts of a section that ran once."""
    return {
        "allocs": section["allocs"]["total"],
        "frees": section["frees"]["total"],
        "allocated_bytes": section["allocated_bytes"]["total"],
        "net_bytes": section["net_bytes"]["total"],
        "peak_bytes": section["high_bytes"]["max"],
    }
