/* What `vbtrace run` tells at its end, on standard error. */
#ifndef VBT_RUN_SUMMARY_H
#define VBT_RUN_SUMMARY_H

#include "session.h"

#include <sys/types.h>

/* The processes that left traces, if there are several, and the totals and hottest lines of one: that of the process that was started,
 * or else the one that allocated most. running: processes that go on; status: how the program ended, as waitpid gives it. */
void vbt_run_summary_print(const struct vbt_session *session, pid_t pid, size_t running, const char *program, int status);

#endif
