/* What several formats call the measures, and how they name a place. */
#ifndef VBT_EXPORT_NAMES_H
#define VBT_EXPORT_NAMES_H

#include "analyzer/analysis/calls/call_tree.h"

#include <stdio.h>

/* The measures of formats that hold several of them. */
struct vbt_export_event {
    const char *name, *title; /* "Bytes", "Bytes allocated" */
    enum vbt_measure measure;
};

enum { VBT_EXPORT_EVENTS = 6 };

/* Writes the events that are known; the first is that of query->measure. Says on standard error
 * what is left out. Returns how many. */
size_t vbt_export_events(struct vbt_export_event events[VBT_EXPORT_EVENTS], const struct vbt_query *query, const char *format);

/* A name in one printable line, for the caller to free. */
char *vbt_export_name(const char *name);

/* A text as JSON, in quotes. */
void vbt_export_json_text(const char *text, FILE *out);

/* What call stacks are called that hold no frame. */
#define VBT_NO_STACK "[no call stack]"

#endif
