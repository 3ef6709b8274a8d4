"""Computes the figures of the table from the measurements. Nothing here runs or prints anything.

A round is a dict of what one run used (cpu_s, wall_s, max_rss_bytes), of the same at size 0
(zero_cpu_s, zero_wall_s; absent where a workload has no size, and in most rounds of tools that are
slow to start), and of what the tool reported: trace_bytes, events, zero_events, hits (of lines),
zero_hits, lost_events, report_wall_s, report_max_rss_bytes. The cost of a workload is the median
over the rounds minus the median at size 0. So no ratio includes start-up, and a tool that ran a
smaller size is compared by its cost per unit. Beside the ratio of medians stands that of minima,
the least run minus the least at size 0: other load on the machine can only add time."""

import statistics

FEWEST_EVENTS = 100_000  # below that, time divided by events is noise
FEWEST_HITS = 1000  # of lines; low, since tools that take very long per line get few


def net(rounds, field, of=statistics.median):
    """The median over the rounds of a field, minus the median of its values at size 0; of=min takes
    minima."""
    at_zero = [a_round["zero_" + field] for a_round in rounds if "zero_" + field in a_round]
    return of([a_round[field] for a_round in rounds]) - (of(at_zero) if at_zero else 0)


def median(rounds, field):
    """Median of a field, or None if a round lacks it."""
    values = [a_round.get(field) for a_round in rounds]
    return None if None in values else statistics.median(values)


def divided(a, b):
    return a / b if a is not None and b is not None and b > 0 else None


def of_untraced(rounds):
    """The cost of a workload untraced."""
    return {
        "cpu_s": net(rounds, "cpu_s"),
        "least_cpu_s": net(rounds, "cpu_s", min),
        "wall_s": net(rounds, "wall_s"),
        "max_rss_bytes": median(rounds, "max_rss_bytes"),
    }


def counted(rounds, what):
    """How many of them (events: allocations and frees; hits: lines) the work itself makes, or None
    if the tool does not count them."""
    return net(rounds, what) if all(what in a_round for a_round in rounds) else None


def of_tool(rounds, untraced, share, events, hits=None):
    """The cost under a tool that ran `share` of the size; events and hits are those of the whole
    size: allocations and frees, and counted lines."""
    cpu, wall, least_cpu = net(rounds, "cpu_s"), net(rounds, "wall_s"), net(rounds, "cpu_s", min)
    enough_events = events * share if events and events * share >= FEWEST_EVENTS else None
    enough_hits = hits * share if hits and hits * share >= FEWEST_HITS else None
    expected_cpu, expected_wall = net(untraced, "cpu_s") * share, net(untraced, "wall_s") * share
    expected_least = net(untraced, "cpu_s", min) * share
    return {
        "cpu_s": cpu,
        "least_cpu_s": least_cpu,
        "wall_s": wall,
        "cpu_ratio": divided(cpu, expected_cpu),
        "least_cpu_ratio": divided(least_cpu, expected_least),
        "wall_ratio": divided(wall, expected_wall),
        "cpu_added_s": cpu - expected_cpu,
        "wall_added_s": wall - expected_wall,
        "ns_per_event": divided((cpu - expected_cpu) * 1e9, enough_events),
        "ns_per_pair": divided((cpu - expected_cpu) * 2e9, enough_events),
        "ns_per_line": divided((cpu - expected_cpu) * 1e9, enough_hits),
        "events": counted(rounds, "events"),
        "lost_events": median(rounds, "lost_events"),
        "max_rss_bytes": median(rounds, "max_rss_bytes"),
        "rss_added_bytes": median(rounds, "max_rss_bytes") - median(untraced, "max_rss_bytes"),
        "trace_bytes": median(rounds, "trace_bytes"),
        "report_wall_s": median(rounds, "report_wall_s"),
        "report_max_rss_bytes": median(rounds, "report_max_rss_bytes"),
    }
