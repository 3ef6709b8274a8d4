/* Some stacks of a call tree, read from the innermost frame outwards, in the order of a dictionary,
 * as far as one looks at it. */
#ifndef VBT_STACK_SORT_H
#define VBT_STACK_SORT_H

#include "call_tree.h"

struct vbt_stack {
    uint32_t call;   /* where it ends */
    uint32_t group;  /* its group's call; 0: there is none */
    uint32_t common; /* frames in common with the stack before it in the same group */
    uint32_t less;   /* the next stack with less in common; the end of the group if there is none */
};

/* Sorts stacks that end below the root or one group, with their values of a measure, and sets
 * `common`, 0 of the first. Those that begin with the same frames and have less than `least` in all
 * are not sorted further: `common` is then so many frames for each, and they may have more.
 *
 * Looks at each frame up to where its stack is alone. *steps is how many frames may be looked at,
 * and is reduced by those that were; false if these were not enough, with the stacks in any order:
 * deep recursion is for stack_order.h. */
bool vbt_stack_sort(const struct vbt_call_tree *tree, struct vbt_stack *stacks, uint64_t *values, size_t count, int64_t least,
                    uint64_t *steps);

#endif
