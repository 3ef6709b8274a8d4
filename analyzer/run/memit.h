/* vbtrace run --memit: one Python statement instead of a program, and what it costs in memory. */
#ifndef VBT_MEMIT_H
#define VBT_MEMIT_H

#include "session.h"

#include <stdbool.h>
#include <sys/types.h>

struct vbt_memit {
    char *statement, *setup; /* to be freed by vbt_memit_free; NULL: not asked for, nothing to set up */
    const char *python;      /* the interpreter; NULL: python3 */
    int fd;                  /* holds what the interpreter runs, and then its result */
    char *boot;
    const char *program[6]; /* what is to run */
};

/* Adds a line to the statement or to its setup. */
void vbt_memit_add(char **text, const char *line);

/* Prepares what is to run: memit->program. NULL, or what is wrong, as a sentence that the caller frees. */
char *vbt_memit_begin(struct vbt_memit *memit);

/* The interpreter has ended: prints the result, that of the trace of process pid included. False after a message if there is none. */
bool vbt_memit_print(const struct vbt_memit *memit, const struct vbt_session *session, pid_t pid);

void vbt_memit_free(struct vbt_memit *memit);

#endif
