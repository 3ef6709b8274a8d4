/* Finding the interpreter and keeping our wrappers before its allocators while it starts. */
#ifndef VBT_PYTHON_ATTACH_H
#define VBT_PYTHON_ATTACH_H

#include <stdbool.h>

/* Looks for an interpreter among the symbols of a library (RTLD_DEFAULT: of the program) and wraps its allocators.
 * Returns whether there is one now. */
bool vbt_python_attach(void *library);

/* While an interpreter starts: has the self-check run once it is up. True while it is still starting. wrap: wraps the allocators again if
 * the configuration replaced them. */
bool vbt_python_still_starting(bool wrap);

/* setlocale was called from this address: an interpreter may be starting that was loaded late, or starts for the
 * second time. */
void vbt_python_may_start(const void *caller);

#endif
