/* What a thread has done so far, as line mode counts it: the ledger's totals without what measuring
 * makes the interpreter allocate; and what was added since. */
#ifndef VBT_LINE_TOTALS_H
#define VBT_LINE_TOTALS_H

#include "preload/ledger/counters.h"
#include "line_books.h"

/* The thread's sums, one by one, without time and events. */
enum vbt_line_total { VBT_LINE_ALLOCS, VBT_LINE_FREES, VBT_LINE_ALLOCATED, VBT_LINE_FREED, VBT_LINE_TEMPORARY, VBT_LINE_OBJECTS };

VBT_INLINE int64_t vbt_line_total(const struct vbt_line_thread *lines, enum vbt_line_total total) {
    const struct vbt_totals *heap = &lines->ledger->totals[VBT_DOMAIN_HEAP];
    const struct vbt_totals *python = &lines->ledger->totals[VBT_DOMAIN_PYTHON];
    const struct vbt_counters *ours = lines->measuring;
    switch (total) {
    case VBT_LINE_ALLOCS:
        return (int64_t)(heap->allocs + python->allocs - ours->allocs);
    case VBT_LINE_FREES:
        return (int64_t)(heap->frees + python->frees - ours->frees);
    case VBT_LINE_ALLOCATED:
        return (int64_t)(heap->allocated + python->allocated - ours->allocated);
    case VBT_LINE_FREED:
        return (int64_t)(heap->freed + python->freed - ours->freed);
    case VBT_LINE_TEMPORARY:
        return (int64_t)(heap->temporary + python->temporary - ours->temporary);
    default:
        return lines->objects;
    }
}

VBT_INLINE struct vbt_line_sums vbt_line_sums_at(const struct vbt_line_thread *lines, int64_t time) {
    return (struct vbt_line_sums){
        .time = time,
        .events = lines->events,
        .allocs = vbt_line_total(lines, VBT_LINE_ALLOCS),
        .frees = vbt_line_total(lines, VBT_LINE_FREES),
        .allocated = vbt_line_total(lines, VBT_LINE_ALLOCATED),
        .freed = vbt_line_total(lines, VBT_LINE_FREED),
        .temporary = vbt_line_total(lines, VBT_LINE_TEMPORARY),
        .objects = vbt_line_total(lines, VBT_LINE_OBJECTS),
    };
}

/* What was added since `then`, which becomes now. */
VBT_INLINE int64_t vbt_line_since(int64_t *then, int64_t now) {
    int64_t added = now - *then;
    *then = now;
    return added;
}

/* Adds what was done since `then`, until this time; `then` becomes now. Returns how much the heap
 * changed. */
VBT_INLINE int64_t vbt_line_add_since(const struct vbt_line_thread *lines, struct vbt_line_sums *to, struct vbt_line_sums *then,
                                      int64_t time) {
    to->time += vbt_line_since(&then->time, time);
    to->events += vbt_line_since(&then->events, lines->events);
    to->allocs += vbt_line_since(&then->allocs, vbt_line_total(lines, VBT_LINE_ALLOCS));
    to->frees += vbt_line_since(&then->frees, vbt_line_total(lines, VBT_LINE_FREES));
    int64_t allocated = vbt_line_since(&then->allocated, vbt_line_total(lines, VBT_LINE_ALLOCATED));
    int64_t freed = vbt_line_since(&then->freed, vbt_line_total(lines, VBT_LINE_FREED));
    to->allocated += allocated;
    to->freed += freed;
    to->temporary += vbt_line_since(&then->temporary, vbt_line_total(lines, VBT_LINE_TEMPORARY));
    if (vbt_line_objects != VBT_OBJECTS_NONE)
        to->objects += vbt_line_since(&then->objects, vbt_line_total(lines, VBT_LINE_OBJECTS));
    return allocated - freed;
}

#endif
