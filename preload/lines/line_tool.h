/* Line mode's tool number in sys.monitoring, in each interpreter of the process.
 *
 * All tools of an interpreter share six numbers. A tool that asks for the one that line mode has
 * gets it, as in a program that is not traced: line mode moves to another one, and ends where there
 * is none. */
#ifndef VBT_LINE_TOOL_H
#define VBT_LINE_TOOL_H

#include <stdbool.h>
#include <stdint.h>

/* Of the interpreter that the calling thread runs; -1: line mode has none. */
int vbt_line_tool(void);

/* The same interpreter's sys.monitoring, NULL where line mode has no number. */
void *vbt_line_tool_monitoring(void);

/* Takes a number in this interpreter, and calls listen(leave), which requests events under that
 * number; so again whenever it had to move to another one. False if all are taken or listen fails.
 * monitoring: sys.monitoring. leave: leave_tool of line_mode.py. Both are borrowed: the callbacks
 * that listen registers must keep them. With the GIL. */
bool vbt_line_tool_take(void *monitoring, void *leave, bool (*listen)(void *leave));

/* Did line mode ask for a number in this interpreter? */
bool vbt_line_tool_is_of(const void *interpreter, int64_t id);

/* The process's interpreters have ended. */
void vbt_line_tool_end(void);

#endif
