/* Formats call stacks, one line each. */
#ifndef VBT_STACK_TEXT_H
#define VBT_STACK_TEXT_H

#include "analyzer/analysis/calls/call_tree.h"

struct vbt_stack_names;

/* A cache of the names of calls. The tree must live longer. */
struct vbt_stack_names *vbt_stack_names_new(const struct vbt_call_tree *tree);
void vbt_stack_names_free(struct vbt_stack_names *names);

/* How many frames are listed of each stack with any of the measure, so that all together stay
 * within bounds. All, unless there are thousands of stacks with thousands of frames. */
size_t vbt_stack_limit(const struct vbt_call_tree *tree, enum vbt_measure measure);

/* Are so many frames listed that the report may be too large? See vbt_output_rehearse. */
bool vbt_stacks_are_many(const struct vbt_call_tree *tree, enum vbt_measure measure);

/* A stack as Brendan Gregg's tools write it, "outermost;...;innermost", groups included, as one
 * printable line. If it has more than `limit` frames, the outer ones are replaced by their number.
 * The caller frees it. */
char *vbt_stack_text(struct vbt_stack_names *names, uint32_t call, size_t limit);

#endif
