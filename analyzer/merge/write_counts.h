/* What a merged trace counted: at call paths, by process, in intervals and lines. See
 * write_merged.h. */
#ifndef VBT_WRITE_COUNTS_H
#define VBT_WRITE_COUNTS_H

#include "analyzer/trace/model.h"
#include "analyzer/trace/trace_writer.h"

void vbt_merged_write_counts(struct vbt_trace_writer *writer, const struct vbt_model *model);

#endif
