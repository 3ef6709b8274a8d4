"""Filters noisy measurements with NumPy, and keeps the best of them."""
import numpy


def measure(rows):
    generator = numpy.random.default_rng(7)
    return generator.random((rows, 64))


def smooth(values):
    total = numpy.cumsum(values, axis=1)
    return (total[:, 8:] - total[:, :-8]) / 8


def best(values, count):
    order = numpy.argsort(values.mean(axis=1))
    return values[order[-count:]].copy()


kept = []
for turn in range(4):
    kept.append(best(smooth(measure(20_000)), 100))
print(sum(part.sum() for part in kept) > 0)
