/* A call tree of the same stacks, read from the innermost frame outwards. */
#ifndef VBT_CALL_REVERSE_H
#define VBT_CALL_REVERSE_H

#include "call_tree.h"

/* Groups stay on the first level. A call with less than `least` of the measure gets no children,
 * and what was counted there is in its sums alone. Beyond so many calls that no picture or report
 * would be of use, callers are omitted, after a warning. Takes time in proportion to the calls of
 * both trees, but for a logarithm. */
void vbt_call_tree_reverse(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least);

#endif
