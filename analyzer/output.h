/* Where a report goes. Either all of it arrives, or there is a message. */
#ifndef VBT_OUTPUT_H
#define VBT_OUTPUT_H

#include <stdio.h>

struct vbt_output {
    FILE *stream;              /* print here */
    unsigned width;            /* columns of the terminal: COLUMNS, else what the terminal says, else 120 */
    const char *bold, *normal; /* "" unless the report goes to a terminal that knows them */
    const char *path;          /* NULL: a descriptor that is open already */
    int fd, error;             /* number of the first error */
};

/* To a file or, with NULL, to standard output. The output must stay where it is until it is finished. */
void vbt_output_begin(struct vbt_output *output, const char *path);

/* To standard error, for what is told beside the output of another program; whether anybody reads it makes no difference. */
void vbt_output_begin_beside(struct vbt_output *output);

/* Writes what is left. Exit status: 0, or 2 after a message when it could not be written. A reader that went away (a pipe into
 * head) has seen enough: that ends the program with 0 at once. */
int vbt_output_finish(struct vbt_output *output);

#endif
