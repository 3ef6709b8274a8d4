/* What goes to standard error: one line a message, "vbtrace: ...". */
#ifndef VBT_MESSAGE_H
#define VBT_MESSAGE_H

#include <stdbool.h>

/* Says why the command ends, and returns the exit status of bad usage and bad input: 2. */
int vbt_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says what a person should know; the command goes on. */
void vbt_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
