/* Line mode's tool number in sys.monitoring.
 *
 * All tools of a process share six numbers. A tool that asks for the one that line mode has gets
 * it, as in a program that is not traced: line mode moves to another one, and ends where there is
 * none. */
#ifndef VBT_LINE_TOOL_H
#define VBT_LINE_TOOL_H

#include <stdbool.h>

/* -1: line mode has none. */
extern int vbt_line_tool;

/* Takes a number, and calls listen, which requests events under that number; so again whenever it
 * had to move to another one. False if all are taken or listen fails. monitoring: sys.monitoring.
 * With the GIL. */
bool vbt_line_tool_take(void *monitoring, bool (*listen)(void));

/* The interpreter has ended. */
void vbt_line_tool_end(void);

#endif
