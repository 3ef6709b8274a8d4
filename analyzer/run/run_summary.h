/* The summary that `vbtrace run` prints at its end, on standard error. */
#ifndef VBT_RUN_SUMMARY_H
#define VBT_RUN_SUMMARY_H

#include "session.h"

/* Lists the processes that left traces, if there are several, and prints the totals and hottest
 * lines of the one that is most likely meant, see vbt_process_list_first. running: how many
 * processes are still running; status: how the program ended, as waitpid returns it. */
void vbt_run_summary_print(const struct vbt_session *session, size_t running, const char *program, int status);

#endif
