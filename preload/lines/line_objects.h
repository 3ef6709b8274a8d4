/* Exact objects: those that come from the interpreter's free lists, which no allocator sees. */
#ifndef VBT_LINE_OBJECTS_H
#define VBT_LINE_OBJECTS_H

#include "preload/python/python.h"

/* Starts counting, if VBTRACE_OBJECTS asks for it: from 3.13 on by the reference tracer, every object; from 3.10 to 3.12 those that
 * the allocator for objects serves, and those from free lists, as far as they can be kept empty. Says what cannot be seen. With
 * the GIL. */
void vbt_line_objects_start(void);

/* The interpreter has ended. */
void vbt_line_objects_end(void);

/* Set where something has to be looked after at each line event. */
extern void (*vbt_line_objects_on_event)(void) VBT_HIDDEN;

#endif
