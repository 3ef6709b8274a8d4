/* Text tables that fit the terminal.
 *
 * A table that is too wide first narrows its flexible columns, then leaves out columns that may be missing, then cuts. */
#ifndef VBT_TEXT_TABLE_H
#define VBT_TEXT_TABLE_H

#include "output.h"

#include <stdbool.h>
#include <stddef.h>

enum vbt_align { VBT_LEFT, VBT_RIGHT };
enum vbt_ellipsis { VBT_ELLIPSIS_END, VBT_ELLIPSIS_START };

struct vbt_column {
    const char *title;
    enum vbt_align align;
    unsigned gap;   /* blanks before it */
    unsigned width; /* at least */
    unsigned least; /* a flexible column can shrink to this; 0: it is not flexible */
    enum vbt_ellipsis ellipsis;
    bool is_text;  /* the last column: it is cut for a terminal's sake only */
    unsigned drop; /* 0: always shown; else the column with the highest number is left out first */
};

struct vbt_text_table;

/* The columns are only looked at, and must live as long. */
struct vbt_text_table *vbt_text_table_new(const struct vbt_column *columns, size_t count);
void vbt_text_table_free(struct vbt_text_table *table);

/* The next cell, row by row; what is not printable in it is replaced. */
void vbt_text_table_cell(struct vbt_text_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line of its own between rows, with an empty one before it; at the end of a row only. */
void vbt_text_table_heading(struct vbt_text_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints everything. The line of titles comes first, or behind the first heading if the table begins with one; under it a rule made
 * of `rule`, unless that is 0. */
void vbt_text_table_print(struct vbt_text_table *table, struct vbt_output *output, char rule);

/* After printing: the titles of the columns that were left out, separated by commas; "" if all are there. */
const char *vbt_text_table_left_out(const struct vbt_text_table *table);

#endif
