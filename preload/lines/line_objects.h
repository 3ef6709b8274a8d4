/* Exact objects: counts those that come from the interpreter's free lists, too, which no allocator
 * sees. */
#ifndef VBT_LINE_OBJECTS_H
#define VBT_LINE_OBJECTS_H

#include "preload/python/python.h"

/* Starts counting, if VBTRACE_OBJECTS asks for it. From 3.13 on the reference tracer reports every
 * object; from 3.10 to 3.12 those that the allocator for objects serves are counted, and free lists
 * are kept empty as far as possible. Says what cannot be seen. With the GIL. */
void vbt_line_objects_start(void);

/* The interpreter has ended. */
void vbt_line_objects_end(void);

/* Called at each line event, where there is something to do. */
extern void (*vbt_line_objects_on_event)(void) VBT_HIDDEN;

#endif
