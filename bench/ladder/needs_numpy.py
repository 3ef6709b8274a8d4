"""NumPy for a workload that is nothing without it."""

from variants import Absent, numpy

if numpy is None:
    raise Absent("needs NumPy")
np = numpy
