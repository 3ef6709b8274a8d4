/* Prints call stacks, a line for each frame. */
#ifndef VBT_STACK_FRAMES_H
#define VBT_STACK_FRAMES_H

#include "analyzer/analysis/calls/call_tree.h"
#include "analyzer/base/output.h"

/* Prints the frames of the stack that ends at a call, innermost first; UINT64_MAX: all of them.
 * With a depth, runs of Python's import machinery take one line; and of a stack with more lines
 * than that, the three outermost are shown, as many of the innermost as are left, and the innermost
 * three of the user's own. */
void vbt_stack_frames_print(struct vbt_output *output, const struct vbt_call_tree *tree, uint32_t end, uint64_t depth);

/* Prints a line that is cut at the output's width, and frees it. */
void vbt_cut_line_print(struct vbt_output *output, char *line);

#endif
