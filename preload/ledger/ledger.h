/* The ledger: what every allocation and every free does to the books.
 *
 * vbt_ledger_alloc and vbt_ledger_free are the hot path. They touch the thread's totals, one line of counters and one
 * cell of the shadow; all that happens rarely (a new size, a new peak, the first change of a node since the last
 * tick) is a call.
 *
 * The peak. One clock counts peaks and ticks. When a node changes and its clock is older than the last peak's, its
 * live bytes before the change are what it had at that peak. A thread that is alone knows the process's live bytes
 * exactly, and a peak only matters once something is freed: the crest is checked on free. With several threads each
 * publishes its share in batches of VBT_PEAK_BATCH bytes, so that no cache line is shared on the hot path; the peak
 * that is found then differs from the true one by at most threads * VBT_PEAK_BATCH, and by the events that were under
 * way at that moment. */
#ifndef VBT_LEDGER_H
#define VBT_LEDGER_H

#include "counters.h"
#include "shadow.h"

enum { VBT_PEAK_BATCH = 4096 };

struct vbt_peak {
    _Atomic int64_t bytes;    /* the highest total so far */
    _Atomic uint64_t clock;   /* vbt_clock when it was passed */
    _Atomic int64_t total;    /* published live bytes of all threads */
    _Atomic uint32_t threads; /* that have a ledger; above 1: publish in batches */
};

extern struct vbt_peak vbt_peak;

/* Counts peaks and ticks; on a line of its own, since every event reads it. */
extern _Atomic uint64_t vbt_clock __attribute__((aligned(64)));

/* Opens the books of a thread that has none yet. From the second thread on, all publish. */
void vbt_ledger_begin(struct vbt_ledger *ledger);

/* Called by the hot path; see ledger.c. */
void vbt_ledger_touch(struct vbt_ledger *ledger, uint32_t node, struct vbt_counters *counters, int64_t change);
void vbt_ledger_size(struct vbt_ledger *ledger, uint32_t node, struct vbt_counters *counters, size_t size);
void vbt_ledger_publish(struct vbt_ledger *ledger);
void vbt_ledger_crest(struct vbt_ledger *ledger);
void vbt_ledger_put_huge(struct vbt_ledger *ledger, enum vbt_domain domain, uint32_t node, const void *block, size_t size);
void vbt_ledger_watched_freed(const void *block);

/* What was live at the peak, of what these counters count. peak_is_now: a thread that is alone stands higher than
 * ever. */
int64_t vbt_ledger_at_peak(const struct vbt_counters *counters, uint64_t peak_clock, bool peak_is_now);

VBT_INLINE bool vbt_ledger_stale(const struct vbt_ledger *ledger, const struct vbt_counters *counters) {
    return (counters->clock ^ atomic_load_explicit(&vbt_clock, memory_order_relaxed)) | (counters->interval ^ ledger->interval);
}

/* Books a block of `size` requested bytes that was allocated at a place whose counters are looked up. */
VBT_INLINE void vbt_ledger_alloc(struct vbt_ledger *ledger, enum vbt_domain domain, struct vbt_place place, const void *block,
                                 size_t size) {
    struct vbt_counters *counters = place.counters;
    if (VBT_UNLIKELY(vbt_ledger_stale(ledger, counters)))
        vbt_ledger_touch(ledger, place.node, counters, (int64_t)size);
    if (VBT_UNLIKELY(size != counters->usual_size))
        vbt_ledger_size(ledger, place.node, counters, size);
    counters->allocs++;
    counters->allocated += size;
    struct vbt_totals *totals = &ledger->totals[domain];
    totals->allocs++;
    totals->allocated += size;
    ledger->live += (int64_t)size;
    ledger->last_block = block;
    if (VBT_UNLIKELY(ledger->live > atomic_load_explicit(&ledger->alloc_limit, memory_order_relaxed)))
        vbt_ledger_publish(ledger);
    vbt_cell *slot = vbt_shadow_cell(block, true);
    if (VBT_LIKELY(slot != NULL && size < VBT_CELL_SIZE_MAX))
        atomic_store_explicit(slot, vbt_cell_pack(place.node, size, domain), memory_order_relaxed);
    else
        vbt_ledger_put_huge(ledger, domain, place.node, block, size);
}

/* Books the end of a block, before it really ends. Returns its cell for vbt_ledger_unfree, 0 for a block that is not
 * known. */
VBT_INLINE uint64_t vbt_ledger_free(struct vbt_ledger *ledger, enum vbt_domain domain, const void *block) {
    vbt_cell *slot = vbt_shadow_cell(block, false);
    uint64_t cell = VBT_LIKELY(slot != NULL) ? atomic_load_explicit(slot, memory_order_relaxed) : 0;
    if (VBT_UNLIKELY(cell == 0)) {
        ledger->unknown_frees[domain]++;
        return 0;
    }
    atomic_store_explicit(slot, 0, memory_order_relaxed);
    if (VBT_UNLIKELY((cell & VBT_CELL_WATCHED) != 0))
        vbt_ledger_watched_freed(block);
    uint32_t node = vbt_cell_node(cell);
    size_t size = vbt_cell_size(cell);
    if (VBT_UNLIKELY(size == VBT_CELL_SIZE_MAX))
        size = ledger->huge_size = vbt_shadow_take_huge(block);
    struct vbt_counters *counters = vbt_counters_of(ledger, node);
    if (VBT_UNLIKELY(counters == NULL)) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return 0;
    }
    if (VBT_UNLIKELY(ledger->live > ledger->crest))
        vbt_ledger_crest(ledger);
    if (VBT_UNLIKELY(vbt_ledger_stale(ledger, counters)))
        vbt_ledger_touch(ledger, node, counters, -(int64_t)size);
    counters->frees++;
    counters->freed += size;
    struct vbt_totals *totals = &ledger->totals[vbt_cell_domain(cell)];
    totals->frees++;
    totals->freed += size;
    ledger->live -= (int64_t)size;
    if (block == ledger->last_block) {
        ledger->last_block = NULL;
        counters->temporary++;
        totals->temporary++;
    }
    if (VBT_UNLIKELY(ledger->live < atomic_load_explicit(&ledger->free_limit, memory_order_relaxed)))
        vbt_ledger_publish(ledger);
    return cell;
}

/* Takes back a vbt_ledger_free that gave `cell`: the block did not end after all (a realloc that failed). was_last:
 * it was the thread's latest allocation. Nothing else happened on the thread in between. */
void vbt_ledger_unfree(struct vbt_ledger *ledger, const void *block, uint64_t cell, bool was_last);

#endif
