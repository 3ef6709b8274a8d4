/* What traced processes report to `vbtrace run`: traces that could not be written. */
#ifndef VBT_RUN_TROUBLES_H
#define VBT_RUN_TROUBLES_H

#include <stdbool.h>
#include <stddef.h>

struct vbt_run_troubles {
    int fd; /* the file they report to; -1: there is none */
    char **lines;
    size_t count, capacity;
};

/* Before the program starts: puts into the environment where to report. */
void vbt_run_troubles_begin(struct vbt_run_troubles *troubles);

/* After it has ended: prints each line once on standard error; if there are very many, the first
 * ones. */
void vbt_run_troubles_print(struct vbt_run_troubles *troubles);

/* Is one of the reports about a trace of this name? */
bool vbt_run_troubles_name(const struct vbt_run_troubles *troubles, const char *trace);

void vbt_run_troubles_free(struct vbt_run_troubles *troubles);

#endif
