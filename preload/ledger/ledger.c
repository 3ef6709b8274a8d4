/* See ledger.h. */
#include "ledger.h"

#include "../thread.h"
#include "../where/python_code.h"
#include "../where/tree.h"
#include "interval.h"

struct vbt_peak vbt_peak;
_Atomic uint64_t vbt_clock __attribute__((aligned(64))) = 1;

/* A new highest total: nodes that change from now on keep what they had. */
static void new_peak(int64_t bytes) {
    int64_t highest = atomic_load_explicit(&vbt_peak.bytes, memory_order_relaxed);
    do {
        if (bytes <= highest)
            return;
    } while (!atomic_compare_exchange_weak(&vbt_peak.bytes, &highest, bytes));
    atomic_store(&vbt_peak.clock, atomic_fetch_add(&vbt_clock, 1) + 1);
}

/* Brings what a ledger's thread holds into the total. Its own thread does it, and the second thread of a process does
 * it for the first. */
static void publish(struct vbt_ledger *ledger) {
    int64_t live = __atomic_load_n(&ledger->live, __ATOMIC_RELAXED);
    int64_t change = live - atomic_exchange(&ledger->published, live);
    new_peak(atomic_fetch_add(&vbt_peak.total, change) + change);
}

void vbt_ledger_publish(struct vbt_ledger *ledger) {
    atomic_store_explicit(&ledger->alloc_limit, ledger->live + VBT_PEAK_BATCH, memory_order_relaxed);
    atomic_store_explicit(&ledger->free_limit, ledger->live - VBT_PEAK_BATCH, memory_order_relaxed);
    publish(ledger);
}

/* Makes a thread take the slow path at its next event. A thread that is just setting its limits itself is publishing
 * already. */
static void force_publish(struct vbt_ledger *ledger) {
    atomic_store(&ledger->alloc_limit, INT64_MIN);
    atomic_store(&ledger->free_limit, INT64_MAX);
}

void vbt_ledger_begin(struct vbt_ledger *ledger) {
    uint32_t before = atomic_fetch_add(&vbt_peak.threads, 1);
    atomic_store(&ledger->alloc_limit, INT64_MAX);
    atomic_store(&ledger->free_limit, INT64_MIN);
    if (before == 0)
        return;
    force_publish(ledger);
    if (before == 1)
        for (struct vbt_thread *other = atomic_load(&vbt_threads); other != NULL; other = other->next)
            if (&other->ledger != ledger) {
                publish(&other->ledger); /* it may be long before its next event */
                force_publish(&other->ledger);
            }
}

/* About to free while live stands above the crest: the highest point since the crest was set. */
void vbt_ledger_crest(struct vbt_ledger *ledger) {
    int64_t next = vbt_intervals_crest(ledger);
    int64_t limit = atomic_load_explicit(&ledger->alloc_limit, memory_order_relaxed);
    if (atomic_load_explicit(&vbt_peak.threads, memory_order_relaxed) == 1) {
        new_peak(ledger->live);
        int64_t peak = atomic_load_explicit(&vbt_peak.bytes, memory_order_relaxed);
        if (peak < next)
            next = peak;
    } else if (limit == INT64_MIN || limit == INT64_MAX) {
        vbt_ledger_publish(ledger); /* a second thread has come, and this one has not published what it reached alone */
    }
    ledger->crest = next;
}

void vbt_ledger_touch(struct vbt_ledger *ledger, uint32_t node, struct vbt_counters *counters, int64_t change) {
    uint64_t now = atomic_load(&vbt_clock);
    uint64_t ours = vbt_node_at(node)->flags & VBT_SITE_OF_OURS ? VBT_CLOCK_OURS : 0;
    if ((counters->clock & ~VBT_CLOCK_OURS) < atomic_load(&vbt_peak.clock))
        counters->at_peak = (int64_t)(counters->allocated - counters->freed);
    counters->clock = now | ours;
    atomic_store_explicit(&vbt_counters_page(ledger, node / VBT_PAGE_NODES)->clock, now, memory_order_relaxed);
    if (ours) {
        ledger->ours += change;
        ledger->crest = INT64_MIN; /* it was computed with the old share of ours */
    }
    if (counters->interval != ledger->interval) {
        vbt_intervals_confirm(ledger);
        counters->interval = ledger->interval;
        vbt_intervals_note(ledger, node, counters);
    }
}

static void count_size(struct vbt_sizes *sizes, uint64_t size, uint64_t times) {
    if (times == 0)
        return;
    if (size < sizes->min)
        sizes->min = size;
    if (size > sizes->max)
        sizes->max = size;
    sizes->allocs[vbt_size_bucket(size)] += times;
}

/* The candidate is seen more often than the usual size: they change places. */
static void change_usual_size(struct vbt_sizes *sizes, struct vbt_counters *counters) {
    uint64_t of_usual_size = counters->allocs - sizes->counted;
    uint64_t repeats = sizes->repeats;
    uint32_t usual = counters->usual_size;
    counters->usual_size = (uint32_t)sizes->candidate;
    sizes->counted += of_usual_size - repeats;
    sizes->candidate = usual;
    sizes->repeats = of_usual_size;
    sizes->since = counters->allocs;
}

static struct vbt_sizes *new_sizes(struct vbt_ledger *ledger, struct vbt_sizes **at) {
    struct vbt_sizes *sizes = vbt_arena_alloc(&ledger->arena, sizeof *sizes);
    if (sizes == NULL) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return NULL;
    }
    sizes->min = UINT64_MAX;
    sizes->candidate = UINT64_MAX;
    atomic_thread_fence(memory_order_release); /* the stream's thread follows this pointer */
    *at = sizes;
    return sizes;
}

/* A size that is neither the usual one nor the candidate, or a candidate that was seen some more times. */
static __attribute__((noinline)) void other_size(struct vbt_ledger *ledger, struct vbt_sizes **at, struct vbt_counters *counters,
                                                 size_t size) {
    bool fits = size < UINT32_MAX; /* the usual size has 32 bits */
    if (counters->allocs == 0 && fits) {
        counters->usual_size = (uint32_t)size;
        return;
    }
    struct vbt_sizes *sizes = *at != NULL ? *at : new_sizes(ledger, at);
    if (sizes == NULL)
        return;
    if (size == sizes->candidate) {
        if (fits && sizes->repeats * 2 > counters->allocs - sizes->since)
            change_usual_size(sizes, counters);
        return;
    }
    sizes->counted++;
    count_size(sizes, sizes->candidate, sizes->repeats);
    sizes->candidate = size;
    sizes->repeats = 1;
    sizes->since = counters->allocs;
}

/* A request of another than the usual size, about to be counted. */
void vbt_ledger_size(struct vbt_ledger *ledger, uint32_t node, struct vbt_counters *counters, size_t size) {
    enum { LOOK_EVERY = 16 }; /* repeats of the candidate, whether it should be the usual size */
    struct vbt_sizes **at = &vbt_counters_page(ledger, node / VBT_PAGE_NODES)->sizes[node % VBT_PAGE_NODES];
    struct vbt_sizes *sizes = *at;
    if (VBT_LIKELY(sizes != NULL && size == sizes->candidate)) {
        sizes->counted++;
        if (VBT_LIKELY(++sizes->repeats % LOOK_EVERY != 0))
            return;
    }
    other_size(ledger, at, counters, size);
}

void vbt_ledger_put_huge(struct vbt_ledger *ledger, enum vbt_domain domain, uint32_t node, const void *block, size_t size) {
    vbt_cell *slot = vbt_shadow_cell(block, true);
    if (slot == NULL || (size >= VBT_CELL_SIZE_MAX && !vbt_shadow_put_huge(block, size))) {
        ledger->lost[VBT_LOST_ADDRESS]++;
        return;
    }
    size_t kept = size < VBT_CELL_SIZE_MAX ? size : VBT_CELL_SIZE_MAX;
    atomic_store_explicit(slot, vbt_cell_pack(node, kept, domain), memory_order_relaxed);
}

void vbt_ledger_unfree(struct vbt_ledger *ledger, const void *block, uint64_t cell, bool was_last) {
    if (cell == 0)
        return;
    uint32_t node = vbt_cell_node(cell);
    struct vbt_counters *counters = vbt_counters_of(ledger, node);
    struct vbt_totals *totals = &ledger->totals[vbt_cell_domain(cell)];
    size_t size = vbt_cell_size(cell);
    if (size == VBT_CELL_SIZE_MAX)
        vbt_shadow_put_huge(block, size = ledger->huge_size);
    counters->frees--;
    counters->freed -= size;
    totals->frees--;
    totals->freed -= size;
    ledger->live += (int64_t)size;
    if (counters->clock & VBT_CLOCK_OURS)
        ledger->ours += (int64_t)size;
    if (was_last) {
        ledger->last_block = block;
        counters->temporary--;
        totals->temporary--;
    }
    atomic_store_explicit(vbt_shadow_cell(block, false), cell, memory_order_relaxed);
    if (ledger->live > atomic_load_explicit(&ledger->alloc_limit, memory_order_relaxed))
        vbt_ledger_publish(ledger);
}

void vbt_ledger_watched_freed(const void *block) { vbt_python_block_freed((uintptr_t)block); }

int64_t vbt_ledger_at_peak(const struct vbt_counters *counters, uint64_t peak_clock, bool peak_is_now) {
    int64_t live = (int64_t)(counters->allocated - counters->freed);
    return peak_is_now || (counters->clock & ~VBT_CLOCK_OURS) < peak_clock ? live : counters->at_peak;
}
