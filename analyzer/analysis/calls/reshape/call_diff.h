/* What two runs counted at the same call stacks, as one tree. */
#ifndef VBT_CALL_DIFF_H
#define VBT_CALL_DIFF_H

#include "analyzer/analysis/calls/call_tree.h"

/* The measures of such a tree: that which is compared, as the larger of both at each stack, so that
 * no stack of either run is missing; and what each run counted. */
#define VBT_DIFF_BEFORE VBT_MEASURE_LIVE
#define VBT_DIFF_AFTER VBT_MEASURE_LIVE_BLOCKS

/* Frames are the same if function and file are; a file that one run alone knows is the same as one
 * that the other run alone knows if both end alike and no others of them do: it was moved. The
 * trees have calls of functions, not reversed, and no number of the measure is negative. Their
 * places are in the new tree, too: they must live longer. */
void vbt_call_tree_diff(struct vbt_call_tree *diff, const struct vbt_call_tree *old_tree, const struct vbt_call_tree *new_tree,
                        enum vbt_measure measure);

#endif
