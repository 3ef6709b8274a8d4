/* What can be summed over call stacks. */
#ifndef VBT_MEASURE_H
#define VBT_MEASURE_H

#include <stdbool.h>

enum vbt_measure {
    VBT_MEASURE_BYTES,     /* allocated */
    VBT_MEASURE_ALLOCS,    /* allocations */
    VBT_MEASURE_PEAK,      /* bytes live at the global peak */
    VBT_MEASURE_LEAKS,     /* bytes live at the end, without what may be inherited from a parent process */
    VBT_MEASURE_TEMPORARY, /* allocations freed before their thread allocated again */
    VBT_MEASURE_GROWN,     /* bytes live at the end less bytes live at the beginning; can be negative */
    /* --measure does not take these: */
    VBT_MEASURE_BLOCKS,      /* of LEAKS */
    VBT_MEASURE_LIVE,        /* bytes live at the end, inherited ones too */
    VBT_MEASURE_LIVE_BLOCKS, /* of LIVE */
    VBT_MEASURES
};

/* The names that --measure takes, in the order above; NULL-terminated. */
extern const char *const vbt_measure_names[];

static inline bool vbt_measure_is_bytes(enum vbt_measure measure) {
    return measure == VBT_MEASURE_BYTES || measure == VBT_MEASURE_PEAK || measure == VBT_MEASURE_LEAKS ||
           measure == VBT_MEASURE_GROWN;
}

/* Of a part of a run, what was live at its peak may not be known. Says so for the trace that is
 * loaded; its numbers then mean nothing, and views leave them out. */
void vbt_measure_peak_is_known(bool known);
bool vbt_measure_is_known(enum vbt_measure measure);

#endif
