/* vbtrace run --memit: measures what one Python statement costs in memory. */
#ifndef VBT_MEMIT_H
#define VBT_MEMIT_H

#include "session.h"

#include <stdbool.h>
#include <sys/types.h>

struct vbt_memit {
    char *statement, *setup; /* freed by vbt_memit_free; NULL: no --memit, no --setup */
    const char *python;      /* the interpreter; NULL: what vbt_python_find finds */
    char *found;             /* what that found */
    int fd;                  /* a file that holds what the interpreter runs, and then its result */
    char *boot;
    const char *program[6]; /* what is to run */
};

/* Adds a line to the statement or to its setup. */
void vbt_memit_add(char **text, const char *line);

/* Prepares memit->program, which is then to be run. Returns NULL, or what is wrong as a sentence,
 * for the caller to free. */
char *vbt_memit_begin(struct vbt_memit *memit);

/* After the interpreter has ended: prints the result, including that of the trace of process pid.
 * False after a message if there is none. */
bool vbt_memit_print(const struct vbt_memit *memit, const struct vbt_session *session, pid_t pid);

void vbt_memit_free(struct vbt_memit *memit);

#endif
