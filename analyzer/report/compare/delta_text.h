/* Numbers of a comparison as people read them: with their sign, and marked where they vary from run
 * to run. */
#ifndef VBT_DELTA_TEXT_H
#define VBT_DELTA_TEXT_H

#include "analyzer/analysis/compare/compare_judge.h"
#include "analyzer/base/units.h"

/* How a number is written. */
enum vbt_delta_unit { VBT_DELTA_COUNT, VBT_DELTA_BYTES, VBT_DELTA_TIME };

/* Of enum vbt_counted_as: its unit, its title in tables. */
enum vbt_delta_unit vbt_counted_unit(int kind);
const char *vbt_counted_title(int kind);

/* 12,345; 1.2 MiB; 12.3 ms: means are rounded. */
struct vbt_unit vbt_mean_text(enum vbt_delta_unit unit, double mean);

/* +1,000; -1.2 MiB; 0 */
struct vbt_unit vbt_delta_text(enum vbt_delta_unit unit, double difference);

/* +8.1%; -0.30%; ×3.5; "new" and "gone" where one side is 0; "" where both are. */
struct vbt_unit vbt_delta_share(const struct vbt_delta *change);

/* The difference as a cell: "" if there is none; "~+12" if it says nothing, because the number
 * varies that much by itself. */
struct vbt_unit vbt_delta_cell(enum vbt_delta_unit unit, const struct vbt_delta *change, bool counts);

#endif
