/* See pause.h. The two states of vbt_recording are exchanged, never set: recording that has ended
 * for good is not started again. */
#include "pause.h"

#include "thread.h"
#include "preload/ledger/interval.h"
#include "preload/shared/options.h"

static _Atomic int64_t starts_at = INT64_MAX, stops_at = INT64_MAX; /* as the options ask; CLOCK_MONOTONIC, ns */
static _Atomic bool paused;
static VBT_CHANGED_BY_FORK _Atomic uint32_t count;
static VBT_CHANGED_BY_FORK _Atomic int64_t since, before; /* when the present pause began; the total of those before */

bool vbt_paused(void) { return atomic_load(&paused); }

static int64_t later(int64_t now, int64_t by) { return by > INT64_MAX - now ? INT64_MAX : now + by; }

bool vbt_pause_init(int64_t now) {
    starts_at = vbt_options.delay > 0 ? later(now, vbt_options.delay) : INT64_MAX;
    stops_at = vbt_options.duration > 0 ? later(now, vbt_options.delay) : INT64_MAX;
    if (stops_at != INT64_MAX)
        stops_at = later(stops_at, vbt_options.duration);
    if (vbt_options.delay == 0)
        return false;
    atomic_store(&paused, true);
    atomic_store(&count, 1);
    atomic_store(&since, now);
    return true;
}

void vbt_pause_begin(int64_t now) {
    uint32_t recording = atomic_load(&vbt_recording);
    while (recording == VBT_RECORDING || recording == VBT_RECORDING_POLLED) {
        if (!atomic_compare_exchange_weak(&vbt_recording, &recording, VBT_PAUSED))
            continue;
        atomic_store(&since, now);
        atomic_store(&paused, true);
        atomic_fetch_add(&count, 1);
        atomic_fetch_add(&vbt_interval_breaks, 1);
        return;
    }
}

void vbt_pause_end(int64_t now) {
    uint32_t recording = VBT_PAUSED;
    if (!atomic_exchange(&paused, false))
        return;
    atomic_fetch_add(&before, now - atomic_load(&since));
    atomic_compare_exchange_strong(&vbt_recording, &recording, VBT_RECORDING_POLLED);
}

int64_t vbt_pause_tick(int64_t now) {
    if (now >= starts_at) {
        starts_at = INT64_MAX;
        vbt_pause_end(now);
    }
    if (now >= stops_at) {
        stops_at = INT64_MAX;
        vbt_pause_begin(now);
    }
    return starts_at < stops_at ? starts_at : stops_at;
}

struct vbt_pauses vbt_pauses_until(int64_t now) {
    return (struct vbt_pauses){.count = atomic_load(&count),
                               .time = atomic_load(&before) + (vbt_paused() ? now - atomic_load(&since) : 0)};
}

void vbt_pause_after_fork(int64_t now) {
    atomic_store(&before, 0);
    atomic_store(&since, now);
    atomic_store(&count, vbt_paused());
}
