/* The processes that traces hold, one row each. */
#ifndef VBT_PROCESS_TABLE_H
#define VBT_PROCESS_TABLE_H

#include "analyzer/analysis/query.h"
#include "analyzer/base/output.h"
#include "analyzer/merge/process_list.h"

#include <jansson.h>
#include <stdio.h>

/* What --sort takes, the default first; NULL-terminated. */
extern const char *const vbt_process_keys[];

/* Each prints as many rows as the query's limit allows, in the order of the query's key. */
void vbt_process_table_print(const struct vbt_process_list *list, const struct vbt_query *query, struct vbt_output *output);
void vbt_process_json_print(const struct vbt_process_list *list, const struct vbt_query *query, FILE *out);
void vbt_process_csv_print(const struct vbt_process_list *list, const struct vbt_query *query, FILE *out);

/* A row of JSON. */
json_t *vbt_json_process(const struct vbt_model *process, bool is_first);

#endif
