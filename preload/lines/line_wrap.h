/* Puts functions of ours in the place of the interpreter's built-in ones. */
#ifndef VBT_LINE_WRAP_H
#define VBT_LINE_WRAP_H

#include "preload/python/cpython.h"

#include <stdbool.h>

/* Replaces a built-in function of a module. The new one looks the same to the program and is called
 * the same way. *ours must live as long as the interpreter; *real: the function to call for what
 * the program wanted. False, and nothing is changed, if there is no such function. With the GIL. */
bool vbt_line_wrap(void *module, const char *name, void *function, struct vbt_py_method *ours, void **real);

#endif
