/* See clock.h. */
#include "clock.h"

int64_t vbt_clock_start;
