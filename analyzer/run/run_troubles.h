/* What traced processes report to `vbtrace run`: that they run, and traces that could not be
 * written. */
#ifndef VBT_RUN_TROUBLES_H
#define VBT_RUN_TROUBLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_run_troubles {
    int fd;       /* the file they report to; -1: there is none */
    int64_t read; /* so much of the file */
    char **lines;
    size_t count, capacity;
    struct vbt_run_process {
        int pid;
        int64_t started; /* in clock ticks since boot */
    } * processes;
    size_t process_count, process_capacity;
};

/* Before the program starts: puts into the environment where to report. */
void vbt_run_troubles_begin(struct vbt_run_troubles *troubles);

/* Reads what has been reported since the last time. */
void vbt_run_troubles_read(struct vbt_run_troubles *troubles);

/* Has a process with this id and start reported that it runs? */
bool vbt_run_troubles_know(const struct vbt_run_troubles *troubles, int pid, int64_t started);

/* Has the process with this id, in decimal, mapped the file? All of the session have, and what they
 * fork has it from them. */
bool vbt_run_troubles_mapped(const struct vbt_run_troubles *troubles, const char *pid);

/* After it has ended: prints each line once on standard error; if there are very many, the first
 * ones. */
void vbt_run_troubles_print(struct vbt_run_troubles *troubles);

/* Is one of the reports about a trace of this name? */
bool vbt_run_troubles_name(const struct vbt_run_troubles *troubles, const char *trace);

void vbt_run_troubles_free(struct vbt_run_troubles *troubles);

#endif
