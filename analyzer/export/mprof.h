/* What `mprof run` of memory_profiler leaves, for `mprof plot` and `mprof peak`: the command line,
 * then the resident set in MiB and when it was measured, in seconds since 1970. */
#ifndef VBT_MPROF_H
#define VBT_MPROF_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

void vbt_export_mprof(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);

#endif
