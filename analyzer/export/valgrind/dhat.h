/* A data file of DHAT (version 2), for dh_view.html: allocations and their bytes by call stack. */
#ifndef VBT_DHAT_H
#define VBT_DHAT_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

void vbt_export_dhat(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);

#endif
