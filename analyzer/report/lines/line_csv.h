/* Lines as comma-separated values. */
#ifndef VBT_LINE_CSV_H
#define VBT_LINE_CSV_H

#include "analyzer/analysis/lines.h"
#include "analyzer/symbols/source.h"

#include <stdio.h>

/* Prints the titles and the first `limit` rows. */
void vbt_line_csv_print(const struct vbt_lines *lines, uint64_t limit, struct vbt_sources *sources, FILE *out);

#endif
