/* See line_resident.h. */
#include "line_resident.h"

#include "preload/base/proc.h"

enum { PAGE = 4096 };

/* What the helper or another thread stores meanwhile is newer. The time that reading takes is not
 * the program's. */
int64_t vbt_line_read_resident(struct vbt_line_thread *lines) {
    int64_t begun = vbt_line_clock(), before = atomic_load(&vbt_latest_rss);
    int64_t rss = vbt_proc_second("/proc/self/statm") * PAGE;
    atomic_compare_exchange_strong(&vbt_latest_rss, &before, rss);
    lines->rss_live = lines->ledger->live;
    lines->held += vbt_line_clock() - begun;
    return rss;
}
