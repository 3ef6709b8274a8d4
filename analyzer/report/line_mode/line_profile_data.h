/* Prints what line mode counted for programs: JSON and CSV. */
#ifndef VBT_LINE_PROFILE_DATA_H
#define VBT_LINE_PROFILE_DATA_H

#include "analyzer/analysis/line_mode/line_profile.h"
#include "analyzer/base/json.h"

/* Adds the members "line_events", how events were measured, and "line_profile", at most `limit`
 * functions with their lines; sources: NULL: without their text. */
void vbt_json_line_profile(struct vbt_json *json, const struct vbt_line_profile *profile, uint64_t limit,
                           struct vbt_sources *sources);

/* Prints one row per line of at most `limit` functions. */
void vbt_line_profile_csv_print(const struct vbt_line_profile *profile, uint64_t limit, struct vbt_sources *sources, FILE *out);

#endif
