/* All stacks of a call tree, read from the innermost frame outwards, in the order of a dictionary:
 * those that begin with the same frames are neighbours. */
#ifndef VBT_STACK_ORDER_H
#define VBT_STACK_ORDER_H

#include "call_tree.h"

/* A stack ends below the root or a group. */
struct vbt_stack_order {
    uint32_t *calls; /* where the stacks end: every call that is a frame */
    size_t count;
    uint32_t *position; /* by call: where it stands in that order */
    uint32_t *common;   /* a tree of minima over how many frames each has in common with the one before */
};

/* Takes O(n log n log d) for n calls and stacks of d frames, however much the stacks repeat. */
void vbt_stack_order_build(struct vbt_stack_order *order, const struct vbt_call_tree *tree);

/* How many frames have two stacks in common, given their positions, the smaller first? At least one
 * of them may have no more than that. */
uint32_t vbt_stack_order_common(const struct vbt_stack_order *order, uint32_t before, uint32_t after);

void vbt_stack_order_free(struct vbt_stack_order *order);

#endif
