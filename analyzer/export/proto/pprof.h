/* A profile for pprof (go tool pprof, Pyroscope, Parca, speedscope): profile.proto, compressed. */
#ifndef VBT_PPROF_H
#define VBT_PPROF_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

/* All measures as sample types; query->measure is the one that is shown first. Groups of --by are
 * labels. */
void vbt_export_pprof(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);

#endif
