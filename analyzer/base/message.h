/* Messages on standard error, one line each: "vbtrace: ...". */
#ifndef VBT_MESSAGE_H
#define VBT_MESSAGE_H

#include <stdbool.h>

/* Says why the command ends. Returns 2, the exit status of bad usage and bad input. */
int vbt_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints a warning; the command goes on. */
void vbt_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
