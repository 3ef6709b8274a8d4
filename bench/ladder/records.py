"""n records of three numbers: dicts, dataclass instances, instances with __slots__, a structured
array."""

import dataclasses

from needs_numpy import np
from variants import variant

SIZES = (1000, 2000, 4000, 8000)


@dataclasses.dataclass
class Point:
    x: float
    y: float
    z: float


class SlotPoint:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x, self.y, self.z = x, y, z


POINT = np.dtype([("x", float), ("y", float), ("z", float)])


def data(n):
    a = np.linspace(0, 1, n)
    return a.tolist(), a


def result(records):
    return [one["x"] if isinstance(one, (dict, np.void)) else one.x for one in records]


@variant(allocs="2 * n + grown(n)[0]", bytes="size({'x': 0, 'y': 0, 'z': 0}) * n + grown(n)[1]")
def dicts(values, a):
    return [{"x": x, "y": x, "z": x} for x in values]


@variant(allocs="(1 if v >= (3, 13) else 2) * n + grown(n)[0]", bytes="96 * n + grown(n)[1]")
def dataclass(values, a):
    return [Point(x, x, x) for x in values]


@variant(allocs="n + grown(n)[0]", bytes="size(SlotPoint(0, 0, 0)) * n + grown(n)[1]")
def slots(values, a):
    return [SlotPoint(x, x, x) for x in values]


@variant(allocs="0", bytes="3 * 8 * n")
def structured(values, a):
    records = np.empty(len(a), POINT)
    records["x"] = records["y"] = records["z"] = a
    return records
