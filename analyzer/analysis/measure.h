/* What can be summed over call stacks. */
#ifndef VBT_MEASURE_H
#define VBT_MEASURE_H

#include <stdbool.h>

enum vbt_measure {
    VBT_MEASURE_BYTES,     /* allocated */
    VBT_MEASURE_ALLOCS,    /* allocations */
    VBT_MEASURE_PEAK,      /* bytes live at the global peak */
    VBT_MEASURE_LEAKS,     /* bytes live at the end, without what was inherited from a parent process */
    VBT_MEASURE_TEMPORARY, /* allocations freed before their thread allocated again */
    VBT_MEASURE_BLOCKS,    /* blocks live at the end; belongs to LEAKS, --measure does not take it */
    VBT_MEASURES
};

/* The names that --measure takes, in the order above; NULL-terminated. */
extern const char *const vbt_measure_names[];

static inline bool vbt_measure_is_bytes(enum vbt_measure measure) {
    return measure == VBT_MEASURE_BYTES || measure == VBT_MEASURE_PEAK || measure == VBT_MEASURE_LEAKS;
}

#endif
