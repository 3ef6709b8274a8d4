"""Runs workloads under tools in turn, and makes the rows of the table from what they used.

In every round each workload runs once under each tool, in an order that rotates from round to
round, so that other load on the machine affects all sides alike.
"""

import shutil
import sys
import tempfile

from . import command_line, figures, machine, measure, text_table, tools
from .results import Results, in_repository


class Side:
    """One row of the table: a workload under a tool, with the rounds it has run."""

    def __init__(self, workload, python, tool, options):
        self.workload, self.python, self.tool = workload, python, tool
        self.share = tool.share_of(workload) if workload.sized else 1.0
        self.size = workload.size // (10 if options.quick else 1)
        self.seed = options.seed
        self.rounds = []
        self.status, self.reason = "ok", None
        if workload.numpy and python.numpy is None:
            self.give_up("skipped", f"no NumPy for {python.path}")
        elif reason := workload.missing() or tool.unusable(python, workload):
            self.give_up("skipped", reason)

    def give_up(self, status, reason):
        self.status, self.reason = status, reason

    def run_round(self, launcher):
        if len(self.rounds) == self.tool.most_rounds:
            return
        try:
            a_round = self.run_once(launcher, max(1, round(self.size * self.share)))
            if self.workload.sized and (not self.tool.slow_start or len(self.rounds) < tools.STARTS_OF_SLOW):
                a_round.update(("zero_" + field, value) for field, value in self.run_once(launcher, 0).items())
            self.rounds.append(a_round)
        except measure.Failed as failure:
            self.give_up("failed", str(failure))

    def run_once(self, launcher, size):
        """One measurement: what a run used, and what the tool reported."""
        usages = []
        for _ in range(min(self.workload.runs, tools.STARTS_OF_SLOW) if self.tool.slow_start else self.workload.runs):
            with tempfile.TemporaryDirectory(dir=launcher.directory) as left_behind:
                usage, facts = self.run(launcher, size, left_behind)
                usages.append(usage)
        return {
            "cpu_s": sum(usage.cpu_s for usage in usages) / len(usages),
            "wall_s": sum(usage.wall_s for usage in usages) / len(usages),
            "max_rss_bytes": max(usage.max_rss_bytes for usage in usages),
            **facts,
        }

    def run(self, launcher, size, left_behind):
        python = self.python.path if self.python else None
        command = self.workload.command(python, size, self.seed, launcher.directory)
        command, variables = self.tool.dress(command, self.python, left_behind)
        beside = self.workload.beside(size, self.seed, launcher.directory)
        usage = launcher.run(command, {**variables, **self.workload.variables}, beside)
        return usage, self.tool.examine(left_behind, launcher)

    def row(self, untraced, events, hits):
        """The row to print and to write; untraced is the Side to compare with, events and hits are
        those of the whole workload."""
        row = {
            "workload": self.workload.name,
            "python": self.python and self.python.version,
            "tool": self.tool.name,
            "status": self.status,
            "reason": self.reason,
            "size": self.size,
            "share": self.share,
            "ratios": self.workload.name != "startup",
            "rounds": self.rounds,
        }
        if self.status != "ok":
            return row
        if self is untraced:
            return {**row, **figures.of_untraced(self.rounds)}
        if untraced.status != "ok":
            return {**row, "status": "failed", "reason": "there is no untraced run to compare with"}
        events = events if self.tool.sees_every_allocation else None
        hits = hits if self.tool.sees_every_line else None
        return {**row, **figures.of_tool(self.rounds, untraced.rounds, self.share, events, hits)}


def run_all(groups, rounds, launcher, after_round):
    """Run all groups. A group is a list of Sides that are compared with each other, the untraced
    one first.

    after_round is called when a round is over, with the rows so far.
    """
    for number in range(rounds):
        for group in groups:
            turned = number % len(group)
            for side in group[turned:] + group[:turned]:
                if side.status == "ok":
                    command_line.progress(f"round {number + 1} of {rounds}: {side.workload.name}, {side.tool.name}")
                    side.run_round(launcher)
        after_round(rows_of(groups))
    command_line.progress("")


def rows_of(groups):
    rows = []
    for untraced, *others in groups:
        ours = {side.tool.name: side.rounds for side in others if side.status == "ok"}
        events = figures.counted(ours["vbtrace"], "events") if "vbtrace" in ours else None
        hits = figures.counted(ours["vbtrace-lines"], "hits") if "vbtrace-lines" in ours else None
        rows += [side.row(untraced, events, hits) for side in (untraced, *others)]
    return rows


def installed(rows):
    """The rows of the tools that are installed, and {tool: why not} of the others."""
    absent = {row["tool"]: row["reason"] for row in rows if row["status"] == "skipped" and row["reason"].startswith("not installed")}
    return [row for row in rows if row["tool"] not in absent], absent


def run_benchmark(name, options, python_paths, sides, per="event", after=None):
    """Run the whole benchmark: measure, write the JSON, print the table, and end the program.

    python_paths are the interpreters that Python workloads run on; sides are the tools, the
    untraced one first. after, if given, is called with the rows and the launcher; it returns
    additions to the JSON (a dict), additional lines to print, and whether it found a failure. per
    is the unit of the added time in the table. A peer that fails is shown, but does not make the
    run fail.
    """
    more, lines, failed, results = {}, [], False, None
    with tempfile.TemporaryDirectory(prefix=f"vbtrace-{name}-") as directory:
        try:
            launcher = measure.Launcher(directory)
            pythons = [machine.probe(shutil.which(path) or path, launcher.environment) for path in python_paths]
            for workload in options.workloads:
                if workload.missing() is None:
                    workload.prepare(directory)
            asked = {name: value for name, value in vars(options).items() if isinstance(value, (int, str)) and value is not None}
            ours = {"library": in_repository(options.library), "tool": in_repository(options.tool)}
            manifest = machine.manifest(pythons, {**asked, **ours})
            groups = [
                [Side(workload, python, tool, options) for tool in sides]
                for workload in options.workloads
                for python in ([None] if workload.native else pythons)
            ]
            results = Results(options.out, manifest)
            run_all(groups, options.rounds, launcher, results.after_round)
            rows = rows_of(groups)
            if after is not None:
                more, lines, failed = after(rows, launcher)
            results.finish(rows, **more)
        except (measure.Failed, KeyboardInterrupt) as why:
            kept = results and results.stopped()
            for said in filter(None, (str(why), kept)):
                print(f"run {name}: {said}", file=sys.stderr)
            sys.exit(130 if isinstance(why, KeyboardInterrupt) else 2)
    notes = [(tool.name, tool.note) for tool in sides if tool.note]
    here, absent = installed(rows)
    notes = [(name, note) for name, note in notes if name not in absent]
    print("\n".join([*text_table.lines(here, notes, per), *(f"{name}: {why}." for name, why in absent.items()), *lines]))
    if note := machine.busy(manifest):
        print(f"\n{note}")
    print(f"\n{options.rounds} rounds on {manifest['cpu']}; every measurement is in {options.out}")
    sys.exit(1 if failed or any(row["status"] == "failed" and row["tool"] in ("untraced", "vbtrace") for row in rows) else 0)
