/* A loaded trace with everything that commands look things up in. */
#ifndef VBT_TRACE_H
#define VBT_TRACE_H

#include "attribute.h"
#include "filter.h"
#include "query.h"
#include "analyzer/merge/inputs.h"
#include "analyzer/symbols/places.h"
#include "analyzer/symbols/source.h"
#include "analyzer/trace/changes.h"

struct vbt_trace {
    struct vbt_model model;
    struct vbt_attribution attribution; /* empty until vbt_trace_attribute */
    struct vbt_places *places;
    struct vbt_sources *sources;
    struct vbt_filter *filter;
    struct vbt_inputs inputs;
    struct vbt_steps steps; /* of the model's changes, if the query asks for history or everything */
    bool *counts;           /* by node: whether its counters are reported, see filter.h */
};

/* Loads the query's traces, several as their sum. Says on standard error why it cannot be
 * loaded, what of it is damaged, or that it was cut off, unless the format itself does
 * (vbt_incomplete_print; "complete" in JSON). False, for exit status 2, if there is nothing to
 * report. Free the trace only if it was loaded. */
bool vbt_trace_load(struct vbt_trace *trace, const struct vbt_query *query, bool with_sizes);
void vbt_trace_free(struct vbt_trace *trace);

/* Frees the call paths and their counters, as soon as no one asks for them: there may be
 * millions. */
void vbt_trace_forget_paths(struct vbt_trace *trace);

/* Computes the attribution, for those who need it. */
void vbt_trace_attribute(struct vbt_trace *trace);

/* Says on standard error that nothing passes the query's filters, or that one of them leaves
 * nothing out, if so. rows: how many rows of the view pass; SIZE_MAX: as many as there are call
 * stacks that do. */
void vbt_trace_warn_if_empty(const struct vbt_trace *trace, const struct vbt_query *query, size_t rows);

/* "damaged at byte 4711: ...; everything before it is reported", for the caller to free; NULL if
 * the trace is not damaged. */
char *vbt_trace_damage(const struct vbt_model *model);

/* A sentence on why the trace is not complete, for the caller to free; NULL if it is. */
char *vbt_trace_incomplete(const struct vbt_model *model);

#endif
