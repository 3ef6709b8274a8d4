/* JSON rows that several views share: places, lines, threads. */
#ifndef VBT_JSON_ROWS_H
#define VBT_JSON_ROWS_H

#include "analyzer/analysis/lines.h"
#include "analyzer/analysis/measure.h"
#include "analyzer/base/json.h"
#include "analyzer/symbols/source.h"

#include <jansson.h>

/* {"file", "line", "function", ...}: a place, with its source line if sources is not NULL. */
json_t *vbt_json_place(const struct vbt_source_place *place, struct vbt_sources *sources);

/* A number of a measure, null if it is not known of the part of the run that is shown. */
json_t *vbt_json_measure(enum vbt_measure measure, int64_t value);

/* An item of "lines" and "user_lines". */
json_t *vbt_json_line(const struct vbt_line_row *line, struct vbt_sources *sources);

/* The members "complete" and "damage", null or {"byte", "what"}; of a part of the run "part",
 * too: {"from_ns", "to_ns"}. */
void vbt_json_completeness(struct vbt_json *json, const struct vbt_model *model);

/* [{"thread", "label", "name", "tid", "threads", "begun_ns", "ended_ns", counts}] */
json_t *vbt_json_threads(const struct vbt_model *model);

#endif
