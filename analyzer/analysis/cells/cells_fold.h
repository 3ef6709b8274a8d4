/* Fewer calls of a tree than there are, for readers that cannot hold all: of the small ones only
 * their lines are told apart. */
#ifndef VBT_CELLS_FOLD_H
#define VBT_CELLS_FOLD_H

#include "cells.h"

/* The function and file of the calls that stand for others. */
#define VBT_SMALLER_CALLS "[smaller calls]"

/* Keeps the `most` calls that, with all they called, have the largest share of any measure, and
 * those that they called. What was counted at another is counted at a call VBT_SMALLER_CALLS of the
 * nearest caller that is kept, or, below that, at one of the user line, or of the leaf line: the
 * sums by line, and of all calls that are kept, are what they were. It can be folded further. */
void vbt_cells_fold(struct vbt_cells *cells, size_t most);

struct vbt_folded {
    size_t calls;           /* that are not told apart */
    uint64_t bytes, allocs; /* what was counted at them itself, in the heap and Python domains */
};

/* before: how many calls there were, the root among them. */
struct vbt_folded vbt_cells_folded(const struct vbt_cells *cells, size_t before);

#endif
