/* The helper thread: the only one that touches files.
 *
 * It is made by clone alone, so that no lock of libc is taken, and it does not share what a thread of the program
 * would: it has a descriptor table of its own (the program can neither see, nor close, nor inherit the trace's
 * descriptor, and no number is missing from the program's), and all signals are blocked in it. It has no thread-local
 * storage of libc's, so it calls nothing but system calls, memcpy and zstd. */
#ifndef VBT_HELPER_H
#define VBT_HELPER_H

#include <stdbool.h>
#include <stdint.h>

/* Before the program runs: looks whether there can be such a thread. */
void vbt_helper_init(void);

/* Starts the thread, unless it runs; its first tick comes after so many ns. False if the kernel refuses. */
bool vbt_helper_start(int64_t first_tick);

bool vbt_helper_runs(void);

/* There is none and never will be: the trace is written when the process ends. */
bool vbt_helper_is_impossible(void);

/* Has the thread write everything, for this reason, and end; waits for it. Starts it for that where it does not run;
 * where no thread can be had, the calling thread does its work. finish: the process ends, so that the trace is
 * written for good; else only what is new. */
void vbt_helper_stop(const char *reason, bool finish);

/* The process has left for where a new thread could not be had, or would not find the trace's file: the one that runs is to be kept as
 * long as can be. */
void vbt_helper_keep(void);
bool vbt_helper_is_kept(void);

/* In the child of a fork: there is no thread. */
void vbt_helper_after_fork(void);

/* For the stream: sleeps until the time has passed, the thread is roused, or asked to stop; then true, with the reason. */
bool vbt_helper_sleep(int64_t nanoseconds, const char **reason, bool *finish);

/* For the stream: the thread is to be roused by the next event. Is it still to be? */
void vbt_helper_doze(void);
bool vbt_helper_dozes(void);

/* For hooks: an event comes. Nothing happens unless the thread dozes. */
void vbt_helper_rouse(void);

#endif
