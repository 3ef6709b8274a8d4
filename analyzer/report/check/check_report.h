/* What vbtrace check prints. */
#ifndef VBT_CHECK_REPORT_H
#define VBT_CHECK_REPORT_H

#include "analyzer/analysis/check/gate.h"
#include "analyzer/analysis/query.h"
#include "analyzer/base/output.h"

/* In the query's format. names: the traces that were checked, as a shell would take them. */
void vbt_check_print(const struct vbt_gate *gate, const struct vbt_query *query, struct vbt_output *output);

/* The parts. */
void vbt_check_text_print(const struct vbt_gate *gate, const struct vbt_query *query, struct vbt_output *output);
void vbt_check_json_print(const struct vbt_gate *gate, FILE *out);
void vbt_check_junit_print(const struct vbt_gate *gate, FILE *out);
void vbt_check_sarif_print(const struct vbt_gate *gate, FILE *out);
void vbt_check_github_print(const struct vbt_gate *gate, FILE *out);

/* What a result says, in a sentence: "+allocs <= 0: is +100 (200 -> 300)", for the caller to
 * free. */
char *vbt_check_sentence(const struct vbt_gate_result *result);

/* The same of what differs around the program. */
char *vbt_check_unlike(const struct vbt_unlike *unlike);

/* "All 4 limits hold", "1 of 4 limits does not hold", for the caller to free. */
char *vbt_check_verdict(const struct vbt_gate *gate);

/* Where a result's fault is: a file, below the working directory if it can be, and a line. False:
 * not known. The caller frees the file. */
bool vbt_check_place(const struct vbt_gate *gate, const struct vbt_gate_result *result, char **file, int64_t *line);

/* "<module> (a.py:9) › main (a.py:5)", for the caller to free; NULL: no path is known. */
char *vbt_check_path(const struct vbt_gate *gate, const struct vbt_gate_result *result);

#endif
