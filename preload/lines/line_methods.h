/* Line events up to 3.11: what the interpreter makes for tracing's sake where a line calls a method of a type that is written in C.
 *
 * Where a thread has a trace function, the evaluation loop wraps such a method and its object into one, as a profile function would want
 * to be told of, and drops it after the call (trace_call_function and do_call_core in CPython's ceval.c). No profile function: no such
 * object without us. */
#ifndef VBT_LINE_METHODS_H
#define VBT_LINE_METHODS_H

#include <stdbool.h>

/* Stands before the type's function that makes them, with the interpreter's lock. Until vbt_line_methods_learned all that asks is taken
 * for the evaluation loop: run every kind of call with nothing else in between. */
void vbt_line_methods_learn(void);
void vbt_line_methods_learned(void);

#endif
