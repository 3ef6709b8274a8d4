/* The `vbtrace run` that the process belongs to, if any. It is sent what went wrong, since it knows
 * when to print it: standard error may be closed by then, and a program that never could be traced
 * would leave no message. */
#ifndef VBT_RUNNER_H
#define VBT_RUNNER_H

#include <stdbool.h>

/* Call once at the start: reads the environment, which the program may change later, and maps a
 * page by which `vbtrace run` knows this process and what it forks. */
void vbt_runner_init(void);

/* Sends one line, without its newline. False if there is no `vbtrace run`, or it cannot be
 * reached. */
bool vbt_runner_send(const char *line);

#endif
