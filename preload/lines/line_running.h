/* The code that an interpreter's threads are running. */
#ifndef VBT_LINE_RUNNING_H
#define VBT_LINE_RUNNING_H

/* Calls a function for each code object that a frame of the calling thread's interpreter runs, each
 * once. It may run Python code. Needs the GIL, and an interpreter that has one (the frames of
 * others change meanwhile). sys._current_frames() is no way: it has the frames of all
 * interpreters. */
void vbt_line_running(void (*each)(void *code, void *context), void *context);

#endif
