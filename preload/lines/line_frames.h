/* Line events up to 3.11: which frames have the trace function.
 *
 * While a thread has a trace function, the interpreter spends time on it at every instruction,
 * whatever code it runs. So the function is in place for frames of chosen code alone, and not while
 * these wait for other code: line mode replaces the evaluation of frames (PEP 523), in all threads.
 * (In a thread that switches stacks it is in place for all frames.) A trace function of the
 * program's is left alone. */
#ifndef VBT_LINE_FRAMES_H
#define VBT_LINE_FRAMES_H

#include <stdbool.h>

typedef int (*vbt_tracer)(void *object, void *frame, int what, void *argument);

/* Starts, with the GIL: calls function for chosen frames. False if that is not possible in this
 * interpreter. */
bool vbt_line_frames_start(vbt_tracer function);

/* For a further interpreter, which the calling thread runs: its frames may have the function,
 * too. */
void vbt_line_frames_join(void);

/* Evaluates a frame, as the interpreter does after vbt_line_frames_start: for a further
 * interpreter. */
void *vbt_line_frames_evaluate(char *state, void *frame, int thrown);

/* Is there neither a trace function nor a profile function but ours in the calling thread? */
bool vbt_line_frames_is_sole_tracer(void);

/* Has the program set a trace function in the calling thread? */
bool vbt_line_frames_other_tracer(void);

/* Some code is about to set or remove a trace function in the calling thread, whose lines are
 * counted: removes ours. */
void vbt_line_frames_withdraw(void);

/* If the calling thread has no trace function and runs chosen code: puts ours in place again. */
void vbt_line_frames_resume(void);

#endif
