/* Text tables that fit the terminal.
 *
 * A table that is too wide first narrows its flexible columns, then omits optional columns, then
 * cuts. */
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
    bool is_text;  /* the last column: it is cut only if the output's width is limited */
    unsigned drop; /* 0: always shown; else the column with the highest number is omitted first */
};

struct vbt_text_table;

/* `columns` is not copied and must live as long as the table. */
struct vbt_text_table *vbt_text_table_new(const struct vbt_column *columns, size_t count);
void vbt_text_table_free(struct vbt_text_table *table);

/* Leaves out the column of this title, whose cells are added all the same. */
void vbt_text_table_omit(struct vbt_text_table *table, const char *title);

/* Adds the next cell, row by row; unprintable characters are replaced. */
void vbt_text_table_cell(struct vbt_text_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a line of its own between rows, with an empty line before it. Only at the end of a row. */
void vbt_text_table_heading(struct vbt_text_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The titles come first even if the table begins with a heading. */
void vbt_text_table_titles_first(struct vbt_text_table *table);

/* Prints everything. The titles come first, or after the first heading if the table begins with
 * one; below them a line of the character `rule`, unless that is 0. */
void vbt_text_table_print(struct vbt_text_table *table, struct vbt_output *output, char rule);

/* The same without titles. */
void vbt_text_table_print_rows(struct vbt_text_table *table, struct vbt_output *output);

/* The same as a table of Markdown, in which nothing is cut or omitted for want of room. */
void vbt_text_table_print_markdown(struct vbt_text_table *table, struct vbt_output *output);

/* After printing: the titles of the columns omitted for want of room, separated by commas; "" if
 * none is. */
const char *vbt_text_table_left_out(const struct vbt_text_table *table);

#endif
