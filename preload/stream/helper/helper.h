/* The helper: the only task that touches files.
 *
 * It is a process of its own that shares the program's memory (helper_process.h), so the program
 * has no thread, descriptor or working directory of ours, and the helper outlives it: after SIGKILL,
 * a system call that ends the process, or an exec that no hook saw, it still writes down the last
 * state. It has no thread-local storage of libc's, so it calls nothing but system calls, memcpy and
 * zstd. */
#ifndef VBT_HELPER_H
#define VBT_HELPER_H

#include <stdbool.h>
#include <stdint.h>

/* Before the program runs: finds out whether there can be such a process. put_in_order: called by the
 * helper when the program has ended without a hook's notice, before it writes the last state; gets how
 * it ended (program_end.h), and returns whether that state is worth a trace. */
void vbt_helper_init(bool (*put_in_order)(const char *end));

/* Starts it, unless it runs; its first tick comes after so many ns. False if the kernel refuses. */
bool vbt_helper_start(int64_t first_tick);

bool vbt_helper_runs(void);

/* There is none and never will be: the trace is written when the process ends. */
bool vbt_helper_is_impossible(void);

/* Has the helper write everything, for this reason, and end; waits for it. Starts it for that where
 * it does not run; where none can be had, the calling thread does its work. finish: the process
 * ends, so that the trace is written for good; else only what is new. */
void vbt_helper_stop(const char *reason, bool finish);

/* The process has just given up rights, or may have: returns when the helper has given up the
 * same. */
void vbt_helper_follow_rights(void);

/* In the child of a fork: there is no helper. */
void vbt_helper_after_fork(void);

/* For the stream: sleeps until the time has passed, the helper is roused or asked to stop, or the
 * program has ended; in the last two cases true, with the reason. */
bool vbt_helper_sleep(int64_t nanoseconds, const char **reason, bool *finish);

/* For the stream: the helper is to be roused by the next event. Is it still to be? */
void vbt_helper_doze(void);
bool vbt_helper_dozes(void);

/* For hooks: an event comes. Nothing happens unless the helper dozes. */
void vbt_helper_rouse(void);

#endif
