"""Derives the findings of the lab from its measurements: crossover, plateau, and where the time
goes. Takes and returns numbers; prints nothing."""

import dataclasses
import math
import statistics

LARGE = 2**16  # from here on the fixed cost of an np.sum call is a small part of its time
ELEMENT_BYTES = 4  # float32


@dataclasses.dataclass(frozen=True)
class Findings:
    sizes: list
    ratios: list  # t_python / t_numpy, by size
    crossover: float  # the size where the ratio is 1, or None: see crossover_of
    predicted_crossover: float  # from the costs below
    plateau: float  # the median of the ratios of large sizes
    plateau_range: tuple  # the least and the greatest of them
    plateau_sizes: tuple  # the first and the last of these sizes
    loop_ns: float  # of the loop, per element, at the largest size
    first_loop_ns: float  # the same at the smallest size, which includes the cost of starting the loop
    call_ns: float  # of np.sum, per call, at the smallest size
    sum_ns: float  # of np.sum, per element, at the largest size
    best_gb_per_s: float  # at which np.sum reads, at its best size
    best_size: int
    last_gb_per_s: float  # and at the largest

    @property
    def ceiling(self):
        """The ratio that these two costs per element can reach at any size."""
        return self.loop_ns / self.sum_ns


def crossover_of(sizes, ratios):
    """The size at which the ratio reaches 1, interpolated in log-log between two sizes; None if it
    never does."""
    for (a, low), (b, high) in zip(zip(sizes, ratios), zip(sizes[1:], ratios[1:])):
        if low < 1 <= high:
            share = -math.log(low) / (math.log(high) - math.log(low))
            return a * (b / a) ** share
    return None


def findings(rows):
    """The findings from the rows of results.json."""
    time_of = {(row["op"], row["size"]): row["mean_time_ns"] for row in rows}
    sizes = sorted({row["size"] for row in rows})
    loop = [time_of["python_loop", size] for size in sizes]
    call = [time_of["np_sum", size] for size in sizes]
    ratios = [a / b for a, b in zip(loop, call)]
    large = [size for size in sizes if size >= LARGE] or sizes[-1:]
    on_plateau = ratios[-len(large) :]
    rates = [ELEMENT_BYTES * size / time for size, time in zip(sizes, call)]  # bytes per nanosecond are gigabytes per second
    loop_ns, sum_ns = loop[-1] / sizes[-1], call[-1] / sizes[-1]
    return Findings(
        sizes=sizes,
        ratios=ratios,
        crossover=crossover_of(sizes, ratios),
        predicted_crossover=call[0] / (loop_ns - sum_ns) if loop_ns > sum_ns else math.inf,
        plateau=statistics.median(on_plateau),
        plateau_range=(min(on_plateau), max(on_plateau)),
        plateau_sizes=(large[0], large[-1]),
        loop_ns=loop_ns,
        first_loop_ns=loop[0] / sizes[0],
        call_ns=call[0],
        sum_ns=sum_ns,
        best_gb_per_s=max(rates),
        best_size=sizes[rates.index(max(rates))],
        last_gb_per_s=rates[-1],
    )
