/* The helper: the only task that touches files.
 *
 * It is a separate process that shares the program's memory (helper_process.h), so the program gets
 * no additional thread, descriptor or working directory, and the helper outlives it: after SIGKILL,
 * a system call that ends the process, or an exec that no hook saw, it still writes the last state.
 * It has no thread-local storage of libc, so it calls nothing but system calls, memcpy and zstd. */
#ifndef VBT_HELPER_H
#define VBT_HELPER_H

#include <stdbool.h>
#include <stdint.h>

/* Before the program runs: finds out whether there can be such a process. put_in_order: called by
 * the helper when the program has ended without any hook noticing, before the last state is
 * written; is passed how it ended (program_end.h), and returns whether that state is worth a
 * trace. */
void vbt_helper_init(bool (*put_in_order)(const char *end));

/* Maps its stacks. Otherwise that is done when it starts. */
void vbt_helper_reserve(void);

/* Starts it, unless it runs; its first tick is after so many ns. False if the kernel refuses. */
bool vbt_helper_start(int64_t first_tick);

bool vbt_helper_runs(void);

/* There is none and never will be: the trace is written when the process ends. */
bool vbt_helper_is_impossible(void);

/* Has the helper write everything, for this reason, and end; waits for it. Starts it for this if it
 * does not run; if there can be none, the calling thread does the work. finish: the process ends,
 * so the trace is completed; else only what is new is written. */
void vbt_helper_stop(const char *reason, bool finish);

enum vbt_follow {
    VBT_FOLLOW_RIGHTS, /* the process has just given up rights, or may have */
    VBT_FOLLOW_THERE,  /* it may have another root or another namespace now */
    VBT_FOLLOW_SOON,   /* it is about to, in a way that may take /proc away from the helper */
};

/* Returns when the helper has followed, or is ready to. */
void vbt_helper_follow(enum vbt_follow what);

/* Has the helper write the state as it is now, to be kept (the stream may find that this takes too
 * long), and waits for it. Does nothing if there is no helper. */
void vbt_helper_keep(void);

/* For the stream: is that asked for? And: it has been done. */
bool vbt_helper_keeps(void);
void vbt_helper_has_kept(void);

/* In the child of a fork: there is no helper. */
void vbt_helper_after_fork(void);

/* For the stream: sleeps until the time has passed, the helper is woken or asked to stop, or the
 * program has ended; in the last two cases returns true, with the reason. */
bool vbt_helper_sleep(int64_t nanoseconds, const char **reason, bool *finish);

/* For the stream: the next event shall wake the helper. Has that not happened yet? */
void vbt_helper_doze(void);
bool vbt_helper_dozes(void);

/* For hooks: an event happens. Does nothing unless the helper dozes. */
void vbt_helper_rouse(void);

#endif
