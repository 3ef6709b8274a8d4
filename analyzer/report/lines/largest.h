/* The first answers: how much was allocated, was live at the peak, and stayed; and the three lines
 * with most of each. */
#ifndef VBT_LARGEST_H
#define VBT_LARGEST_H

#include "analyzer/analysis/lines.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/output.h"

/* lines: those of the report. outside: the lines that allocated what is VBT_OUTSIDE in them, each
 * itself. With a filter the sums are those of the lines, beside those of the process. */
void vbt_largest_print(const struct vbt_trace *trace, const struct vbt_query *query, const struct vbt_lines *lines,
                       const struct vbt_lines *outside, struct vbt_output *output);

#endif
