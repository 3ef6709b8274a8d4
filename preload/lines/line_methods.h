/* Line events up to 3.11: what the interpreter makes only for tracing where a line calls a method
 * of a type written in C.
 *
 * While a thread has a trace function, the evaluation loop binds such a method to its object, as a
 * profile function would be called with it, and drops the bound method after the call
 * (trace_call_function and do_call_core in CPython's ceval.c). Without a profile function there
 * would be no such object but for us. */
#ifndef VBT_LINE_METHODS_H
#define VBT_LINE_METHODS_H

#include <stdbool.h>

/* Wraps the type's function that makes them, with the GIL. Until vbt_line_methods_learned, all of
 * its callers are taken for the evaluation loop: run every kind of call, and nothing else. */
void vbt_line_methods_learn(void);
void vbt_line_methods_learned(void);

#endif
