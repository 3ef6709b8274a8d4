/* The traced program as a child of `vbtrace run`: started, waited for, and its end made our own. */
#ifndef VBT_CHILD_H
#define VBT_CHILD_H

#include <sys/types.h>

/* Starts a program with our environment and waits for its end. Signals from the terminal (Ctrl-C) reach the program by itself, so they
 * are ignored here meanwhile; those that somebody sends us are passed on to it. 0, or the error number of the start; *pid and *status
 * are set if it was started. */
int vbt_child_run(const char *path, char *const *arguments, pid_t *pid, int *status);

/* Ends this process as the program ended: with its exit status, or by the signal that killed it. */
_Noreturn void vbt_child_end_alike(int status);

#endif
