/* Live memory over time, with the call stacks of the peak and of the end, for ms_print and
 * massif-visualizer. */
#ifndef VBT_MASSIF_H
#define VBT_MASSIF_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

void vbt_export_massif(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);

#endif
