/* The places and the machine frames of a call tree, each once: tables that formats of call stacks
 * refer to by number.
 *
 * A location is a frame as the machine had it: a call, and the calls that it was inlined into. */
#ifndef VBT_STACK_TABLES_H
#define VBT_STACK_TABLES_H

#include "analyzer/analysis/calls/call_tree.h"

struct vbt_location {
    uint32_t place; /* of tree->places: the innermost function */
    uint32_t outer; /* the location of what it is inlined into; 0: it is not inlined */
};

struct vbt_locations {
    struct vbt_location *rows; /* 1 to count; the outer one of a row comes before it */
    size_t count, capacity;
    uint32_t *of_call; /* by call: its location; 0 for the root and groups */
};

void vbt_locations_build(struct vbt_locations *locations, const struct vbt_call_tree *tree);
void vbt_locations_free(struct vbt_locations *locations);

/* The call that called the location that ends at this one: past all that is inlined. 0: none. */
uint32_t vbt_call_outside(const struct vbt_call_tree *tree, uint32_t call);

/* The group of --by that a call is in; 0: none. */
uint32_t vbt_call_group(const struct vbt_call_tree *tree, uint32_t call);

/* How many frames, innermost first, are written of each stack, so that all together stay within
 * bounds: all, unless there are thousands of stacks with thousands of frames. Then it says so on
 * standard error. */
size_t vbt_export_limit(const struct vbt_call_tree *tree, const struct vbt_query *query);

/* The same for so many stacks with so many frames together. */
size_t vbt_export_limit_of(size_t stacks, size_t frames, const struct vbt_query *query);

#endif
