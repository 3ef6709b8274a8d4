/* A trace that a test built, loaded with everything the subcommands look things up in. */
#ifndef VBT_LOADED_TRACE_H
#define VBT_LOADED_TRACE_H

#include "analyzer/analysis/trace.h"
#include "trace_builder.h"

struct loaded_trace {
    struct trace_builder b;
    struct vbt_trace t;
};

/* Loads what was built in l->b, with a query whose trace is set here. The trace must be
 * undamaged. */
void loaded_trace_load(struct loaded_trace *l, struct vbt_query query, bool with_sizes);
void loaded_trace_free(struct loaded_trace *l);

#endif
