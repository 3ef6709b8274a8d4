"""What does tracing cost, and what do tools see? Runs workloads untraced, under vbtrace and under
other tools in turn, and compares; then lets each tool count a known number of allocations.

Prints a table and writes every measurement as JSON, with a description of the machine and the
tools.
"""

from sidebyside import command_line, compare, machine, native_tools, python_tools, seen, tools, workloads

ROUNDS = 5
PEERS = [*python_tools.ALL, *native_tools.ALL]


def main(arguments):
    parser = command_line.parser("overhead", "Compare the cost of vbtrace with that of other tools.", workloads.ALL, PEERS, ROUNDS)
    parser.add_argument(
        "--python", action="append", metavar="PATH", help="interpreter, may be given again; default: /usr/bin/python3"
    )
    parser.add_argument("--costs-only", action="store_true", help="skip the check of what each tool sees of a known number of allocations")
    options = command_line.options_from(parser, arguments, workloads.ALL, PEERS, ROUNDS)
    built = options.library.resolve(), options.tool.resolve()
    vbtrace = [] if options.without_vbtrace else [tools.Vbtrace(*built)]
    lines = [] if options.without_vbtrace else [tools.VbtraceLines(*built)]
    pythons = options.python or ["/usr/bin/python3"]

    def look(rows, launcher):
        """What the tools see, with the first of the interpreters; a miscount by vbtrace is a
        failure."""
        found = seen.look_at_all([*vbtrace, *options.peers], machine.probe(pythons[0], launcher.environment), launcher, options.quick)
        return {"seen": found}, list(seen.lines(found)), any(seen.wrong(row) for row in found if row["tool"] == "vbtrace")

    compare.run_benchmark("overhead", options, pythons, [tools.Tool(), *vbtrace, *lines, *options.peers], after=None if options.costs_only else look)
