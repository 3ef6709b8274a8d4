/* Memory over time as counters of the Trace Event Format, for Perfetto's UI and others. */
#ifndef VBT_CHROME_H
#define VBT_CHROME_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

void vbt_export_chrome(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);

#endif
