/* Clock readings: where the user's code reads a clock, an interval ends and another begins. */
#include "hook.h"
#include "preload/base/clock.h"

/* Servers read the clock for each request, at two or three places. */
static uint32_t native_site(struct vbt_thread *thread, uintptr_t caller) {
    struct vbt_clock_place *place = &thread->clock_places[(caller ^ caller >> 8) % VBT_CLOCK_PLACES];
    uint32_t generation = atomic_load_explicit(&vbt_module_generation, memory_order_relaxed);
    if (VBT_UNLIKELY(place->address != caller || place->stamp != generation)) {
        *place = (struct vbt_clock_place){.address = caller, .stamp = vbt_module_stamp()};
        place->site = vbt_native_site(caller);
    }
    return place->site;
}

/* Is the reading the user's own? Returns its site: the Python line that reads, if it is in the
 * user's file; if no Python code runs, the address, if it is in the main program. 0: the reading is
 * not the user's. */
static uint32_t reading_site(struct vbt_thread *thread, uintptr_t caller) {
    const struct vbt_frame *python = vbt_python_leaf(&thread->stack);
    uint32_t site = python != NULL && python->node != 0 ? vbt_node_at(python->node)->site : native_site(thread, caller);
    const struct vbt_site *place = vbt_site_at(site);
    return place->flags & VBT_SITE_OF_USER ? site : 0;
}

/* known: CLOCK_MONOTONIC now, if the caller has it, else -1. */
static void note_reading(uintptr_t caller, int64_t known) {
    struct vbt_thread *thread = vbt_enter_as(VBT_IN_REAL, caller);
    if (thread == NULL)
        return;
    vbt_stand(thread, VBT_IN_LEDGER);
    uint32_t site = reading_site(thread, caller);
    if (site != 0) {
        int64_t time = known >= 0 ? known : vbt_clock_read(CLOCK_MONOTONIC);
        vbt_intervals_reading(&thread->ledger, site, time - vbt_clock_start);
    }
    vbt_leave(thread);
}

/* The constructor looks up the functions; a reading may come before it. */
static void find_real(void) {
    if (VBT_UNLIKELY(vbt_real.clock_gettime == NULL))
        vbt_real_find();
}

VBT_EXPORT int clock_gettime(clockid_t id, struct timespec *now) {
    find_real();
    int result = vbt_real.clock_gettime(id, now);
    bool monotonic = result == 0 && id == CLOCK_MONOTONIC && !vbt_real_clock_is_foreign;
    note_reading(VBT_CALLER, monotonic ? (int64_t)now->tv_sec * 1000000000 + now->tv_nsec : -1);
    return result;
}

VBT_EXPORT int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    find_real();
    int result = vbt_real.gettimeofday(now, zone);
    note_reading(VBT_CALLER, -1);
    return result;
}

VBT_EXPORT time_t time(time_t *now) {
    find_real();
    time_t result = vbt_real.time(now);
    note_reading(VBT_CALLER, -1);
    return result;
}

VBT_EXPORT clock_t clock(void) {
    find_real();
    clock_t result = vbt_real.clock();
    note_reading(VBT_CALLER, -1);
    return result;
}

VBT_EXPORT clock_t times(struct tms *now) {
    find_real();
    clock_t result = vbt_real.times(now);
    note_reading(VBT_CALLER, -1);
    return result;
}

VBT_EXPORT int timespec_get(struct timespec *now, int base) {
    find_real();
    int result = vbt_real.timespec_get(now, base);
    note_reading(VBT_CALLER, -1);
    return result;
}

VBT_EXPORT int getrusage(__rusage_who_t who, struct rusage *usage) {
    find_real();
    int result = vbt_real.getrusage((int)who, usage);
    note_reading(VBT_CALLER, -1);
    return result;
}
