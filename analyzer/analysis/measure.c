/* See measure.h. */
#include "measure.h"

#include <stddef.h>

const char *const vbt_measure_names[] = {"bytes", "allocs", "peak", "leaks", "temporary", NULL};
