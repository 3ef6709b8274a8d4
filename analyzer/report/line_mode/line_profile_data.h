/* What line mode counted, for programs: JSON and CSV. */
#ifndef VBT_LINE_PROFILE_DATA_H
#define VBT_LINE_PROFILE_DATA_H

#include "analyzer/analysis/line_mode/line_profile.h"
#include "analyzer/base/json.h"

/* A member "line_profile": how events were measured, and the functions with their lines. */
void vbt_json_line_profile(struct vbt_json *json, const struct vbt_line_profile *profile, struct vbt_sources *sources);

/* A row a line. */
void vbt_line_profile_csv_print(const struct vbt_line_profile *profile, struct vbt_sources *sources, FILE *out);

#endif
