"""Compares the allocations that workloads state with those that were counted.

A statement is exact up to a constant, the cost of starting.
"""

import itertools

COUNTED = {"allocs": "allocs", "bytes": "allocated_bytes"}  # name in a statement: name in a row
LARGEST_CONSTANT = {"allocs": 400, "bytes": 256 * 1024}  # a larger difference is no constant but a missing statement


def constants(rows, what):
    """The counts minus the stated values, at each n."""
    return [row[COUNTED[what]] - row["expected"][what] for row in rows]


def unmet(rows, largest=LARGEST_CONSTANT):
    """A line for every variant whose counts do not follow from what it states; empty if all do."""
    lines = []
    for (workload, variant), group in itertools.groupby(rows, key=lambda row: (row["workload"], row["variant"])):
        chosen = list(group)
        for what in COUNTED:
            found = constants(chosen, what)
            counted = ", ".join(f"{row[COUNTED[what]]:,} at {row['n']}" for row in chosen)
            stated = f"{workload}.{variant}: {what} {chosen[0]['expression'][what]}"
            if len(set(found)) > 1:
                lines.append(f"{stated}, and a constant: counted {counted}; the constant would be {', '.join(map(str, found))}")
            elif abs(found[0]) > largest[what]:
                lines.append(f"{stated}, and a constant of at most {largest[what]}: counted {counted}")
    return lines


def as_text(row):
    """The allocations with their constant: `3 * n + 7`."""
    constant = constants([row], "allocs")[0]
    stated = row["expression"]["allocs"]
    return (
        f"{constant}" if stated == "0" else stated if constant == 0 else f"{stated} {'+' if constant > 0 else '-'} {abs(constant)}"
    )
