/* The parts of the report that vbtrace diff prints as text or Markdown. */
#ifndef VBT_DIFF_PARTS_H
#define VBT_DIFF_PARTS_H

#include "analyzer/analysis/compare/findings.h"
#include "analyzer/analysis/query.h"
#include "analyzer/base/output.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"

/* A report in the making. */
struct vbt_diff_report {
    const struct vbt_findings *findings;
    const struct vbt_query *query;
    struct vbt_output *output;
    bool markdown, any; /* any: a table was printed */
};

/* Starts a table: its title, and what else the line says ("" or NULL: nothing). Takes ownership of
 * `more`. */
void vbt_diff_heading(struct vbt_diff_report *report, const char *title, char *more);

/* Prints a table, and frees it. */
void vbt_diff_table_print(struct vbt_diff_report *report, struct vbt_text_table *table);

void vbt_diff_lines_print(struct vbt_diff_report *report);
void vbt_diff_functions_print(struct vbt_diff_report *report);
void vbt_diff_modules_print(struct vbt_diff_report *report);
void vbt_diff_tree_print(struct vbt_diff_report *report);
void vbt_diff_sections_print(struct vbt_diff_report *report);
void vbt_diff_course_print(struct vbt_diff_report *report);

/* "parse (orders.py:42)", of a place with what became of it; the caller frees them. */
char *vbt_pair_name(const struct vbt_comparison *comparison, uint32_t place_pair);
char *vbt_pair_function_name(const struct vbt_comparison *comparison, uint32_t function_pair);

/* How a row changed, in a word: "new", "gone", "+8.1%". */
struct vbt_unit vbt_row_change(const struct vbt_findings *findings, const struct vbt_values *values,
                               const struct vbt_ranked_row *row);

#endif
