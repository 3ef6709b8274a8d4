# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Cosine similarity of every pair of rows, in Cython."""

from libc.math cimport sqrt


def cosines(double[:, ::1] a, double[:, ::1] out):
    cdef Py_ssize_t i, j, k
    cdef double dot, xx, yy
    for i in range(a.shape[0]):
        for j in range(a.shape[0]):
            dot = xx = yy = 0.0
            for k in range(a.shape[1]):
                dot += a[i, k] * a[j, k]
                xx += a[i, k] * a[i, k]
                yy += a[j, k] * a[j, k]
            out[i, j] = dot / sqrt(xx * yy)
