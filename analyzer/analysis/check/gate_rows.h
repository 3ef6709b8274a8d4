/* Which rows of a comparison a limit is about, and what they add up to. */
#ifndef VBT_GATE_ROWS_H
#define VBT_GATE_ROWS_H

#include "gate.h"

/* The numbers of a limit, run by run: old ones first. */
struct vbt_limit_values {
    double *of;
    size_t matched;
    double n; /* iterations of the section, of its last run; 0: unknown */
};

void vbt_limit_values_get(struct vbt_limit_values *values, const struct vbt_comparison *comparison, const struct vbt_limit *limit);

/* Does a pair of lines belong to what the limit is about? */
bool vbt_limit_has_line(const struct vbt_comparison *comparison, const struct vbt_limit *limit, uint32_t pair);

/* The number of a line's row that a limit is about; -1: lines have none. */
int vbt_limit_kind(const struct vbt_limit *limit);

#endif
