/* Ranges of addresses that do not overlap: a tree that is searched, cut and joined in O(log n).
 *
 * It is a treap: a binary tree ordered by address, which random priorities keep shallow. Taking a
 * range out of the middle of others, or across many, is two cuts and one join. Nothing here
 * recurses, since a thread's stack may be tiny, and nothing takes a lock. */
#ifndef VBT_RANGES_H
#define VBT_RANGES_H

#include "preload/base/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct vbt_range {
    uintptr_t start, end;
    uint32_t owner; /* the caller's */
    uint32_t priority;
    uint32_t left, right; /* 0: none */
};

/* A tree is identified by its root, 0 where it is empty. All of this is 0 at first. */
struct vbt_ranges {
    uint32_t root;
    uint32_t spare; /* unused items, by `left` */
    uint32_t spares;
    uint64_t seed; /* of priorities */
    struct vbt_vector items;
};

static inline struct vbt_range *vbt_range_at(const struct vbt_ranges *ranges, uint32_t id) {
    return vbt_vector_at(&ranges->items, id);
}

/* Makes sure that there is room for so many new items; false when there is no memory. */
bool vbt_ranges_reserve(struct vbt_ranges *ranges, uint32_t count);

/* Takes out everything from start to end, cut off there, as a separate tree. Needs two items
 * reserved. */
uint32_t vbt_ranges_take(struct vbt_ranges *ranges, uintptr_t start, uintptr_t end);

/* Inserts a range where there is none. Needs one item reserved. */
void vbt_ranges_insert(struct vbt_ranges *ranges, uintptr_t start, uintptr_t end, uint32_t owner);

/* Joins two trees that were taken out, one of which is entirely below the other. */
uint32_t vbt_ranges_join(struct vbt_ranges *ranges, uint32_t a, uint32_t b);

/* Removes the lowest range from a tree that was taken out; false if it is empty. O(n) for all n. */
bool vbt_ranges_pop(struct vbt_ranges *ranges, uint32_t *tree, struct vbt_range *out);

/* The lowest range that ends above an address; NULL if there is none. */
const struct vbt_range *vbt_ranges_find(const struct vbt_ranges *ranges, uintptr_t address);

#endif
