/* Collapsed stacks, as Brendan Gregg's tools and many others read them: a line
 * "outermost;...;innermost N" for each call stack with any of the measure. */
#ifndef VBT_COLLAPSED_H
#define VBT_COLLAPSED_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

void vbt_export_collapsed(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);

#endif
