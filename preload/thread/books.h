/* The books of all threads combined, for the stream; and what a forked process inherits. */
#ifndef VBT_BOOKS_H
#define VBT_BOOKS_H

#include "preload/ledger/counters.h"
#include "preload/ledger/maps.h"

struct vbt_node_totals {
    uint64_t allocs, frees, allocated, freed, temporary;
    int64_t at_peak;
    uint64_t inherited_blocks, inherited_bytes;
    uint64_t min_size, max_size;
    uint32_t buckets; /* of sizes that are not empty */
};

struct vbt_node_sum {
    struct vbt_node_totals totals;
    uint64_t sizes[VBT_SIZE_BUCKETS]; /* allocations; not set if one bucket, that of min_size, has all of them */
};

struct vbt_books {
    struct vbt_totals totals[VBT_DOMAINS];
    uint64_t inherited_blocks[VBT_DOMAINS], inherited_bytes[VBT_DOMAINS];
    uint64_t unknown_frees[VBT_DOMAINS];
    uint64_t lost[VBT_LOST_KINDS];
    uint64_t truncated;           /* call stacks cut off */
    uint64_t compared, different; /* native stacks that were verified; those of them where libunwind disagrees */
    uint32_t threads;             /* that had an event */
    struct vbt_maps_sum maps;     /* of the map domain, by kind */
    int64_t peak;
    int64_t peak_error;  /* how far the true peak can be above it */
    uint64_t peak_epoch; /* for vbt_books_node */
    bool peak_is_now;
};

/* Sums the totals of all threads. While they run, events in progress may be missing from some of
 * the sums; at rest, all are exact. */
void vbt_books_read(struct vbt_books *out);

/* Sums one node's counters over all threads. False if nothing ever happened there. */
bool vbt_books_node(const struct vbt_books *books, uint32_t node, struct vbt_node_sum *out);

/* The totals of the threads of one row (thread_rows.h). */
void vbt_books_row(uint32_t row, struct vbt_totals totals[VBT_DOMAINS]);

/* The same of the rows 1 to `last`, by row. */
void vbt_books_rows(uint32_t last, struct vbt_totals totals[][VBT_DOMAINS]);

/* What the threads of one row did at a node. */
struct vbt_node_part {
    uint32_t row;
    uint64_t allocs, frees, allocated, freed, temporary;
    int64_t at_peak;
};

/* One part for each row that did anything at the node, in ascending order; returns how many, at
 * most VBT_THREAD_LATER. What the process inherited belongs to the first row, which then has a part
 * for it. */
uint32_t vbt_books_parts(const struct vbt_books *books, uint32_t node, struct vbt_node_part parts[]);

/* The next nodes that changed since the epoch `since` (0: all that anything was booked at), up to
 * the node `last`; in ascending order, at most `most`. Returns their number, which may be 0.
 * *position: 0 at first; VBT_BOOKS_END: these were the last. A node that changes meanwhile may come
 * twice, in different calls. */
#define VBT_BOOKS_END UINT32_MAX
uint32_t vbt_books_changed(uint64_t since, uint32_t last, uint32_t *position, uint32_t nodes[], uint32_t most);

/* In the parent, with the tree's lock. */
void vbt_books_before_fork(void);

/* In the child of a fork: what is live is inherited, all counters start at 0. Takes no longer the
 * more accounts there are, and writes nothing for any: see vbt_fork_epoch. in_order:
 * vbt_books_before_fork and vbt_maps_before_fork were called before the fork; otherwise another
 * thread may have been changing the books of mapped memory. */
void vbt_books_inherit(bool in_order);

#endif
