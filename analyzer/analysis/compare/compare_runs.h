/* Which runs a side of a comparison is made of. */
#ifndef VBT_COMPARE_RUNS_H
#define VBT_COMPARE_RUNS_H

#include "compare_side.h"
#include "analyzer/analysis/query.h"

struct vbt_run_list {
    struct vbt_run_traces {
        char *name;   /* as the command line names it; of a part of a folder, its first trace */
        char **paths; /* the traces of its processes */
        size_t count, capacity;
    } * rows;
    size_t count, capacity;
};

/* Lists the runs that files and folders hold. A file is a run. A folder with traces is one run of
 * several processes, unless several in it began with the same command line, one after the other:
 * then each of these is a run, together with the processes that it started. A folder of folders has
 * a run in each. `how` says otherwise: VBT_RUNS_ONE, or VBT_RUNS_EACH for a run a trace.
 *
 * Returns NULL, or what is wrong as a sentence that names the path, for the caller to free. The
 * list must be freed in both cases. */
char *vbt_runs_find(struct vbt_run_list *list, const char *const *names, size_t count, enum vbt_runs_how how);
void vbt_runs_free(struct vbt_run_list *list);

/* Loads all runs of a side. False after a message; then nothing is left to be freed. */
bool vbt_side_load(struct vbt_side *side, const struct vbt_query *query, const char *const *names, size_t count);

#endif
