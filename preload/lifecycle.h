/* Start, fork, exec and exit: the one place that knows in which order things start and stop. */
#ifndef VBT_LIFECYCLE_H
#define VBT_LIFECYCLE_H

#include "preload/thread/thread.h"

#include <stdbool.h>
#include <stdint.h>

/* Wakes the library, unless an event has done so. False: it does not record. */
bool vbt_lifecycle_wake(void);

/* The constructor's decision: the process is traced, and its end, its forks and its ticks are
 * handled from now on; or it is not, for good. */
void vbt_lifecycle_begin(void);
void vbt_lifecycle_decline(void);

/* vbt_enter_as (hooks/hook.h), if the usual path does not apply: the library is not awake, the
 * thread has no state or is not idle, or it is not simply recording. */
struct vbt_thread *vbt_enter_slowly(enum vbt_standing as, uintptr_t caller);

/* Called at each event that is polled, if set: is an interpreter still starting, so that events
 * must still be polled? in_real: the event is a function of the C library. */
typedef bool (*vbt_still_starting)(bool in_real);
extern _Atomic(vbt_still_starting) vbt_lifecycle_still_starting;

/* vbtrace_start and vbtrace_stop. */
void vbt_lifecycle_record(bool on);

/* The process ends here, or (reasons "exec" and "seccomp") may: completes the trace. Harmless when
 * called twice, and in a vfork child. */
void vbt_lifecycle_finish(const char *reason);

/* The exec, the sandbox or the signal that finish was called for failed, or did not end the
 * process: the trace continues. */
void vbt_lifecycle_resume(void);

/* Around a call that the kernel grants only to a process that shares its memory with no other: the
 * helper is gone meanwhile. */
void vbt_lifecycle_alone(void);
void vbt_lifecycle_not_alone(void);

/* Before and after a call by which the process gets another root or enters a namespace. The helper,
 * which runs from before it on since a new one might not find the file, is there, too, when the
 * latter returns. If there can be none, the former writes everything so far. moves_root: of all
 * processes, as pivot_root does. */
void vbt_lifecycle_before_leaving(bool moves_root);
void vbt_lifecycle_left(void);

/* After a call that gave up rights, or may have: the helper gives up the same before this
 * returns. */
void vbt_lifecycle_gave_up_rights(void);

/* Registers the handlers that run around a fork, once; see hooks_fork.c. */
void vbt_lifecycle_handle_forks(void);

/* Registers the handlers that run at exit and quick_exit, once; see hooks_exit.c. */
void vbt_lifecycle_handle_exits(void);

#endif
