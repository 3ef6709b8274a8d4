/* When the helper writes what has changed, before the end: seldom enough that it takes little of a
 * core. */
#ifndef VBT_WRITE_TIMES_H
#define VBT_WRITE_TIMES_H

#include <stdbool.h>
#include <stdint.h>

/* Is it time to write? All times in ns since the start; now: of this tick; changed: of the latest
 * tick at which something had changed; cost: the processor time that it may take.
 *
 * In the first second only if all writing takes at most a four-hundredth of the processor time that
 * the program has taken: most short programs are written once, at their end. (If the program is
 * killed, the helper still writes everything.) After that, if the cost of what was written, or of
 * what is written first, has been made up for by a hundred times as much time, or by three seconds
 * for the first; or, once, if nothing changes any more. */
bool vbt_write_is_due(int64_t now, int64_t changed, int64_t cost);

/* Books the processor time that writing took, ns. */
void vbt_write_book(int64_t now, int64_t cost);

/* The processor time that writing took last, ns; 0 at first. */
int64_t vbt_write_latest_cost(void);

/* In the child of a fork. */
void vbt_write_times_after_fork(void);

#endif
