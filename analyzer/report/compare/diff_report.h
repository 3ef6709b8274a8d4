/* What vbtrace diff prints. */
#ifndef VBT_DIFF_REPORT_H
#define VBT_DIFF_REPORT_H

#include "analyzer/analysis/compare/findings.h"
#include "analyzer/analysis/query.h"
#include "analyzer/base/output.h"

/* As text or Markdown: a verdict, the totals, and the tables with what changed most first. */
void vbt_diff_print(const struct vbt_findings *findings, const struct vbt_query *query, struct vbt_output *output);

/* All of it as JSON; one table, the lines by default, as CSV. */
void vbt_diff_json_print(const struct vbt_findings *findings, const struct vbt_query *query, FILE *out);
void vbt_diff_csv_print(const struct vbt_findings *findings, const struct vbt_query *query, FILE *out);

/* The verdict in a line, for the caller to free. */
char *vbt_diff_verdict(const struct vbt_findings *findings);

#endif
