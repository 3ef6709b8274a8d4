/* The clock of line mode, which is fast to read: the processor's, if it ticks at a constant
 * rate. */
#ifndef VBT_LINE_CLOCK_H
#define VBT_LINE_CLOCK_H

#include "preload/base/sys.h"

#include <stdbool.h>
#include <stdint.h>

extern bool vbt_line_clock_is_tsc;

/* Chooses the clock and notes when it started. Call it once. */
void vbt_line_clock_init(void);

int64_t vbt_line_clock_slow(void);

/* Valid where vbt_line_clock_is_tsc. */
static inline int64_t vbt_line_clock_tsc(void) {
#if defined __x86_64__
    return (int64_t)__builtin_ia32_rdtsc();
#else
    return vbt_line_clock_slow();
#endif
}

/* Ticks. */
static inline int64_t vbt_line_clock(void) {
    return VBT_LIKELY(vbt_line_clock_is_tsc) ? vbt_line_clock_tsc() : vbt_line_clock_slow();
}

/* A span of ticks in nanoseconds, by the average length of a tick since the start. */
int64_t vbt_line_nanoseconds(int64_t ticks);

#endif
