/* The fast path of line_books.h, for line events: mostly the line that ends did nothing but
 * compute, and the next one has been executed before. */
#ifndef VBT_LINE_FAST_H
#define VBT_LINE_FAST_H

#include "preload/ledger/ledger.h"
#include "line_books.h"

/* The thread's time, in ticks of a clock that stops for the cost of reporting a call. The second is
 * valid where vbt_line_clock_is_tsc. */
VBT_INLINE int64_t vbt_line_time(const struct vbt_line_thread *lines) { return vbt_line_clock() - lines->held; }
VBT_INLINE int64_t vbt_line_time_tsc(const struct vbt_line_thread *lines) { return vbt_line_clock_tsc() - lines->held; }

/* The thread's allocations so far. */
VBT_INLINE uint64_t vbt_line_allocs(const struct vbt_line_thread *lines) {
    return lines->ledger->totals[VBT_DOMAIN_HEAP].allocs + lines->ledger->totals[VBT_DOMAIN_PYTHON].allocs;
}

/* Grows with everything that the thread allocates, frees or creates. */
VBT_INLINE uint64_t vbt_line_count(const struct vbt_line_thread *lines) {
    const struct vbt_totals *heap = &lines->ledger->totals[VBT_DOMAIN_HEAP], *python = &lines->ledger->totals[VBT_DOMAIN_PYTHON];
    return heap->allocs + heap->frees + python->allocs + python->frees + (uint64_t)lines->objects;
}

/* Live bytes of the process without those of the thread's ledger and those that measuring
 * caused. */
VBT_INLINE int64_t vbt_line_live_elsewhere(const struct vbt_line_thread *lines) {
    return VBT_PEEK(int64_t, vbt_peak.total) - VBT_PEEK(int64_t, lines->ledger->published) -
           (int64_t)(lines->measuring->allocated - lines->measuring->freed);
}

/* While the top frame executes a line: the live bytes of the thread above which the ledger reports
 * the next free. */
VBT_INLINE int64_t vbt_line_crest_in(const struct vbt_ledger *ledger, const struct vbt_line_frame *top, const struct vbt_line *line,
                                     int64_t elsewhere) {
    int64_t lowest = (line->high < top->floor ? line->high : top->floor) - elsewhere;
    return lowest < ledger->crest_of_others ? lowest : ledger->crest_of_others;
}

/* What vbt_line_begin_fast has done. */
enum vbt_line_begun {
    VBT_LINE_BEGUN,   /* everything */
    VBT_LINE_CHANGED, /* nothing: the line that ends has changed the heap; see vbt_line_begin_changed */
    VBT_LINE_SLOW     /* nothing */
};

/* vbt_line_begin_slow for the usual case. *next, *count: for vbt_line_begin_changed. */
VBT_INLINE enum vbt_line_begun vbt_line_begin_fast(struct vbt_line_thread *lines, const void *frame, int32_t number,
                                                   struct vbt_line **next, uint64_t *count) {
    struct vbt_line_frame *top = lines->top;
    struct vbt_line *line = top->line;
    struct vbt_ledger *ledger = lines->ledger;
    if (VBT_UNLIKELY(lines->fast_frame != frame))
        return VBT_LINE_SLOW;
    uint32_t offset = (uint32_t)(number - top->block->first);
    if (VBT_UNLIKELY(offset >= top->block->count))
        return VBT_LINE_SLOW;
    struct vbt_line *begins = *next = &top->block->lines[offset];
    if (VBT_UNLIKELY(begins->site == 0) || VBT_UNLIKELY(begins->active > 0))
        return VBT_LINE_SLOW;
    *count = vbt_line_count(lines);
    if (top->count != *count)
        return VBT_LINE_CHANGED;
    int64_t elsewhere = vbt_line_live_elsewhere(lines);
    if (VBT_UNLIKELY(ledger->live + elsewhere > begins->high) || VBT_UNLIKELY(VBT_PEEK(int64_t, vbt_latest_rss) > line->rss))
        return VBT_LINE_SLOW;
    int64_t time = vbt_line_time_tsc(lines); /* on some processors it waits for what was stored before */
    int64_t events = lines->events + 1;
    line->own.time += time - top->mark.time;
    line->own.events++;
    line->quiet = true;
    lines->events = events;
    top->mark.time = time;
    top->mark.events = events;
    top->line = begins;
    begins->hits++;
    ledger->crest = vbt_line_crest_in(ledger, top, begins, elsewhere);
    return VBT_LINE_BEGUN;
}

/* A line begins in the frame, which is the innermost that was entered. */
VBT_INLINE void vbt_line_begin(struct vbt_line_thread *lines, const void *frame, int32_t number) {
    struct vbt_line *next;
    uint64_t count;
    enum vbt_line_begun begun = vbt_line_begin_fast(lines, frame, number, &next, &count);
    if (VBT_UNLIKELY(begun == VBT_LINE_CHANGED))
        vbt_line_begin_changed(lines, frame, number, next, count);
    else if (VBT_UNLIKELY(begun == VBT_LINE_SLOW))
        vbt_line_begin_slow(lines, frame, number);
}

#endif
