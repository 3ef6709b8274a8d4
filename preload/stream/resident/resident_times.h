/* The breakdowns of the resident set that the trace has: when they are made, and what the heap held
 * then. */
#ifndef VBT_RESIDENT_TIMES_H
#define VBT_RESIDENT_TIMES_H

#include "resident.h"

struct vbt_resident_at {
    struct vbt_resident resident; /* total 0: it has not been broken down */
    int64_t time;                 /* ns since the start */
    int64_t live[VBT_DOMAIN_MAP]; /* bytes */
};

/* Written by vbt_resident_take. */
extern struct vbt_resident_at vbt_resident_times[VBT_RESIDENT_TIMES];

/* Breaks the resident set down, and keeps that as the latest and, if it is the largest, as the
 * highest; false if it is not time for it. `now`: ns since the start; `rss` and `live`: bytes now.
 *
 * At the end it is always time. Before, only if the resident set has grown by an eighth over the
 * highest breakdown, and for at most a four-hundredth of the time, starting when the process is old
 * enough to be worth it: a process that no longer grows costs nothing. If it has grown by far more,
 * this may take twenty times as much, from the first call on. */
bool vbt_resident_take(int64_t now, int64_t rss, const int64_t live[VBT_DOMAIN_MAP], bool at_end);

/* In the child of a fork. */
void vbt_resident_times_after_fork(void);

#endif
