/* The trace as tables, in SQL that sqlite3 reads. */
#ifndef VBT_SQLITE_H
#define VBT_SQLITE_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

void vbt_export_sqlite(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);

#endif
