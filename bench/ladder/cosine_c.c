/* Cosine similarity of every pair of rows, as a C extension: cosines(a, out), both C-contiguous
 * buffers of doubles with two dimensions, out with as many rows and columns as a has rows. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>

static double cosine(const double *x, const double *y, Py_ssize_t dimensions) {
    double dot = 0, xx = 0, yy = 0;
    for (Py_ssize_t k = 0; k < dimensions; k++) {
        dot += x[k] * y[k];
        xx += x[k] * x[k];
        yy += y[k] * y[k];
    }
    return dot / sqrt(xx * yy);
}

/* Whether it is a matrix of doubles. */
static int is_matrix(const Py_buffer *view) {
    return view->ndim == 2 && view->itemsize == sizeof(double) && view->format != NULL && strcmp(view->format, "d") == 0;
}

static PyObject *cosines(PyObject *self, PyObject *arguments) {
    (void)self;
    PyObject *from, *to, *result = NULL;
    Py_buffer a, out;
    if (!PyArg_ParseTuple(arguments, "OO:cosines", &from, &to) ||
        PyObject_GetBuffer(from, &a, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) != 0)
        return NULL;
    if (PyObject_GetBuffer(to, &out, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | PyBUF_WRITABLE) != 0) {
        PyBuffer_Release(&a);
        return NULL;
    }
    if (!is_matrix(&a) || !is_matrix(&out) || out.shape[0] != a.shape[0] || out.shape[1] != a.shape[0]) {
        PyErr_SetString(PyExc_ValueError, "cosines: expected an n x d and an n x n array of doubles");
    } else {
        Py_ssize_t rows = a.shape[0], dimensions = a.shape[1];
        const double *vectors = a.buf;
        double *cell = out.buf;
        for (Py_ssize_t i = 0; i < rows; i++)
            for (Py_ssize_t j = 0; j < rows; j++)
                *cell++ = cosine(vectors + i * dimensions, vectors + j * dimensions, dimensions);
        Py_INCREF(Py_None);
        result = Py_None;
    }
    PyBuffer_Release(&out);
    PyBuffer_Release(&a);
    return result;
}

static PyMethodDef methods[] = {{"cosines", cosines, METH_VARARGS, "cosines(a, out): of every pair of rows of a"}, {0}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "cosine_c", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_cosine_c(void) { return PyModule_Create(&module); }
