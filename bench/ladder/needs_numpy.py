"""NumPy, for workloads that cannot run without it."""

from variants import Absent, numpy

if numpy is None:
    raise Absent("needs NumPy")
np = numpy
