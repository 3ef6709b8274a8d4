/* The ledger: what every allocation and every free does to the books.
 *
 * vbt_ledger_alloc_usual and vbt_ledger_free_usual are the hot path. They touch the thread's
 * totals, one line of counters and one cell of the shadow. They check everything first: where
 * something rare has to be done (a new size, a new peak, the first change of a node since the last
 * tick), they have changed nothing and return false, and vbt_ledger_alloc and vbt_ledger_free do
 * the whole. So the usual path is short, and needs no register saved.
 *
 * The peak. One counter, the epoch, counts peaks, ticks and boundaries of intervals. When a node
 * changes and its epoch is older than the last peak's, its live bytes before the change are those
 * it had at that peak. A thread that is alone knows the process's live bytes exactly, and a peak
 * only matters once something is freed: the crest is checked on free. With several threads, each
 * publishes its changes in batches of VBT_PEAK_BATCH bytes, so that no cache line is shared on the
 * hot path; the peak found then differs from the true one by at most threads * VBT_PEAK_BATCH, and
 * by the events in progress at that moment. */
#ifndef VBT_LEDGER_H
#define VBT_LEDGER_H

#include "counters.h"
#include "shadow.h"
#include "sizes.h"
#include "slips.h"

enum { VBT_PEAK_BATCH = 4096 };

struct vbt_peak {
    _Atomic int64_t bytes;    /* the highest total so far */
    _Atomic uint64_t epoch;   /* vbt_epoch when it was passed */
    _Atomic int64_t total;    /* published live bytes of all threads */
    _Atomic int64_t own;      /* live bytes that are vbtrace's own, in all threads */
    _Atomic int64_t program;  /* the highest total without them */
    _Atomic int64_t lately;   /* the same since vbtrace_peak_restart */
    _Atomic uint32_t threads; /* that have a ledger; above 1: publish in batches */
};

extern struct vbt_peak vbt_peak VBT_HIDDEN;

/* Counts peaks, ticks and boundaries of intervals; on a cache line of its own, since every event
 * reads it. */
extern _Atomic uint64_t vbt_epoch __attribute__((aligned(64))) VBT_HIDDEN;

/* The resident set as line mode read it last, bytes; VBT_RSS_OLD, more than any, where it has to be
 * read again: after each tick, and after anything was mapped. It is read at the end of a line,
 * since at any other moment it would show the program in the middle of one. */
extern _Atomic int64_t vbt_latest_rss VBT_HIDDEN;

#define VBT_RSS_OLD INT64_MAX

/* All ledgers ever added, newest first. */
extern _Atomic(struct vbt_ledger *) vbt_ledgers;

/* Adds a new ledger to them, once. */
void vbt_ledger_add(struct vbt_ledger *ledger);

/* Opens the books of a thread that has none yet. From the second thread on, all threads publish. */
void vbt_ledger_begin(struct vbt_ledger *ledger);

/* Books a block of `size` requested bytes at a place; if its counters are NULL, since there was no
 * memory, it is counted as lost. */
void vbt_ledger_alloc(struct vbt_ledger *ledger, enum vbt_domain domain, struct vbt_place place, const void *block, size_t size);

/* Books the end of a block, before it really ends. Returns its cell for vbt_ledger_unfree, 0 for a
 * block that is not known. */
uint64_t vbt_ledger_free(struct vbt_ledger *ledger, enum vbt_domain domain, const void *block);

/* Takes back a vbt_ledger_free that returned `cell`: the block did not end after all (a realloc
 * that failed). was_last: it was the thread's latest allocation. Nothing else happened on the
 * thread in between. */
void vbt_ledger_unfree(struct vbt_ledger *ledger, const void *block, uint64_t cell, bool was_last);

/* Charges a live block that was just allocated on this thread to another node of the same domain.
 * False if it is not known. */
bool vbt_ledger_move(struct vbt_ledger *ledger, const void *block, uint32_t node);

/* The node that a live block is charged to; 0 if it is not known. */
uint32_t vbt_ledger_node_of(const void *block);

/* From now on the ledger's watcher is called at each event. */
void vbt_ledger_watch(struct vbt_ledger *ledger);

/* Mapped memory, for maps.h: it is not part of the heap's peak, nor of intervals. The first books a
 * mapping, the second the end of a part of one. ends: with it the whole mapping has ended. */
void vbt_ledger_map(struct vbt_ledger *ledger, struct vbt_place place, uint64_t bytes);
void vbt_ledger_unmap(struct vbt_ledger *ledger, uint32_t node, uint64_t bytes, bool ends, bool temporary);

/* The live bytes at the peak of what was counted at a node. peak_is_now: a single thread, which is
 * at its peak. */
int64_t vbt_ledger_at_peak(const struct vbt_counted *counted, uint64_t peak_epoch, bool peak_is_now);

/* Is this an account's first change since the last peak, tick or boundary of an interval? Each of
 * these increments vbt_epoch. */
VBT_INLINE bool vbt_ledger_stale(const struct vbt_counters *counters) {
    return VBT_UNLIKELY(counters->epoch != VBT_PEEK(uint64_t, vbt_epoch));
}

/* Where a request of another than the usual size is counted; NULL if there is more to do. */
VBT_INLINE uint64_t *vbt_ledger_known_size(const struct vbt_counters *counters, size_t size) {
    const struct vbt_sizes *sizes = vbt_sizes_of(counters);
    if (VBT_UNLIKELY(sizes == NULL) || VBT_UNLIKELY(size - sizes->min >= sizes->span))
        return NULL;
    if (size >= VBT_CELL_SIZES)
        __builtin_unreachable(); /* the span ends before that */
    uint64_t *allocs = &sizes->allocs[vbt_size_bucket(size)];
    return VBT_LIKELY(*allocs % VBT_SIZES_LOOK != 0) ? allocs : NULL;
}

/* vbt_ledger_alloc, if nothing else has to be done; otherwise does nothing and returns false.
 * place.counters is not NULL. */
VBT_INLINE bool vbt_ledger_alloc_usual(struct vbt_ledger *ledger, enum vbt_domain domain, struct vbt_place place, const void *block,
                                       size_t size) {
    struct vbt_counters *counters = place.counters;
    bool is_usual = size == counters->usual_size;
    uint64_t *of_size = NULL;
    if (VBT_UNLIKELY(vbt_ledger_stale(counters)) ||
        (!is_usual && VBT_UNLIKELY((of_size = vbt_ledger_known_size(counters, size)) == NULL)))
        return false;
    vbt_cell *slot = vbt_shadow_usual_place(block, size, domain);
    if (VBT_UNLIKELY(slot == NULL))
        return false;
    int64_t live = ledger->live + (int64_t)size;
    if (VBT_UNLIKELY(live > VBT_PEEK(int64_t, ledger->alloc_limit)))
        return false;
    counters->allocs++;
    counters->allocated += size;
    if (!is_usual)
        ++*of_size;
    ledger->totals[domain].allocs++;
    ledger->totals[domain].allocated += size;
    ledger->live = live;
    ledger->last_block = block;
    atomic_store_explicit(slot, vbt_cell_pack_usual(block, place.account, size, domain), memory_order_relaxed);
    return true;
}

/* vbt_ledger_free of a block from this domain, if nothing else has to be done; otherwise does
 * nothing and returns false. *cell: what vbt_ledger_free returns. */
VBT_INLINE bool vbt_ledger_free_usual(struct vbt_ledger *ledger, enum vbt_domain domain, const void *block, uint64_t *cell) {
    vbt_cell *slot = vbt_shadow_usual_find(block, domain);
    if (VBT_UNLIKELY(slot == NULL))
        return false;
    *cell = VBT_PEEK(uint64_t, *slot);
    struct vbt_counters_page *page = vbt_counters_page(ledger, vbt_cell_account(*cell) / VBT_PAGE_ACCOUNTS);
    if (VBT_UNLIKELY(page == NULL))
        return false;
    struct vbt_counters *counters = &page->counters[vbt_cell_account(*cell) % VBT_PAGE_ACCOUNTS];
    size_t size = vbt_cell_size(*cell);
    if (VBT_UNLIKELY(vbt_ledger_stale(counters)))
        return false;
    int64_t live = ledger->live;
    if (VBT_UNLIKELY(live > ledger->crest) || VBT_UNLIKELY((live -= (int64_t)size) < VBT_PEEK(int64_t, ledger->free_limit)))
        return false;
    atomic_store_explicit(slot, 0, memory_order_relaxed);
    counters->frees++;
    counters->freed += size;
    ledger->totals[domain].frees++;
    ledger->totals[domain].freed += size;
    ledger->live = live;
    if (block == ledger->last_block) {
        ledger->last_block = NULL;
        counters->temporary++;
        ledger->totals[domain].temporary++;
    }
    return true;
}

#endif
