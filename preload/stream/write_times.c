/* See write_times.h. */
#include "write_times.h"

#include "preload/base/clock.h"
#include "preload/base/sys.h"
#include "preload/process/process.h"
#include "preload/shared/options.h"

#include <string.h>

static VBT_CHANGED_BY_FORK struct {
    int64_t due;    /* not again before, ns */
    int64_t time;   /* when it was last done, ns */
    int64_t beyond; /* processor time that was taken beyond the share, ns */
    int64_t spent;  /* all processor time that was taken, ns */
    int64_t latest; /* the same for the last time */
} writing;

/* Of the time that passes, the part that writing may take. */
enum { SHARE = 100 };

/* Of the process, of which the helper is no part: the kernel's number of its clock, as
 * clock_getcpuclockid(3) makes it. */
static int64_t program_cpu(void) {
    enum { SCHEDULED = 2 };
    return vbt_clock_read((clockid_t)(~(unsigned)vbt_pid << 3 | SCHEDULED));
}

/* Where the trace's size is limited, writing also finds out how much room there is, and cannot
 * wait. */
static bool is_young(int64_t now) {
    enum { SECOND = 1000 * 1000 * 1000 };
    return now < SECOND && vbt_options.max_trace == 0;
}

/* When what is written first has been made up for. */
static int64_t first_due(int64_t cost) {
    static const int64_t longest = INT64_C(3) * 1000 * 1000 * 1000;
    return cost < longest / SHARE ? SHARE * cost : longest;
}

bool vbt_write_is_due(int64_t now, int64_t changed, int64_t cost) {
    enum { FIRST_SHARE = 400, STILL = 50 * 1000 * 1000 };
    if (is_young(now))
        return (writing.spent + cost) * FIRST_SHARE <= program_cpu();
    bool waits = writing.time == 0 && vbt_options.max_trace == 0 && now < first_due(cost);
    return (now >= writing.due && !waits) || (changed < now && now - writing.time >= STILL);
}

void vbt_write_book(int64_t now, int64_t cost) {
    enum { BURST = 10 * 1000 * 1000 };
    int64_t earned = (now - writing.time) / SHARE;
    writing.latest = cost;
    writing.spent += cost;
    writing.beyond = cost + (writing.beyond > earned ? writing.beyond - earned : 0);
    writing.time = now;
    int64_t of_age = SHARE * (writing.beyond < BURST ? writing.beyond : BURST);
    int64_t of_rest = now + SHARE * (writing.beyond - BURST);
    writing.due = of_age > of_rest ? of_age : of_rest;
}

int64_t vbt_write_latest_cost(void) { return writing.latest; }

void vbt_write_times_after_fork(void) { memset(&writing, 0, sizeof writing); }
