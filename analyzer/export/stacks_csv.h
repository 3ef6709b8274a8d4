/* One line for each call stack, with all that was counted there, as comma-separated values. */
#ifndef VBT_STACKS_CSV_H
#define VBT_STACKS_CSV_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

void vbt_export_csv(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);

#endif
