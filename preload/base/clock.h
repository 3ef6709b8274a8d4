/* Reading clocks without passing through the library's own hook. */
#ifndef VBT_CLOCK_H
#define VBT_CLOCK_H

#include "real.h"

#include <stdint.h>

static inline int64_t vbt_clock_read(clockid_t id) {
    struct timespec now = {0, 0};
    if (VBT_UNLIKELY(vbt_real_clock_is_foreign))
        vbt_sys(SYS_clock_gettime, id, &now);
    else
        vbt_real.clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* CLOCK_MONOTONIC when the library woke, in ns: time 0 of the trace. */
extern int64_t vbt_clock_start;

#endif
