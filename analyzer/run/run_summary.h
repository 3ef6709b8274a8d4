/* The summary that `vbtrace run` prints at its end, on standard error. */
#ifndef VBT_RUN_SUMMARY_H
#define VBT_RUN_SUMMARY_H

#include "session.h"

#include <sys/types.h>

/* Lists the processes that left traces, if there are several, and prints the totals and hottest
 * lines of one of them: the process that was started, or else the one that allocated most. running:
 * how many processes are still running; status: how the program ended, as waitpid returns it. */
void vbt_run_summary_print(const struct vbt_session *session, pid_t pid, size_t running, const char *program, int status);

#endif
