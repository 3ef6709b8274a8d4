/* See resident_times.h. */
#include "resident_times.h"

#include "preload/base/sys.h"

#include <string.h>

VBT_CHANGED_BY_FORK struct vbt_resident_at vbt_resident_times[VBT_RESIDENT_TIMES];

static VBT_CHANGED_BY_FORK struct {
    int64_t paid; /* the time until which the share pays for what was done, ns */
    int64_t due;  /* not again before, if it has grown by far more; ns */
} next;

enum { SHARE = 400, FAR_MORE_SHARE = 20 };

static void pay(int64_t now, int64_t took) {
    next.paid = (next.paid > now ? next.paid : now) + SHARE * took;
    next.due = now + FAR_MORE_SHARE * took;
}

/* Some time is advanced: otherwise a breakdown in the middle of a growth would put off the one at
 * its end. */
static bool is_paid(int64_t now) {
    const int64_t advanced = SHARE * INT64_C(3000000);
    return now + advanced >= next.paid;
}

static bool is_due(int64_t now, int64_t rss, int64_t known) {
    enum { GROWTH = 8, FIRST = 100 * 1000 * 1000, FAR_MORE = 32 << 20 };
    if (rss > 2 * known + FAR_MORE)
        return now >= next.due;
    return rss > known + known / GROWTH && now >= FIRST && is_paid(now);
}

bool vbt_resident_take(int64_t now, int64_t rss, const int64_t live[VBT_DOMAIN_MAP], bool at_end) {
    struct vbt_resident_at *latest = &vbt_resident_times[VBT_RESIDENT_LATEST];
    struct vbt_resident_at *highest = &vbt_resident_times[VBT_RESIDENT_HIGHEST];
    if (!at_end && !is_due(now, rss, (int64_t)highest->resident.total))
        return false;
    vbt_resident_read(&latest->resident);
    latest->time = now;
    memcpy(latest->live, live, sizeof latest->live);
    pay(now, latest->resident.took);
    if (latest->resident.total > highest->resident.total)
        *highest = *latest;
    return true;
}

void vbt_resident_times_after_fork(void) {
    memset(vbt_resident_times, 0, sizeof vbt_resident_times);
    memset(&next, 0, sizeof next);
}
