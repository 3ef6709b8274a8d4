/* Call stacks written in one line each. */
#ifndef VBT_STACK_TEXT_H
#define VBT_STACK_TEXT_H

#include "analyzer/analysis/calls/call_tree.h"

struct vbt_stack_names;

/* Keeps the names of calls from one stack to the next. The tree must live longer. */
struct vbt_stack_names *vbt_stack_names_new(const struct vbt_call_tree *tree);
void vbt_stack_names_free(struct vbt_stack_names *names);

/* How many frames of each stack with anything of the measure are listed, so that all together stay within bounds: all of them but for
 * thousands of stacks of thousands of frames. */
size_t vbt_stack_limit(const struct vbt_call_tree *tree, enum vbt_measure measure);

/* A stack as Brendan Gregg's tools write it, "outermost;...;innermost", groups included; ready to be printed in one line. Of a stack of
 * more than `limit` frames the outer ones are left out, and their number stands in their place. The caller frees it. */
char *vbt_stack_text(struct vbt_stack_names *names, uint32_t call, size_t limit);

#endif
