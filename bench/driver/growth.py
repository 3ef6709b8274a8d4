"""How a measured quantity grows with n, from its values at several n."""

import math
import statistics

SHAPES = {"linear": float, "quadratic": lambda n: float(n) ** 2}
FINER = {"logarithmic": math.log2, "n log n": lambda n: n * math.log2(n)}  # reported only where they fit far better
FEW = 0.01  # of the largest value: a smaller spread counts as constant
LEAST_SPREAD = 2


def misfit(sizes, values, shape):
    """The largest distance of the values from the best fit a + b * shape(n), as a share of their
    spread."""
    points = [shape(n) for n in sizes]
    b, a = regression(points, values)
    return max(abs(value - a - b * point) for point, value in zip(points, values)) / (max(values) - min(values))


def regression(x, y):
    """Slope and intercept of the least-squares line."""
    mean_x, mean_y = statistics.fmean(x), statistics.fmean(y)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / sum((a - mean_x) ** 2 for a in x)
    return slope, mean_y - slope * mean_x


def of_counts(sizes, values):
    """The growth of exact values: constant, linear, quadratic, logarithmic or n log n."""
    spread = max(values) - min(values)
    if spread <= max(LEAST_SPREAD, FEW * max(values)):
        return "constant"
    best = min(SHAPES, key=lambda name: misfit(sizes, values, SHAPES[name]))
    finer = min(FINER, key=lambda name: misfit(sizes, values, FINER[name]))
    return finer if misfit(sizes, values, FINER[finer]) < misfit(sizes, values, SHAPES[best]) / 3 else best


def of_times(sizes, values):
    """The growth of noisy values, by the power of n they rise with: constant, linear, quadratic or
    steeper."""
    slope, _ = regression([math.log(n) for n in sizes], [math.log(value) for value in values])
    return ("constant", "linear", "quadratic", "cubic")[min(3, max(0, round(slope)))]
