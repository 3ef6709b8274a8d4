/* When the program gives memory back to the kernel, the shadow's cells for it go back, too. */
#ifndef VBT_TRIM_H
#define VBT_TRIM_H

#include <stdint.h>

/* The program is about to unmap these addresses, or has just given up what was in them: no block is
 * there. By any thread, with or without a state; makes no system call unless recording is on. */
void vbt_trim(uintptr_t start, uintptr_t end);

/* Waits until no thread is in such system calls any more, a tenth of a second at most: one that was
 * interrupted may never continue. Recording has stopped. */
void vbt_trim_wait(void);

/* In the child of a fork: threads that are gone are in none. */
void vbt_trim_after_fork(void);

#endif
