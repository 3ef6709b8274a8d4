/* Where a report goes. Either all of it arrives, or there is a message. */
#ifndef VBT_OUTPUT_H
#define VBT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct vbt_output {
    FILE *stream;              /* print here */
    unsigned width;            /* columns: COLUMNS, else the terminal's, else 120 */
    bool is_limited;           /* by COLUMNS or a terminal; else a line may be longer than width */
    const char *bold, *normal; /* "" unless the report goes to a terminal with bold text */
    const char *path;          /* NULL: an open descriptor */
    int fd, error;             /* errno of the first failure */
    uint64_t size;             /* bytes so far */
};

/* From now on, a report of more bytes than this ends the program with a message. */
void vbt_output_allow(uint64_t bytes);

/* Ends the program with a message if a piece of a report of so many bytes, which is about to be
 * built, is too large. */
void vbt_output_check(uint64_t bytes);

/* A report that may be too large is rehearsed: printed to a stream that keeps nothing of it. Then
 * the end of the rehearsal ends the program with a message if it is, before anything is written. */
FILE *vbt_output_rehearse(void);
void vbt_output_rehearsed(FILE *stream);

/* A report that is known to have at least so many bytes and at most so many. Ends the program as a
 * rehearsal would if that is too large. True if a rehearsal is not needed. */
bool vbt_output_fits(uint64_t least, uint64_t most);

/* Writes to a file, or to standard output if the path is NULL. `output` must stay where it is until
 * it is finished. */
void vbt_output_begin(struct vbt_output *output, const char *path);

/* Writes to standard error, for what is printed beside another program's output; a failure there is
 * ignored. */
void vbt_output_begin_beside(struct vbt_output *output);

/* Writes what is left. Returns the exit status: 0, or 2 after a message if it could not be written.
 * If the reader closed the pipe, as head does, the program ends with 0 at once. */
int vbt_output_finish(struct vbt_output *output);

#endif
