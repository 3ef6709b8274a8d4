/* What a process had at a moment, by call path, as far as its trace can say. */
#ifndef VBT_MOMENT_H
#define VBT_MOMENT_H

#include "analyzer/trace/counters.h"

#include <stdbool.h>

enum vbt_moment_source {
    VBT_MOMENT_NOTHING, /* the process did not run then, or its trace holds the whole run only */
    VBT_MOMENT_OWN_PEAK,
    VBT_MOMENT_STATE,
};

struct vbt_moment {
    enum vbt_moment_source source;
    uint64_t distance;      /* ns between the moment and what is known */
    struct vbt_model state; /* of VBT_MOMENT_STATE: the trace, read up to that state */
};

/* Finds what is known of a moment: the process's own peak, or a state of its trace. Of those with
 * as many live bytes as there were then, to 1%, or else with the nearest number of them, it is the
 * one nearest in time. full: the trace; started: when time 0 of `time` is, ns since 1970. */
void vbt_moment_find(struct vbt_moment *moment, const struct vbt_model *full, int64_t started, uint64_t time);
void vbt_moment_free(struct vbt_moment *moment);

/* What was live at a node then, inherited blocks included. at_peak: what it had at its own peak. */
int64_t vbt_moment_live(const struct vbt_moment *moment, uint32_t node, int64_t at_peak);

#endif
