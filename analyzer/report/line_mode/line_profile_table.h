/* Time and memory of each line in one table, with memory_profiler's columns, line_profiler's
 * columns and the exact counts. */
#ifndef VBT_LINE_PROFILE_TABLE_H
#define VBT_LINE_PROFILE_TABLE_H

#include "analyzer/analysis/line_mode/line_profile.h"
#include "analyzer/base/output.h"

/* Prints at most `limit` functions. own: the lines alone, without what they called. */
void vbt_line_profile_print(const struct vbt_line_profile *profile, bool own, uint64_t limit, struct vbt_sources *sources,
                            struct vbt_output *output);

#endif
