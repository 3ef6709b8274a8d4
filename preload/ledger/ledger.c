/* See ledger.h. */
#include "ledger.h"

#include "interval.h"
#include "watcher.h"
#include "preload/tree/tree.h"

struct vbt_peak vbt_peak;
_Atomic(struct vbt_ledger *) vbt_ledgers;
_Atomic uint64_t vbt_epoch __attribute__((aligned(64))) = 1;
_Atomic int64_t vbt_latest_rss = VBT_RSS_OLD;

/* A new highest total: nodes that change from now on keep the value they had. */
static void new_peak(int64_t bytes) {
    int64_t highest = atomic_load_explicit(&vbt_peak.bytes, memory_order_relaxed);
    do {
        if (bytes <= highest)
            return;
    } while (!atomic_compare_exchange_weak(&vbt_peak.bytes, &highest, bytes));
    atomic_store(&vbt_peak.epoch, atomic_fetch_add(&vbt_epoch, 1) + 1);
}

/* Adds a ledger's changes to the total. Its own thread does this, and the second thread of a
 * process does it for the first. */
static void publish(struct vbt_ledger *ledger) {
    int64_t live = __atomic_load_n(&ledger->live, __ATOMIC_RELAXED);
    int64_t change = live - atomic_exchange(&ledger->published, live);
    new_peak(atomic_fetch_add(&vbt_peak.total, change) + change);
}

static void publish_and_go_on(struct vbt_ledger *ledger) {
    if (!ledger->watched) {
        atomic_store_explicit(&ledger->alloc_limit, ledger->live + VBT_PEAK_BATCH, memory_order_relaxed);
        atomic_store_explicit(&ledger->free_limit, ledger->live - VBT_PEAK_BATCH, memory_order_relaxed);
    }
    publish(ledger);
}

/* Does a limit that was passed ask for publishing? */
static bool is_to_publish(const struct vbt_ledger *ledger) {
    return !ledger->watched || atomic_load_explicit(&vbt_peak.threads, memory_order_relaxed) > 1;
}

/* Makes a thread take the slow path at its next event. A thread that is just setting its limits
 * itself is already publishing. */
static void force_publish(struct vbt_ledger *ledger) {
    atomic_store(&ledger->alloc_limit, INT64_MIN);
    atomic_store(&ledger->free_limit, INT64_MAX);
}

void vbt_ledger_watch(struct vbt_ledger *ledger) {
    ledger->watched = true;
    force_publish(ledger);
}

void vbt_ledger_add(struct vbt_ledger *ledger) {
    ledger->next = atomic_load(&vbt_ledgers);
    while (!atomic_compare_exchange_weak(&vbt_ledgers, &ledger->next, ledger))
        ;
}

void vbt_ledger_begin(struct vbt_ledger *ledger) {
    uint32_t before = atomic_fetch_add(&vbt_peak.threads, 1);
    atomic_store(&ledger->alloc_limit, INT64_MAX);
    atomic_store(&ledger->free_limit, INT64_MIN);
    if (before == 0)
        return;
    force_publish(ledger);
    if (before == 1)
        for (struct vbt_ledger *other = atomic_load(&vbt_ledgers); other != NULL; other = other->next)
            if (other != ledger) {
                publish(other); /* its next event may be far off */
                force_publish(other);
            }
}

/* About to free while live is above the crest, the highest point since the crest was set. */
static void crest(struct vbt_ledger *ledger) {
    int64_t next = vbt_intervals_crest(ledger);
    int64_t limit = atomic_load_explicit(&ledger->alloc_limit, memory_order_relaxed);
    if (atomic_load_explicit(&vbt_peak.threads, memory_order_relaxed) == 1) {
        new_peak(ledger->live);
        int64_t peak = atomic_load_explicit(&vbt_peak.bytes, memory_order_relaxed);
        if (peak < next)
            next = peak;
    } else if (limit == INT64_MIN || limit == INT64_MAX) {
        publish_and_go_on(ledger); /* there is a second thread now, and this one has not published what it reached alone */
    }
    ledger->crest_of_others = next;
    ledger->crest = ledger->watcher != NULL ? ledger->watcher->crest(ledger->watcher) : next;
}

/* The first change of an account since the last peak. A fork begins with a peak. */
static __attribute__((noinline)) void keep_at_peak(struct vbt_ledger *ledger, uint32_t account, struct vbt_counters *counters) {
    if (vbt_counters_are_of_parent(counters) && !vbt_counters_inherit(ledger, account))
        ledger->lost[VBT_LOST_MEMORY]++;
    struct vbt_counters_page *page = vbt_counters_page(ledger, account / VBT_PAGE_ACCOUNTS);
    page->at_peak[account % VBT_PAGE_ACCOUNTS] = (int64_t)(counters->allocated - counters->freed);
}

/* The first change of an account since the last peak or tick. */
static void set_epoch(struct vbt_ledger *ledger, uint32_t account, struct vbt_counters *counters, uint64_t own) {
    uint64_t now = atomic_load(&vbt_epoch);
    uint64_t before = counters->epoch;
    if (before != 0 && (before & ~VBT_EPOCH_OWN) < atomic_load(&vbt_peak.epoch)) /* the first time, there was nothing */
        keep_at_peak(ledger, account, counters);
    counters->epoch = now | own;
    atomic_store_explicit(vbt_page_epoch(ledger, account / VBT_PAGE_ACCOUNTS), now, memory_order_relaxed);
    atomic_store_explicit(&ledger->epoch, now, memory_order_relaxed);
}

/* The first change of an account since the last peak, tick or boundary of an interval. */
static void touch(struct vbt_ledger *ledger, struct vbt_place place, int64_t change) {
    struct vbt_counters *counters = place.counters;
    uint64_t own = vbt_node_at(place.node)->flags & VBT_SITE_OWN ? VBT_EPOCH_OWN : 0;
    set_epoch(ledger, place.account, counters, own);
    if (own) {
        ledger->own += change;
        vbt_ledger_forget_crest(ledger); /* it was computed with vbtrace's own share as it was before */
    }
    if (counters->interval != ledger->interval) {
        vbt_intervals_confirm(ledger);
        counters->interval = ledger->interval;
        vbt_intervals_note(ledger, place.account, counters);
    }
}

/* A block that vbt_shadow_usual_place has no cell for. */
static void put_unusual(struct vbt_ledger *ledger, enum vbt_domain domain, uint32_t account, const void *block, size_t size) {
    vbt_cell *slot = vbt_shadow_place(block, size);
    uint64_t cell = vbt_cell_pack(block, account, size % VBT_CELL_SIZES, domain) | (size < VBT_CELL_SIZES ? 0 : VBT_CELL_HUGE);
    if (slot == NULL) {
        ledger->lost[VBT_LOST_ADDRESS]++;
        return;
    }
    if (cell & VBT_CELL_HUGE)
        vbt_shadow_put_huge(block, size);
    atomic_store_explicit(slot, cell, memory_order_relaxed);
}

void vbt_ledger_alloc(struct vbt_ledger *ledger, enum vbt_domain domain, struct vbt_place place, const void *block, size_t size) {
    struct vbt_counters *counters = place.counters;
    if (VBT_UNLIKELY(counters == NULL)) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return;
    }
    if (vbt_ledger_stale(counters))
        touch(ledger, place, (int64_t)size);
    counters->allocs++;
    counters->allocated += size;
    if (size != counters->usual_size)
        vbt_sizes_count(ledger, counters, size);
    ledger->totals[domain].allocs++;
    ledger->totals[domain].allocated += size;
    ledger->live += (int64_t)size;
    ledger->last_block = block;
    if (VBT_UNLIKELY(ledger->watched))
        ledger->watcher->alloc(ledger->watcher, block, size);
    if (ledger->live > atomic_load_explicit(&ledger->alloc_limit, memory_order_relaxed) && is_to_publish(ledger))
        publish_and_go_on(ledger);
    vbt_cell *slot = vbt_shadow_usual_place(block, size, domain);
    if (VBT_LIKELY(slot != NULL))
        atomic_store_explicit(slot, vbt_cell_pack(block, place.account, size, domain), memory_order_relaxed);
    else
        put_unusual(ledger, domain, place.account, block, size);
}

static struct vbt_place place_of_cell(struct vbt_ledger *ledger, uint64_t cell) {
    uint32_t account = vbt_cell_account(cell);
    return (struct vbt_place){vbt_account_node(account), account, vbt_counters_at(ledger, account)};
}

uint64_t vbt_ledger_free(struct vbt_ledger *ledger, enum vbt_domain domain, const void *block) {
    vbt_cell *slot = vbt_shadow_find(block);
    if (slot == NULL) {
        ledger->unknown_frees[domain]++;
        return 0;
    }
    uint64_t cell = atomic_load_explicit(slot, memory_order_relaxed);
    atomic_store_explicit(slot, 0, memory_order_relaxed);
    if (VBT_UNLIKELY((cell & VBT_CELL_WATCHED) != 0))
        vbt_watched_block_freed((uintptr_t)block);
    if (VBT_UNLIKELY((cell & VBT_CELL_DOMAIN) == 0))
        return vbt_ledger_free(ledger, domain, block); /* the mark may be older than a block there that is known */
    struct vbt_place place = place_of_cell(ledger, cell);
    size_t size = vbt_cell_size(cell);
    if (VBT_UNLIKELY((cell & VBT_CELL_HUGE) != 0))
        size = ledger->huge_size = vbt_shadow_take_huge(block);
    struct vbt_counters *counters = place.counters;
    if (VBT_UNLIKELY(counters == NULL)) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return 0;
    }
    if (ledger->live > ledger->crest)
        crest(ledger);
    if (vbt_ledger_stale(counters))
        touch(ledger, place, -(int64_t)size);
    counters->frees++;
    counters->freed += size;
    struct vbt_totals *totals = &ledger->totals[vbt_cell_domain(cell)];
    totals->frees++;
    totals->freed += size;
    ledger->live -= (int64_t)size;
    if (VBT_UNLIKELY(ledger->watched))
        ledger->watcher->free(ledger->watcher, place.node, size, block == ledger->last_block, 1);
    if (block == ledger->last_block) {
        ledger->last_block = NULL;
        counters->temporary++;
        totals->temporary++;
    }
    if (ledger->live < atomic_load_explicit(&ledger->free_limit, memory_order_relaxed) && is_to_publish(ledger))
        publish_and_go_on(ledger);
    return cell;
}

void vbt_ledger_unfree(struct vbt_ledger *ledger, const void *block, uint64_t cell, bool was_last) {
    if (cell == 0)
        return;
    struct vbt_place place = place_of_cell(ledger, cell);
    struct vbt_counters *counters = place.counters;
    struct vbt_totals *totals = &ledger->totals[vbt_cell_domain(cell)];
    size_t size = vbt_cell_size(cell);
    if (cell & VBT_CELL_HUGE)
        vbt_shadow_put_huge(block, size = ledger->huge_size);
    counters->frees--;
    counters->freed -= size;
    totals->frees--;
    totals->freed -= size;
    ledger->live += (int64_t)size;
    if (VBT_UNLIKELY(ledger->watched))
        ledger->watcher->free(ledger->watcher, place.node, size, was_last, -1);
    if (counters->epoch & VBT_EPOCH_OWN)
        ledger->own += (int64_t)size;
    if (was_last) {
        ledger->last_block = block;
        counters->temporary--;
        totals->temporary--;
    }
    atomic_store_explicit(vbt_shadow_place(block, size), cell, memory_order_relaxed);
    if (ledger->live > atomic_load_explicit(&ledger->alloc_limit, memory_order_relaxed) && is_to_publish(ledger))
        publish_and_go_on(ledger);
}

bool vbt_ledger_move(struct vbt_ledger *ledger, const void *block, uint32_t node) {
    vbt_cell *slot = vbt_shadow_find(block);
    uint64_t cell = slot != NULL ? atomic_load_explicit(slot, memory_order_relaxed) : 0;
    if (cell == 0 || (cell & VBT_CELL_HUGE) != 0)
        return false;
    struct vbt_place place = vbt_place_of(ledger, node);
    struct vbt_counters *to = place.counters;
    struct vbt_counters *from = to != NULL ? place_of_cell(ledger, cell).counters : NULL;
    size_t size = vbt_cell_size(cell);
    if (from == NULL || from->allocs == 0 || vbt_counters_are_of_parent(from))
        return false;
    from->allocs--;
    from->allocated -= size;
    vbt_sizes_uncount(from, size);
    if (vbt_ledger_stale(to))
        touch(ledger, place, (int64_t)size);
    to->allocs++;
    to->allocated += size;
    if (size != to->usual_size)
        vbt_sizes_count(ledger, to, size);
    atomic_store_explicit(slot, vbt_cell_of_account(cell, place.account), memory_order_relaxed);
    return true;
}

uint32_t vbt_ledger_node_of(const void *block) {
    const vbt_cell *slot = vbt_shadow_find(block);
    uint64_t cell = slot != NULL ? VBT_PEEK(uint64_t, *slot) : 0;
    return (cell & VBT_CELL_DOMAIN) != 0 ? vbt_account_node(vbt_cell_account(cell)) : 0;
}

void vbt_ledger_map(struct vbt_ledger *ledger, struct vbt_place place, uint64_t bytes) {
    set_epoch(ledger, place.account, place.counters, 0);
    place.counters->allocs++;
    place.counters->allocated += bytes;
    ledger->mapped.allocs++;
    ledger->mapped.allocated += bytes;
    if (bytes != place.counters->usual_size)
        vbt_sizes_count(ledger, place.counters, bytes);
    atomic_store_explicit(&vbt_latest_rss, VBT_RSS_OLD, memory_order_relaxed);
}

void vbt_ledger_unmap(struct vbt_ledger *ledger, uint32_t node, uint64_t bytes, bool ends, bool temporary) {
    struct vbt_place place = vbt_place_of(ledger, node);
    struct vbt_counters *counters = place.counters;
    if (counters == NULL) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return;
    }
    set_epoch(ledger, place.account, counters, 0);
    counters->freed += bytes;
    counters->frees += ends;
    counters->temporary += temporary;
    ledger->mapped.freed += bytes;
    ledger->mapped.frees += ends;
    ledger->mapped.temporary += temporary;
    atomic_store_explicit(&vbt_latest_rss, VBT_RSS_OLD, memory_order_relaxed);
}

int64_t vbt_ledger_at_peak(const struct vbt_ledger *ledger, uint32_t account, uint64_t peak_epoch, bool peak_is_now) {
    const struct vbt_counters_page *page = vbt_counters_page(ledger, account / VBT_PAGE_ACCOUNTS);
    const struct vbt_counters *counters = &page->counters[account % VBT_PAGE_ACCOUNTS];
    int64_t live = (int64_t)(counters->allocated - counters->freed);
    return peak_is_now || (counters->epoch & ~VBT_EPOCH_OWN) < peak_epoch ? live : page->at_peak[account % VBT_PAGE_ACCOUNTS];
}
