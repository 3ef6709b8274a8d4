/* The file formats of other tools that a trace can be exported to: one file each, all in one
 * table. */
#ifndef VBT_EXPORTER_H
#define VBT_EXPORTER_H

#include "analyzer/analysis/trace.h"

#include <stdio.h>

struct vbt_exporter {
    const char *name;      /* the value of --format */
    const char *extension; /* of its files, ".dat" */
    const char *help;      /* one line: what it holds, and for which tools */
    bool of_stacks;        /* it holds call stacks: options that select or shape them apply */
    bool forward;          /* from the outermost frame inwards only: --reverse does not apply */
    bool history;          /* it shows the run over time */
    bool everything;       /* mapped memory, too, and lines in no groups: --by and --frames do not apply */
    bool processes;        /* it tells processes apart */
    const char *holds;     /* why --measure has no choice; NULL: it has */
    /* Takes the call paths of the trace, if it needs them. */
    void (*write)(struct vbt_trace *trace, const struct vbt_query *query, FILE *out);
};

/* Their names, NULL-terminated. */
const char *const *vbt_exporter_names(void);

/* NULL if there is none of this name. */
const struct vbt_exporter *vbt_exporter_find(const char *name);

#endif
