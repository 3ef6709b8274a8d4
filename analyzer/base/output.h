/* Where a report goes. Either all of it arrives, or there is a message. */
#ifndef VBT_OUTPUT_H
#define VBT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct vbt_output {
    FILE *stream;              /* print here */
    unsigned width;            /* columns of the terminal: COLUMNS, else what the terminal says, else 120 */
    bool is_limited;           /* to these, by COLUMNS or a terminal; else a line may be longer */
    const char *bold, *normal; /* "" unless the report goes to a terminal that knows them */
    const char *path;          /* NULL: a descriptor that is open already */
    int fd, error;             /* number of the first error */
    uint64_t size;             /* bytes so far */
};

/* From now on, reports of more than this many bytes end the program with a message. */
void vbt_output_allow(uint64_t bytes);

/* Ends the program with a message if that many bytes of a report, which are about to be put together, are too many. */
void vbt_output_check(uint64_t bytes);

/* To a file or, with NULL, to standard output. The output must stay where it is until it is finished. */
void vbt_output_begin(struct vbt_output *output, const char *path);

/* To standard error, for what is told beside the output of another program; whether anybody reads it makes no difference. */
void vbt_output_begin_beside(struct vbt_output *output);

/* Writes what is left. Exit status: 0, or 2 after a message when it could not be written. A reader that went away (a pipe into
 * head) has seen enough: that ends the program with 0 at once. */
int vbt_output_finish(struct vbt_output *output);

#endif
