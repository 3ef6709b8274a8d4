/* The self-check: is what we read of the interpreter what it says itself? */
#ifndef VBT_PYTHON_CHECK_H
#define VBT_PYTHON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Copies memory of our own process; false where it cannot be read. */
bool vbt_python_read(const void *from, void *to, size_t size);

/* A first, careful look at the calling thread's frames, with reads that survive a bad pointer.
 * True: they are as the offsets say, or there are none yet. *seen: there were some. */
bool vbt_python_look(bool *seen);

/* Compares every frame that we see with f_code, f_lineno, f_back, co_filename, co_qualname,
 * co_firstlineno. NULL: no difference; else the first one, as a phrase. Needs the GIL: call it from
 * Py_AddPendingCall, with the thread's Python stack overridden. */
const char *vbt_python_compare(void);

#endif
