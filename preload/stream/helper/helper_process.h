/* Creating the helper's process.
 *
 * It shares the program's memory and nothing else: descriptors, signal handlers, working directory,
 * session and thread group are separate, so that nothing that the program asks the kernel for shows
 * it. It is not a child of the program's either, if an orphan is adopted by a real init: in a
 * separate PID namespace (a container), or below a process that adopts orphans, the first process
 * may not expect it; there it is a child that no usual wait reports, since its end sends no signal.
 * (A wait with __WALL reports every child. A sibling, by CLONE_PARENT, would be reported to the
 * program's parent by every wait, and the kernel refuses one to the first process.) */
#ifndef VBT_HELPER_PROCESS_H
#define VBT_HELPER_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Runs `run` in a new process, with all signals blocked and no descriptor open. *id is its process
 * id before this returns; the kernel clears it and wakes its waiters (a shared futex) when the
 * process has left the memory. 0, or minus an error number. One at a time. */
int vbt_helper_process_make(int (*run)(void *), _Atomic uint32_t *id);

/* The process has ended, and cleared *id, which was this: removes what is left of it, if it was a
 * child. */
void vbt_helper_process_reap(uint32_t id);

/* Maps the stacks that a process needs. False: there is no memory. */
bool vbt_helper_process_reserve(void);

/* In the child of a fork, which has not the stacks of its parent's helper. */
void vbt_helper_process_after_fork(void);

#endif
