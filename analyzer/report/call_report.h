/* How views of the call tree print calls, places and measures. */
#ifndef VBT_CALL_REPORT_H
#define VBT_CALL_REPORT_H

#include "analyzer/analysis/calls/call_tree.h"
#include "analyzer/base/arrays/text_buffer.h"
#include "analyzer/base/csv.h"
#include "analyzer/base/json.h"
#include "analyzer/base/units.h"

/* "Bytes allocated", "Live at the peak", ... */
const char *vbt_measure_title(enum vbt_measure measure);

/* 1.2 MiB or 1,234, depending on the measure. */
struct vbt_unit vbt_measure_text(enum vbt_measure measure, int64_t value);

/* "+1.2 MiB, +12.3%", "-3, -50.0%", "+17, new", "-1.0 KiB, gone", "the same"; for the caller to
 * free. */
char *vbt_change_text(enum vbt_measure measure, int64_t before, int64_t after);

/* 12.3%, 0.04%, <0.01%; "" if the whole is 0. */
struct vbt_unit vbt_share(int64_t part, int64_t whole);

/* "work (bench.py:3)", "parse (libxml2.so.2)", "[vbtrace]": without folders. The caller frees
 * it. */
char *vbt_call_name(const struct vbt_source_place *place);

/* "/proj/bench.py:3", or the module; "" for special places. The caller frees it. */
char *vbt_place_position(const struct vbt_source_place *place);

/* "python", "native", "inlined", "special". */
const char *vbt_call_kind(const struct vbt_call_tree *tree, uint32_t call);

/* The smallest value of the measure that --min keeps; INT64_MIN, which keeps all, for --min 0. */
int64_t vbt_least(const struct vbt_query *query, int64_t whole);

/* Adds "allocs", "allocated_bytes", "at_peak_bytes", "live_bytes", "live_blocks",
 * "temporary_allocs", and the process's own of what is live, "own_live_bytes" and
 * "own_live_blocks", each after a prefix. */
void vbt_json_measures(json_t *row, const char *prefix, const int64_t of[VBT_MEASURES]);

/* The same as text: `"allocs": 1, ...`. */
void vbt_buffer_json_measures(struct vbt_text_buffer *buffer, const char *prefix, const int64_t of[VBT_MEASURES]);

/* The same as cells, without the process's own; titles: ",allocs,..." with the prefix, for the
 * caller to free. */
char *vbt_csv_measure_titles(const char *prefix);
void vbt_csv_measures(struct vbt_csv *csv, const int64_t of[VBT_MEASURES]);

/* A cell of a measure, empty if it is not known of the part of the run that is shown. */
void vbt_csv_measure(struct vbt_csv *csv, enum vbt_measure measure, int64_t value);

/* And the process's own, which go after all others. */
char *vbt_csv_own_titles(const char *prefix);
void vbt_csv_own(struct vbt_csv *csv, const int64_t of[VBT_MEASURES]);

/* {"file", "line", "function", "kind", "module"} */
json_t *vbt_json_call(const struct vbt_call_tree *tree, uint32_t call);

#endif
