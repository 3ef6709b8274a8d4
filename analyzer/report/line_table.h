/* Lines in memory_profiler's layout: Line #, Mem usage, Increment, Occurrences, Line Contents, by
 * file, followed by vbtrace's own columns. */
#ifndef VBT_LINE_TABLE_H
#define VBT_LINE_TABLE_H

#include "analyzer/analysis/lines.h"
#include "analyzer/base/output.h"
#include "analyzer/base/text_table.h"
#include "analyzer/symbols/source.h"

/* Prints the first `limit` lines that have a file, file by file in the order of their source, and
 * one row for all others, so that the columns add up to the total. `lines` must be sorted, hottest
 * first. The same line in several functions is one row. Returns whether Mem usage is shown. */
bool vbt_line_table_print(const struct vbt_lines *lines, uint64_t limit, struct vbt_sources *sources, struct vbt_output *output);

/* Prints what the column Mem usage means. */
void vbt_mem_usage_explain(struct vbt_output *output);

/* Prints the cells that rows of all tables of lines have: Allocs, Bytes, Freed, Net, At peak,
 * Temp. */
void vbt_line_cells_put(struct vbt_text_table *table, const struct vbt_sums *sums);

/* Leaves out the columns whose numbers are not known of the part of the run that is shown. */
void vbt_line_columns_omit(struct vbt_text_table *table);

#endif
