/* The `vbtrace run` that the process belongs to, if any. What went wrong is told to it, as it knows when to say it: standard error may be
 * closed by then, and a program that never could be traced would leave no word. */
#ifndef VBT_RUNNER_H
#define VBT_RUNNER_H

#include <stdbool.h>

/* NAME=PATH DEVICE INODE: where to tell it, a path of a file without a name, and what tells that file from any other. */
#define VBT_RUNNER_VARIABLE "_VBTRACE_RUN"

/* Call once at the start: looks at the environment, which the program may change later. */
void vbt_runner_init(void);

/* Tells one line, without its end. False if there is nobody to tell it to, or who cannot be reached from here. */
bool vbt_runner_tell(const char *line);

#endif
