/* Prints intervals and sections as tables and as JSON rows. */
#ifndef VBT_INTERVAL_REPORT_H
#define VBT_INTERVAL_REPORT_H

#include "analyzer/analysis/intervals.h"
#include "analyzer/base/json.h"
#include "analyzer/base/output.h"

#include <jansson.h>

/* Prints the sections among the groups, one row each; labels that differ only in a number at their
 * end stand together. Prints at most `limit` rows, and returns how many there are in all. sites:
 * prints the lines that allocate under each. */
size_t vbt_sections_print(const struct vbt_interval_list *groups, uint64_t limit, uint64_t per, bool sites,
                          struct vbt_output *output);

/* The same for the intervals between two clock readings. */
size_t vbt_clock_intervals_print(const struct vbt_interval_list *groups, uint64_t limit, uint64_t per, bool sites,
                                 struct vbt_output *output);

/* An item of "intervals". */
json_t *vbt_json_interval(const struct vbt_interval_row *group, uint64_t per);

/* The member "unended_sections". */
void vbt_json_unended(struct vbt_json *json, const struct vbt_interval_list *groups);

#endif
