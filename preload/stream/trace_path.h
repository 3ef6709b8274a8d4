/* Where the trace goes: VBTRACE_OUTPUT, with a name that no other process of the session has. */
#ifndef VBT_TRACE_PATH_H
#define VBT_TRACE_PATH_H

#include <stdbool.h>

/* Call once at the start: looks at the environment, which the program may change later. */
void vbt_trace_path_init(void);

/* VBTRACE_OUTPUT with its % letters replaced, absolute, and not a link of ours but what it stands for; in a folder under the usual name where it ends with a slash, or none is given.
 * forked: the process has its parent's program and options; unless a %p tells them apart, its pid is in the name. */
void vbt_trace_path(char *out, int size, bool forked);

/* Gives a complete file its name. Where the path is taken by a process of the same session, it is changed to one that is free; a file of
 * an earlier session is replaced, as one expects. 0, an error number, or VBT_NO_FILE. */
int vbt_trace_path_take(const char *file, char *path, int size);

#endif
