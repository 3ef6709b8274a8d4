/* The `vbtrace run` that the process belongs to, if any. It is given what went wrong, as it knows
 * when to print it: standard error may be closed by then, and a program that never could be traced
 * would leave no message. */
#ifndef VBT_RUNNER_H
#define VBT_RUNNER_H

#include <stdbool.h>

/* Call once at the start: looks at the environment, which the program may change later. */
void vbt_runner_init(void);

/* Sends one line, without its end. False where there is no `vbtrace run`, or none that can be
 * reached from here. */
bool vbt_runner_send(const char *line);

#endif
