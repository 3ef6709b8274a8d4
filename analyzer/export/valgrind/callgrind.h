/* The call graph with what was counted at each line and below each call, for KCachegrind and
 * callgrind_annotate. */
#ifndef VBT_CALLGRIND_H
#define VBT_CALLGRIND_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

void vbt_export_callgrind(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);

#endif
