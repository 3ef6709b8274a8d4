/* See line_clock.h. */
#include "line_clock.h"

#include "preload/base/clock.h"

#if defined __x86_64__
#include <cpuid.h>
#endif

bool vbt_line_clock_is_tsc;
static int64_t start_ticks, start_ns; /* by both clocks */

int64_t vbt_line_clock_slow(void) { return vbt_clock_read(CLOCK_MONOTONIC); }

void vbt_line_clock_init(void) {
#if defined __x86_64__
    unsigned a, b, c, d;
    vbt_line_clock_is_tsc = __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d >> 8 & 1) != 0; /* "invariant TSC" */
#endif
    start_ticks = vbt_line_clock();
    start_ns = vbt_clock_read(CLOCK_MONOTONIC);
}

int64_t vbt_line_nanoseconds(int64_t ticks) {
    int64_t all_ticks = vbt_line_clock() - start_ticks;
    int64_t all_ns = vbt_clock_read(CLOCK_MONOTONIC) - start_ns;
    return all_ticks > 0 ? (int64_t)((double)ticks * (double)all_ns / (double)all_ticks) : 0;
}
