/* What was counted at a call: all measures, packed. */
#ifndef VBT_CALL_COUNTS_H
#define VBT_CALL_COUNTS_H

#include "analyzer/analysis/measure.h"
#include "analyzer/base/arrays/packed_rows.h"
#include "analyzer/trace/counters.h"

struct vbt_measures {
    int64_t of[VBT_MEASURES];
};

/* The row of packed measures; row 0 is all 0. */
struct vbt_measures vbt_measures_of(const struct vbt_packed_rows *rows, uint32_t row);
int64_t vbt_measure_of(const struct vbt_packed_rows *rows, uint32_t row, enum vbt_measure measure);

/* Writes measures over the row, or adds one if it is 0. Returns its name. */
uint32_t vbt_measures_put(struct vbt_packed_rows *rows, uint32_t row, const struct vbt_measures *measures);

/* Adds measures to those of a row. Returns its name. The second leaves the row as it is, and adds
 * one. */
uint32_t vbt_measures_add(struct vbt_packed_rows *rows, uint32_t row, const struct vbt_measures *more);
uint32_t vbt_measures_put_sum(struct vbt_packed_rows *rows, uint32_t row, const struct vbt_measures *more);

/* What was counted at a node. */
struct vbt_measures vbt_measures_of_counters(const struct vbt_model_counters *counters);

/* Blocks inherited at a fork are not leaks of the child. Which blocks of a call path were freed is
 * unknown, so it is assumed that the child freed its own first: this many at least are its own. */
static inline int64_t vbt_own_live(int64_t live, uint64_t inherited) {
    return live > 0 && (uint64_t)live > inherited ? live - (int64_t)inherited : 0;
}

#endif
