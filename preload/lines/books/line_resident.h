/* The largest resident set at each line. */
#ifndef VBT_LINE_RESIDENT_H
#define VBT_LINE_RESIDENT_H

#include "preload/ledger/ledger.h"
#include "line_books.h"

/* When the resident set may differ from what was read last: live bytes have changed by so much
 * since, or a line took so many ticks of the clock, about a millisecond, and may have written to
 * memory that it had before. */
enum { VBT_LINE_RSS_STEP = 256 * 1024, VBT_LINE_RSS_TICKS = 1 << 21 };

/* Reads it, and stores it in vbt_latest_rss. */
int64_t vbt_line_read_resident(struct vbt_line_thread *lines) __attribute__((noinline));

/* An execution of the line has ended, took so long, and all but this is booked. */
VBT_INLINE void vbt_line_see_resident(struct vbt_line_thread *lines, struct vbt_line *line, int64_t took) {
    int64_t rss = atomic_load_explicit(&vbt_latest_rss, memory_order_relaxed);
    bool moved = (uint64_t)(lines->ledger->live - lines->rss_live + VBT_LINE_RSS_STEP) > 2 * (uint64_t)VBT_LINE_RSS_STEP;
    if (VBT_UNLIKELY(rss == VBT_RSS_OLD) || VBT_UNLIKELY(moved) || VBT_UNLIKELY(took > VBT_LINE_RSS_TICKS))
        rss = vbt_line_read_resident(lines);
    if (VBT_UNLIKELY(rss > line->rss))
        line->rss = rss;
}

#endif
