/* Line events up to 3.11: which frames have the trace function.
 *
 * Where a thread has a trace function, the interpreter does something for it at every instruction, whatever code it is of. So it is
 * there for frames of chosen code alone, and not while those wait for other code: a function of ours stands around the evaluation of every
 * frame (PEP 523), in all threads. (In a thread that switches stacks it is there for all frames.) Somebody else's trace function is left
 * alone. */
#ifndef VBT_LINE_FRAMES_H
#define VBT_LINE_FRAMES_H

#include <stdbool.h>

typedef int (*vbt_tracer)(void *object, void *frame, int what, void *argument);

/* Begins, with the interpreter's lock: function is to be told of chosen frames. False if this interpreter cannot be had so. */
bool vbt_line_frames_start(vbt_tracer function);

/* Does the calling thread trace for our sake alone? */
bool vbt_line_frames_is_sole_tracer(void);

/* Somebody is about to set a trace function in the calling thread, whose lines are counted, or to take one away. Ours is not in place any
 * more. */
void vbt_line_frames_withdraw(void);

/* If nobody has a trace function in the calling thread, and it runs chosen code: ours is in place again. */
void vbt_line_frames_resume(void);

#endif
