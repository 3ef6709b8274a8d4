/* A data file of heaptrack (its text format, version 3), for heaptrack_print and heaptrack_gui.
 *
 * The format has a line for each allocation and each free. A trace has sums for each call stack, so
 * each is one block: as large as what was live at the peak, then as what is live at the end. */
#ifndef VBT_HEAPTRACK_H
#define VBT_HEAPTRACK_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

void vbt_export_heaptrack(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);

#endif
