/* Lines with their source, by file: the exact columns first, what the line says last. */
#ifndef VBT_LINE_TABLE_H
#define VBT_LINE_TABLE_H

#include "analyzer/analysis/lines.h"
#include "analyzer/base/output.h"
#include "analyzer/base/text_table.h"
#include "analyzer/symbols/source.h"

/* Prints the first `limit` lines that have a file, file by file in the order of their source, and
 * one row for all others, so that the columns add up to the total. Unless `all`, lines with less
 * than a thousandth of each sum are among the others. `lines` must be sorted by
 * `sort`, a key of vbt_line_keys, whose column is never omitted. The same line in several functions
 * is one row. */
void vbt_line_table_print(const struct vbt_lines *lines, const char *sort, uint64_t limit, bool all, struct vbt_sources *sources,
                          struct vbt_output *output);

/* The columns that all tables of lines have, in this order. */
enum vbt_line_column {
    VBT_LINE_ALLOCS,
    VBT_LINE_BYTES,
    VBT_LINE_PEAK,
    VBT_LINE_LEFT,
    VBT_LINE_TEMPORARY,
    VBT_LINE_FREES,
    VBT_LINE_FREED,
    VBT_LINE_GROWN,
    VBT_LINE_MEM_USAGE,
    VBT_LINE_COLUMNS
};

/* Which of them say anything about these sums: the first five, but for Left and Temporary where
 * there is neither, and At peak where it is not known; the others only if the table is sorted by
 * them. */
void vbt_line_columns_choose(bool shown[VBT_LINE_COLUMNS], const struct vbt_sums *total, const char *sort);

/* Writes the chosen ones, the one that the table is sorted by as a column that is never omitted.
 * Returns how many. */
size_t vbt_line_columns_put(struct vbt_column *columns, const bool shown[VBT_LINE_COLUMNS], const char *sort);

/* Prints the cells of the chosen columns. */
void vbt_line_cells_put(struct vbt_text_table *table, const bool shown[VBT_LINE_COLUMNS], const struct vbt_sums *sums);

/* Says which columns were omitted, if any, and what Mem usage means, if it is shown. */
void vbt_line_columns_explain(const struct vbt_text_table *table, bool mem_usage, struct vbt_output *output);

#endif
