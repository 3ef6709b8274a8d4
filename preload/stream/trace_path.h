/* Where the trace goes: VBTRACE_OUTPUT, with a name that no other process of the session has. */
#ifndef VBT_TRACE_PATH_H
#define VBT_TRACE_PATH_H

#include <stdbool.h>

/* Call once at the start: reads the environment, which the program may change later. */
void vbt_trace_path_init(void);

/* The rank of the process among those of a parallel job, as its environment says; "": none. */
const char *vbt_trace_rank(void);

/* VBTRACE_OUTPUT with its % letters replaced, made absolute, and with the user's own symbolic link
 * resolved; if it ends with a slash or is not set, the usual name in that directory. Unless a %p
 * distinguishes them, a name belongs to the program that was started: the pid is put into those of
 * the processes that it starts, directly or not, and of forked ones, which have their parent's
 * program and options. */
void vbt_trace_path(char *out, int size, bool forked);

/* Gives a complete file its name. If the path is taken by a process of the same session, it is
 * changed to one that is free; a file of an earlier session is replaced. 0, an error number, or
 * VBT_NO_FILE. */
int vbt_trace_path_take(const char *file, char *path, int size);

#endif
