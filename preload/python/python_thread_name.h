/* The name of a thread as Python's module threading has it: up to 3.13, the kernel is not told. */
#ifndef VBT_PYTHON_THREAD_NAME_H
#define VBT_PYTHON_THREAD_NAME_H

#include "python_stack.h"

/* The name of the thread whose frames these are, as UTF-8 with a 0 at the end, cut at size. False
 * if it was not started by threading.Thread, or the name cannot be read. Reads the interpreter's
 * memory and calls nothing of it; needs the GIL. */
bool vbt_python_thread_name(const struct vbt_python_stack *stack, char *name, size_t size);

#endif
