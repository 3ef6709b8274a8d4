/* See measure.h. */
#include "measure.h"

#include <stddef.h>

const char *const vbt_measure_names[] = {"bytes", "allocs", "peak", "leaks", "temporary", NULL};

static bool peak_is_unknown;

void vbt_measure_peak_is_known(bool known) { peak_is_unknown = !known; }

bool vbt_measure_is_known(enum vbt_measure measure) { return measure != VBT_MEASURE_PEAK || !peak_is_unknown; }
