/* Runs the traced program as a child of `vbtrace run`, and ends vbtrace as the program ended. */
#ifndef VBT_CHILD_H
#define VBT_CHILD_H

#include <sys/types.h>

/* Starts a program with this process's environment and waits for its end. Meanwhile signals from
 * the terminal (Ctrl-C), which reach the program as well, are ignored here; those sent by other
 * processes are passed on to the program. Returns 0, or the errno of the start; *pid and *status
 * are set if it was started. */
int vbt_child_run(const char *path, char *const *arguments, pid_t *pid, int *status);

/* Ends this process as the program ended: with its exit status, or by the signal that killed it. */
_Noreturn void vbt_child_end_alike(int status);

#endif
