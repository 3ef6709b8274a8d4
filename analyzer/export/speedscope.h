/* speedscope's own JSON: the call stacks, with a profile for each measure. */
#ifndef VBT_SPEEDSCOPE_H
#define VBT_SPEEDSCOPE_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

void vbt_export_speedscope(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);

#endif
