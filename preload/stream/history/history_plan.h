/* Which states of a trace are kept when its file is written again: the older, the fewer. */
#ifndef VBT_HISTORY_PLAN_H
#define VBT_HISTORY_PLAN_H

#include <stdbool.h>
#include <stdint.h>

/* A state in the file: a STATE chunk, and before it COUNTERS of what had changed. */
struct vbt_history_mark {
    int64_t time, peak_time; /* as the state says, ns */
    uint64_t counters;       /* where its COUNTERS begin in the file */
    uint64_t state;          /* where STATE does */
    uint32_t counters_size;  /* bytes, chunk headers included; 0: none */
    uint32_t state_size;
    uint32_t rows; /* in COUNTERS */
    bool stays;    /* whatever its age */
    bool kept;     /* by the plan */
};

/* Two states that are kept lie apart by at least the age of the older one divided by this. */
enum { VBT_HISTORY_FINEST = 256, VBT_HISTORY_COARSEST = 2 };

/* Marks which states are kept at a time, with such a resolution; the last one always is. */
void vbt_history_plan(struct vbt_history_mark *marks, uint32_t count, int64_t now, int64_t resolution);

#endif
