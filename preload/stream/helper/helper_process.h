/* Making the process that the helper is.
 *
 * It shares the program's memory and nothing else: descriptors, signal handlers, working directory,
 * session and thread group are its own, so that nothing that the program asks the kernel for shows
 * it. It is no child of the program's either, where an orphan goes to a real init: in a PID namespace
 * of its own (a container), or below a process that adopts orphans, whoever is the first process may
 * not expect it, and there it is a child that no usual wait reports, since its end sends no signal. */
#ifndef VBT_HELPER_PROCESS_H
#define VBT_HELPER_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Makes it: `run` in a process of its own, all signals blocked, no descriptor open. *id becomes its
 * process id before this returns, and the kernel clears it and wakes its waiters (a shared futex) when
 * it has left the memory. 0, or minus an error number. One at a time. */
int vbt_helper_process_make(int (*run)(void *), _Atomic uint32_t *id);

/* It has ended, and cleared *id, which was this: removes what is left of it, if it was a child. */
void vbt_helper_process_reap(uint32_t id);

#endif
