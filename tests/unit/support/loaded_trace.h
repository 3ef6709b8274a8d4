/* A trace that a test built, loaded with everything the subcommands look things up in. */
#ifndef VBT_LOADED_TRACE_H
#define VBT_LOADED_TRACE_H

#include "analyzer/analysis/calls/call_tree.h"
#include "trace_builder.h"

struct loaded_trace {
    struct trace_builder b;
    struct vbt_query query;
    bool with_sizes;
    struct vbt_trace t;
    struct vbt_trace used[8]; /* those that trees were made of */
    size_t used_count;
};

/* Loads what was built in l->b, with a query whose trace is set here. The trace must be
 * undamaged. */
void loaded_trace_load(struct loaded_trace *l, struct vbt_query query, bool with_sizes);

/* Makes a call tree, which lives no longer than the loaded trace. That can still be used. */
void loaded_trace_tree(struct loaded_trace *l, struct vbt_call_tree *tree, struct vbt_call_tree_shape shape);

void loaded_trace_free(struct loaded_trace *l);

#endif
