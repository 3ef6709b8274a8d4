/* The course of memory, and the moments of the history, in a page. */
#ifndef VBT_PAGE_TIMELINE_H
#define VBT_PAGE_TIMELINE_H

#include "analyzer/analysis/trace.h"
#include "analyzer/base/json.h"

/* The members "steps_ns", "peak_step" and "shutdown_step". */
void vbt_page_steps_write(struct vbt_json *json, const struct vbt_trace *trace);

/* The member "timeline". */
void vbt_page_timeline_write(struct vbt_json *json, const struct vbt_model *model);

#endif
