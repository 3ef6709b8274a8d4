/* Lines in memory_profiler's layout: Line #, Mem usage, Increment, Occurrences, Line Contents, by file; and our columns behind them. */
#ifndef VBT_LINE_TABLE_H
#define VBT_LINE_TABLE_H

#include "analyzer/analysis/lines.h"
#include "analyzer/base/output.h"
#include "analyzer/base/text_table.h"
#include "analyzer/symbols/source.h"

/* Prints the first `limit` lines that have a file, file by file in the order of their source, and what all others did, so that the
 * columns add up to the total. `lines` must be sorted, hottest first; equal lines of different functions become one row. */
void vbt_line_table_print(const struct vbt_lines *lines, uint64_t limit, struct vbt_sources *sources, struct vbt_output *output);

/* The cells of one row that every table of lines has: Allocs, Bytes, Freed, Net, At peak, Temp. */
void vbt_line_cells_put(struct vbt_text_table *table, const struct vbt_sums *sums);

#endif
