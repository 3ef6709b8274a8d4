/* Rows of tables of lines: one line of one file, whatever functions and modules it is in. */
#ifndef VBT_LINE_ROWS_H
#define VBT_LINE_ROWS_H

#include "analyzer/analysis/lines.h"

struct vbt_merged_line {
    const struct vbt_source_place *place; /* of one of the merged rows */
    struct vbt_sums sums;
    uint64_t hits;    /* if line mode counted it; else 0 */
    uint64_t rss;     /* the largest that line mode saw at it; 0: unknown */
    size_t rank;      /* in the order of the rows that were merged; 0: first */
    size_t file_rank; /* of the first row in the same file, see vbt_lines_by_file */
    size_t shelf;     /* what files are sorted by before their rank */
};

/* Has a row a file, or is it a place in brackets? */
bool vbt_line_has_file(const struct vbt_source_place *place);

/* Merges the rows that have a file, and keeps their order. Sets *count; the caller frees the
 * rows. */
struct vbt_merged_line *vbt_lines_merge(const struct vbt_lines *lines, size_t *count);

/* Moves the rows to the end that have less than a thousandth of each sum. Returns how many others
 * there are. */
size_t vbt_lines_trifles_last(struct vbt_merged_line *rows, size_t count);

/* Takes care that the user's own lines are seen, where libraries have more: if there are any, one
 * is among the first `shown`. */
void vbt_lines_keep_users(struct vbt_merged_line *rows, size_t count, size_t shown);

/* Sorts the rows file by file, in the order of their source. The file with the first row comes
 * first; but no more than three rows of other files before the first file of the user's own. */
void vbt_lines_by_file(struct vbt_merged_line *rows, size_t count);

#endif
