/* Sums of signed numbers as a trace may hold them: modulo 2^64, whatever they are. */
#ifndef VBT_WRAPPING_H
#define VBT_WRAPPING_H

#include <stdint.h>

static inline int64_t vbt_plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

static inline int64_t vbt_minus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }

#endif
