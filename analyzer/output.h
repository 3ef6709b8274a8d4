/* Where a report goes. It is put together in memory and written in one piece: either all of it arrives, or there is a message. */
#ifndef VBT_OUTPUT_H
#define VBT_OUTPUT_H

#include <stdio.h>

struct vbt_output {
    FILE *stream;              /* print here */
    unsigned width;            /* columns of the terminal: COLUMNS, else what the terminal says, else 120 */
    const char *bold, *normal; /* "" unless the report goes to a terminal that knows them */
    const char *path;          /* NULL for standard output */
    char *text;
    size_t size;
};

void vbt_output_begin(struct vbt_output *output, const char *path);

/* Writes what was printed. Exit status: 0, or 2 after a message when it could not be written. A reader that went away (a pipe into
 * head) has seen enough: that is 0. */
int vbt_output_finish(struct vbt_output *output);

#endif
