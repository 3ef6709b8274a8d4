/* Finding the interpreter, and keeping its allocators wrapped while it starts. */
#ifndef VBT_INTERPRETER_H
#define VBT_INTERPRETER_H

#include <stdbool.h>

/* Looks for an interpreter among the symbols of a library (RTLD_DEFAULT: of the program) and wraps
 * its allocators. Returns whether there is one now. */
bool vbt_python_attach(void *library);

/* setlocale was called from this address: an interpreter may be starting that was loaded late, or
 * is started for the second time. */
void vbt_python_may_start(const void *caller);

#endif
