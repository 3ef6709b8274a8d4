/* See trim.h. */
#include "trim.h"

#include "thread.h"
#include "preload/ledger/shadow.h"

#include <stdatomic.h>

static _Atomic uint32_t trimming; /* threads */

static bool is_recorded(void) {
    uint32_t recording = atomic_load(&vbt_recording);
    return recording != VBT_NOT_YET && recording != VBT_STOPPED;
}

void vbt_trim(uintptr_t start, uintptr_t end) {
    if (start >= end || end - start < VBT_SHADOW_TRIM)
        return;
    atomic_fetch_add(&trimming, 1); /* before the look at the state: see vbt_trim_wait */
    if (is_recorded())
        vbt_shadow_trim_range(start, end);
    atomic_fetch_sub(&trimming, 1);
}

void vbt_trim_wait(void) {
    enum { TRIES = 200 };
    const struct timespec pause = {0, 500 * 1000};
    for (int tries = 0; atomic_load(&trimming) > 0 && tries < TRIES; tries++)
        vbt_sys(SYS_nanosleep, &pause, NULL);
}

void vbt_trim_after_fork(void) { atomic_store(&trimming, 0); }
