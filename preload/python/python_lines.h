/* The line of an instruction, from a code object's line table. */
#ifndef VBT_PYTHON_LINES_H
#define VBT_PYTHON_LINES_H

#include "cpython.h"

#include <stddef.h>
#include <stdint.h>

/* Where the last search of a table ended. The next one, mostly for a later instruction, continues
 * there. All zero: at the start. */
struct vbt_line_cursor {
    int32_t covered; /* bytes of code before the entry at `offset` */
    int32_t lines;   /* from the first line to the line at that point */
    uint32_t offset; /* into the table */
};

/* lasti: bytes from the start of the code; negative: not started. cursor: this table's. Returns -1
 * where the table gives the instruction no line. CPython describes the formats in
 * Objects/lnotab_notes.txt (3.8 to 3.10) and Objects/locations.md (3.11 on). */
int32_t vbt_python_line(enum vbt_line_table kind, const uint8_t *table, size_t size, int32_t first_line, int32_t lasti,
                        struct vbt_line_cursor *cursor);

/* The smallest and the largest line in a table, the first line included. */
void vbt_python_line_span(enum vbt_line_table kind, const uint8_t *table, size_t size, int32_t first_line, int32_t *smallest,
                          int32_t *largest);

#endif
