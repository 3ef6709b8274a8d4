/* What reports say of several traces as one: which processes they are, and what they had
 * together. */
#ifndef VBT_MERGED_REPORT_H
#define VBT_MERGED_REPORT_H

#include "analyzer/trace/model.h"

#include <jansson.h>
#include <stdio.h>

/* "5 processes, first python3 pool.py", for the caller to free. */
char *vbt_processes_title(const struct vbt_model *model);

/* "14.5 MiB at one moment, before 411 ms, in 5 processes": the most that all had together, for the
 * caller to free; NULL: it is a single process, or only a part of the run. */
char *vbt_together_text(const struct vbt_model *model);

/* Prints what is known of the moment at which all had most together, in two lines: "14.5 MiB at 411
 * ms, in 5 processes", "By call path: 14.1 MiB as of at most 20 ms before or after". */
void vbt_moment_print(const struct vbt_model *model, FILE *out);

/* "processes" and "together" of the JSON report; null for a single process. */
json_t *vbt_json_processes(const struct vbt_model *model);
json_t *vbt_json_together(const struct vbt_model *model);

#endif
