/* See clock.h. */
#include "clock.h"

VBT_CHANGED_BY_FORK int64_t vbt_clock_start;
