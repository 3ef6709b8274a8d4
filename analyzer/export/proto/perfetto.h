/* Allocations and frees of each call stack over time, as heap profiles of a Perfetto trace. */
#ifndef VBT_PERFETTO_H
#define VBT_PERFETTO_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

/* Of a trace that was loaded for a query of everything. */
void vbt_export_perfetto(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);

#endif
