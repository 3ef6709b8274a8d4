/* Functions of ours in the place of the interpreter's built-in ones. */
#ifndef VBT_LINE_WRAP_H
#define VBT_LINE_WRAP_H

#include "preload/python/cpython.h"

#include <stdbool.h>

/* Puts a function in the place of a module's built-in one. It looks like that to the program, and is called likewise. *ours lives as long
 * as the interpreter; *real: what is to be called for what the program wanted. False, and nothing is changed, if there is no such
 * function. With the GIL. */
bool vbt_line_wrap(void *module, const char *name, void *function, struct vbt_py_method *ours, void **real);

#endif
