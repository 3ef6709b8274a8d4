/* Is what we read of the interpreter what it says itself? */
#ifndef VBT_PYTHON_CHECK_H
#define VBT_PYTHON_CHECK_H

#include <stdbool.h>

/* A first, careful look at the calling thread's frames, with reads that survive a bad pointer. True: they look as the
 * offsets say, or there are none yet. *seen: there were some. */
bool vbt_python_look(bool *seen);

/* For Py_AddPendingCall, argument: the struct vbt_thread's override is handled by the caller. Compares every frame
 * that we see with f_code, f_lineno, f_back, co_filename, co_qualname, co_firstlineno. NULL: all alike; else what
 * differs, as a phrase. Needs the GIL. */
const char *vbt_python_compare(void);

#endif
