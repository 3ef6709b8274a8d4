/* Start, fork, exec and exit: the one place that knows in which order things wake and sleep. */
#ifndef VBT_LIFECYCLE_H
#define VBT_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

struct vbt_thread;

/* A thread's first event: wakes the library where nobody has yet. The thread's new state, or NULL: not recording. */
struct vbt_thread *vbt_lifecycle_first_event(void);

/* vbtrace_start and vbtrace_stop. */
void vbt_lifecycle_record(bool on);

/* The process ends here, or (reasons "exec" and "seccomp") may: completes the trace. Harmless when called twice, and in a vfork
 * child. */
void vbt_lifecycle_finish(const char *reason);

/* The exec, the sandbox or the signal that finish announced has not come, or not ended the process: the trace goes on. */
void vbt_lifecycle_resume(void);

/* Around a call that the kernel grants only to a process with one thread: the helper is gone meanwhile. */
void vbt_lifecycle_alone(void);
void vbt_lifecycle_not_alone(void);

/* Around a call after which the process may see other files, or get no new thread: a helper that runs before it goes on as it was. Where
 * none can be had, all is written up to here. */
void vbt_lifecycle_before_leaving(void);
void vbt_lifecycle_has_left(void);

/* Registers what is to happen around a fork, once; see hooks_fork.c. */
void vbt_lifecycle_handle_forks(void);

#endif
