/* What the traced processes tell `vbtrace run` of: traces that could not be written. */
#ifndef VBT_RUN_TROUBLES_H
#define VBT_RUN_TROUBLES_H

#include <stdbool.h>
#include <stddef.h>

struct vbt_run_troubles {
    int fd; /* what was told; -1: nothing can be */
    char **lines;
    size_t count, capacity;
};

/* Before the program starts: puts into the environment where to tell it. */
void vbt_run_troubles_begin(struct vbt_run_troubles *troubles);

/* After it: says each line once on standard error, of very many the first. */
void vbt_run_troubles_print(struct vbt_run_troubles *troubles);

/* Was it a trace of this name? */
bool vbt_run_troubles_name(const struct vbt_run_troubles *troubles, const char *trace);

void vbt_run_troubles_free(struct vbt_run_troubles *troubles);

#endif
