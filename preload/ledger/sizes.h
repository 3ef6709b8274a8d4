/* The sizes that were requested at an account, where they differ.
 *
 * Most accounts see one size only: the usual one, which needs no other bookkeeping than the
 * counters. Of the rest, most see a few others: up to three are kept in the counters themselves, in
 * place of a pointer. Only then comes a histogram, of the buckets that sizes fell into. */
#ifndef VBT_SIZES_H
#define VBT_SIZES_H

#include "counters.h"

/* The buckets from `first` on. */
struct vbt_size_cells {
    uint64_t first, count;
    uint64_t allocs[];
};

/* Requests of other sizes than the usual one, and of what was usual before. A node's allocations
 * that are not counted here were of the usual size. */
struct vbt_sizes {
    uint64_t min, max;
    uint64_t span;                   /* so many sizes from min on have been seen or are in between, and fit a cell */
    uint64_t *allocs;                /* by bucket: those of min to max exist */
    struct vbt_size_cells *cells;    /* the same, for readers */
    uint64_t min_before, max_before; /* as they were before the latest of these requests that changed one */
    uint32_t looked, looked_counted; /* the node's allocations, and those counted here, when the usual size was last decided;
                                        modulo 2^32 */
};

/* Where counters->sizes is negative as a number, it is no pointer: up to VBT_FEW_SIZES sizes, plus
 * 1, of one request each, the first in the lowest bits. */
enum { VBT_FEW_SIZES = 3, VBT_FEW_SIZE_BITS = 21 };

/* As counters->sizes: those of `count` requests that differ from the first one, which is of the
 * usual size. At most 1 + VBT_FEW_SIZES. */
struct vbt_sizes *vbt_sizes_pack(const uint16_t *requests, uint32_t count);

/* Back: all requests, as many as the counters have counted, which are at most 1 + VBT_FEW_SIZES.
 * False: there is a histogram, or a size is too large. */
bool vbt_sizes_unpack(const struct vbt_counters *counters, uint16_t *requests);

/* The histogram, NULL if there is none. */
static inline struct vbt_sizes *vbt_sizes_of(const struct vbt_counters *counters) {
    return VBT_LIKELY((intptr_t)counters->sizes > 0) ? counters->sizes : NULL;
}

/* Counts a request of another than the usual size, which the node's other counters include already.
 * If such requests have become the more frequent ones, this one's size becomes the usual one. */
void vbt_sizes_count(struct vbt_ledger *ledger, struct vbt_counters *counters, size_t size);

/* Takes back the latest request, which the node's other counters no longer include. */
void vbt_sizes_uncount(struct vbt_counters *counters, size_t size);

/* Adds all requests of an account that is another thread's: to a histogram, and to the smallest and
 * largest size. */
void vbt_sizes_read(const struct vbt_counters *counters, uint64_t allocs[VBT_SIZE_BUCKETS], uint64_t *min, uint64_t *max);

/* Of every so many unusual requests that are counted together, one checks whether its size should
 * be the usual one. */
enum { VBT_SIZES_LOOK = 64 };

#endif
