"""Adds up what `vbtrace` says of single traces: what it must say of them together. It shares no
code with it."""

import collections
import json

import vbt

COUNTS = ("allocs", "frees", "allocated_bytes", "freed_bytes", "temporary_allocs")


def read(*arguments, warnings=False):
    done = vbt.vbtrace(*arguments)
    assert done.returncode == 0 and (warnings or not done.stderr), done.stderr
    return json.loads(done.stdout)


def view(command, *rest):
    return read(command, "--format", "json", *rest)


def place(row):
    return tuple(row.get(name) for name in ("kind", "file", "line", "function", "module"))


def summed(rows, key, names):
    """{key of a row: {name: the sum over its rows}}."""
    sums = collections.defaultdict(lambda: dict.fromkeys(names, 0))
    for row in rows:
        for name in names:
            sums[key(row)][name] += row[name]
    return dict(sums)


def stacks(found):
    """The stacks of peak, leaks or temporary, by their frames."""
    return [{**row, "key": tuple(place(found["frames"][number]) for number in row["frames"])} for row in found["stacks"]]


def tree(found):
    """The calls of the tree, by all places above."""
    keys = {0: ()}
    for call in found["calls"]:
        keys[call["id"]] = keys[call["parent"]] + (place(call),)
    return [{**call, "key": keys[call["id"]]} for call in found["calls"]]


def nonzero(sums):
    return {key: counts for key, counts in sums.items() if any(counts.values())}


def check_sums(whole, paths, inherits=False, stacks_too=True):
    """What is said of `whole` (the arguments that name the traces together) is the sum of what is
    said of each of `paths`. inherits: some were forked, and have live blocks of their parents.
    stacks_too: every call stack is compared, which takes long if there are very many."""
    together, parts = view("report", *whole), [view("report", path) for path in paths]
    names = COUNTS if inherits else COUNTS + ("live_bytes", "live_blocks", "peak_bytes")
    for name in names:
        assert together["totals"][name] == sum(part["totals"][name] for part in parts), name
        for domain in ("heap", "python", "map"):
            if name in COUNTS:
                assert together["totals"]["domains"][domain][name] == sum(part["totals"]["domains"][domain][name] for part in parts), (domain, name)
    assert together["conservation"]["holds"] in (True, None)
    for rows in ("lines", "user_lines"):
        of_parts = [row for part in parts for row in part[rows]]
        expected, found = nonzero(summed(of_parts, place, COUNTS)), nonzero(summed(together[rows], place, COUNTS))
        assert found == expected
    assert len(together["processes"]) == len(parts)
    check_by_process(whole, parts)
    if stacks_too:
        check_stacks(whole, paths)
    return together, parts


def check_stacks(whole, paths):
    for command in ("leaks", "temporary"):
        of_parts = [row for path in paths for row in stacks(view(command, *(["--ungroup"] if command == "leaks" else []), path))]
        found = stacks(view(command, *(["--ungroup"] if command == "leaks" else []), *whole))
        names = ("own_live_bytes", "own_live_blocks") if command == "leaks" else ("temporary_allocs",)
        assert nonzero(summed(found, lambda row: row["key"], names)) == nonzero(summed(of_parts, lambda row: row["key"], names))
    of_parts = [row for path in paths for row in tree(view("tree", path))]
    names = COUNTS[:1] + ("allocated_bytes", "cumulative_allocs", "cumulative_allocated_bytes", "temporary_allocs")
    found = summed(tree(view("tree", *whole)), lambda row: row["key"], names)
    assert nonzero(found) == nonzero(summed(of_parts, lambda row: row["key"], names))


def check_by_process(whole, parts):
    """Rows of --by process have the totals of their processes."""
    rows = view("functions", "--by", "process", *whole)["functions"]
    expected = collections.Counter()
    for part in parts:
        expected[part["program"]["pid"]] += part["totals"]["allocs"]
    by_pid = collections.Counter()
    for row in rows:
        by_pid[int(row["function"].rpartition("(")[2].rstrip(")"))] += row["allocs"]
    assert by_pid == +expected and len(rows) <= len(parts)
