/* Which calls a format that writes whole call stacks can hold, and what the others come to. */
#ifndef VBT_FOLDING_H
#define VBT_FOLDING_H

#include "analyzer/analysis/calls/call_tree.h"

/* What calls are called that are too small to be listed. */
#define VBT_SMALLER "[smaller ones]"

struct vbt_folding {
    size_t folded; /* calls that are left out */
    int64_t least; /* all have less than this; 0: none is left out */
    int64_t *rest; /* by call that is kept: what is counted of the measure in its children that are not */
};

/* Keeps the calls with the most of a measure (vbt_call_is_kept), as many as there are whose stacks
 * have so many frames together. No number may be negative. */
void vbt_folding_begin(struct vbt_folding *folding, struct vbt_call_tree *tree, enum vbt_measure measure, uint64_t most_frames);
void vbt_folding_end(struct vbt_folding *folding);

#endif
