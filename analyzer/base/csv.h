/* Comma-separated values (RFC 4180, lines ending in \n). */
#ifndef VBT_CSV_H
#define VBT_CSV_H

#include <stdint.h>
#include <stdio.h>

struct vbt_csv {
    FILE *out;
    int column;
};

/* Starts with the line of titles: "file,line,function". */
void vbt_csv_begin(struct vbt_csv *csv, FILE *out, const char *titles);

/* The cells of a row, one call each. NULL is an empty cell. */
void vbt_csv_text(struct vbt_csv *csv, const char *text);
void vbt_csv_integer(struct vbt_csv *csv, int64_t n);
void vbt_csv_unsigned(struct vbt_csv *csv, uint64_t n);
void vbt_csv_real(struct vbt_csv *csv, double x); /* NaN: an empty cell */

void vbt_csv_end_row(struct vbt_csv *csv);

/* Ends every row of all later tables with these columns, and the titles with `titles`; both begin
 * with a comma. "": no longer. */
void vbt_csv_end_rows_with(const char *titles, const char *values);

#endif
