/* What line mode measures, as one value: totals so far, or a difference of two. */
#ifndef VBT_LINE_SUMS_H
#define VBT_LINE_SUMS_H

#include "preload/base/sys.h"

#include <stdint.h>

struct vbt_line_sums {
    int64_t time;   /* ticks of vbt_line_clock */
    int64_t events; /* of measuring: each costs time that is not the program's */
    int64_t allocs, frees, allocated, freed, temporary;
    int64_t objects; /* created; see enum vbt_objects */
};

VBT_INLINE void vbt_line_sums_add(struct vbt_line_sums *to, const struct vbt_line_sums *more) {
    to->time += more->time;
    to->events += more->events;
    to->allocs += more->allocs;
    to->frees += more->frees;
    to->allocated += more->allocated;
    to->freed += more->freed;
    to->temporary += more->temporary;
    to->objects += more->objects;
}

VBT_INLINE void vbt_line_sums_subtract(struct vbt_line_sums *from, const struct vbt_line_sums *less) {
    from->time -= less->time;
    from->events -= less->events;
    from->allocs -= less->allocs;
    from->frees -= less->frees;
    from->allocated -= less->allocated;
    from->freed -= less->freed;
    from->temporary -= less->temporary;
    from->objects -= less->objects;
}

VBT_INLINE struct vbt_line_sums vbt_line_sums_difference(const struct vbt_line_sums *now, const struct vbt_line_sums *before) {
    struct vbt_line_sums result = *now;
    vbt_line_sums_subtract(&result, before);
    return result;
}

#endif
