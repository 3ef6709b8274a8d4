/* The beginning of the report: what ran, and its totals. */
#ifndef VBT_OVERVIEW_H
#define VBT_OVERVIEW_H

#include "analyzer/analysis/conservation.h"
#include "analyzer/analysis/lines.h"
#include "analyzer/analysis/query.h"
#include "analyzer/base/json.h"
#include "analyzer/base/output.h"

/* Prints the traced program in two lines. */
void vbt_program_print(const struct vbt_model *model, struct vbt_output *output);

/* Did more than one allocator serve, or was memory mapped? */
bool vbt_domains_differ(const struct vbt_model *model);

/* Prints the totals of each domain, if they differ. Returns whether they do. */
bool vbt_domains_print(const struct vbt_model *model, struct vbt_output *output);

/* In vbtrace's own text, prints why the trace is not complete, if it is not. vbt_trace_load says so
 * for other formats. */
void vbt_incomplete_print(const struct vbt_model *model, const struct vbt_query *query, struct vbt_output *output);

/* In vbtrace's own text, prints which part of the run is shown, if it is a part. */
void vbt_part_print(const struct vbt_model *model, const struct vbt_query *query, struct vbt_output *output);

/* "program" and "totals" of the JSON report. */
json_t *vbt_json_program(const struct vbt_model *model);
json_t *vbt_json_totals(const struct vbt_model *model);

/* {"checked", "holds", "difference"} */
json_t *vbt_json_conservation(const struct vbt_conservation *conservation);

#endif
