/* The resident set: how large it is, and what it consists of, page by page, from /proc/self/smaps:
 * where blocks of the heap are, what the program mapped, stacks, the program's files, vbtrace's own
 * memory. */
#ifndef VBT_RESIDENT_H
#define VBT_RESIDENT_H

#include "format/format.h"

#include <stdbool.h>
#include <stdint.h>

struct vbt_resident {
    uint64_t bytes[VBT_RESIDENT_CLASSES];
    uint64_t total;
    int64_t took; /* ns of processor time */
};

/* Maps what reading needs. False: there is no memory. */
bool vbt_resident_reserve(void);

/* Reads it now; false, and all 0, if the kernel does not report it. Takes time in proportion to the
 * resident set, milliseconds per gigabyte. */
bool vbt_resident_read(struct vbt_resident *out);

/* Resident bytes now, and the highest ever; from /proc/self/statm and status. The first is read at
 * each tick, between open and close, by the thread that called open: the descriptor is its own. 0
 * if the kernel does not report it. */
void vbt_rss_open(void);
void vbt_rss_close(void);
int64_t vbt_rss_now(void);
int64_t vbt_rss_highest(void);

/* In the child of a fork. */
void vbt_resident_after_fork(void);

#endif
