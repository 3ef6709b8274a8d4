/* See maps.h. */
#include "maps.h"

#include "ledger.h"
#include "ranges.h"
#include "preload/base/lock.h"

#include <errno.h>
#include <signal.h>
#include <sys/auxv.h>

struct mapping {
    uintptr_t start; /* as it was mapped */
    uint64_t bytes;  /* what is left of it */
    uint32_t node;   /* of a mapping that has ended: the next such */
    enum vbt_map_kind kind;
};

static struct {
    struct vbt_ranges ranges; /* owner: index of the mapping */
    struct vbt_vector mappings;
    uint32_t spare; /* mappings that have ended, by `node` */
} maps;

static VBT_CHANGED_BY_FORK struct vbt_lock maps_lock;

static VBT_CHANGED_BY_FORK struct {
    struct vbt_maps_sum sum;
    int64_t live;
} now;

enum { KERNEL_SIGSET_SIZE = 8 };

/* Returns the signals that were blocked before. */
static uint64_t open_books(void) {
    uint64_t all = ~UINT64_C(0), before = 0;
    vbt_sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGSET_SIZE);
    vbt_lock(&maps_lock);
    return before;
}

static void close_books(uint64_t signals) {
    vbt_unlock(&maps_lock);
    vbt_sys(SYS_rt_sigprocmask, SIG_SETMASK, &signals, NULL, KERNEL_SIGSET_SIZE);
}

static uintptr_t page_size(void) {
    static _Atomic uintptr_t size;
    uintptr_t known = atomic_load_explicit(&size, memory_order_relaxed);
    if (known == 0)
        atomic_store_explicit(&size, known = getauxval(AT_PAGESZ), memory_order_relaxed);
    return known;
}

uintptr_t vbt_page_up(uintptr_t bytes) { return (bytes + page_size() - 1) & ~(page_size() - 1); }

static struct mapping *mapping_at(uint32_t id) { return vbt_vector_at(&maps.mappings, id); }

/* 0 when there is no memory. */
static uint32_t new_mapping(struct mapping mapping) {
    uint32_t id = maps.spare;
    if (id != 0)
        maps.spare = mapping_at(id)->node;
    else if ((id = vbt_vector_add(&maps.mappings, sizeof(struct mapping))) == 0 &&
             maps.mappings.count == 1) /* the first is unused */
        id = vbt_vector_add(&maps.mappings, sizeof(struct mapping));
    if (id != 0)
        *mapping_at(id) = mapping;
    return id;
}

/* Books the end of a part of a mapping. */
static void end_part(struct vbt_ledger *ledger, const struct vbt_range *part) {
    uint64_t bytes = part->end - part->start;
    struct mapping *mapping = mapping_at(part->owner);
    struct vbt_totals *flow = &now.sum.kinds[mapping->kind].flow;
    mapping->bytes -= bytes;
    now.live -= (int64_t)bytes;
    bool whole = mapping->bytes == 0;
    bool temporary = whole && mapping->start == ledger->last_mapping;
    flow->freed += bytes;
    flow->frees += whole;
    flow->temporary += temporary;
    vbt_ledger_unmap(ledger, mapping->node, bytes, whole, temporary);
    if (temporary)
        ledger->last_mapping = 0;
    if (whole) {
        *mapping = (struct mapping){.node = maps.spare};
        maps.spare = part->owner;
    }
}

/* Books the end of all parts of a tree that was taken out. Returns their bytes. */
static uint64_t end_all(struct vbt_ledger *ledger, uint32_t tree) {
    uint64_t bytes = 0;
    struct vbt_range part;
    while (vbt_ranges_pop(&maps.ranges, &tree, &part)) {
        bytes += part.end - part.start;
        end_part(ledger, &part);
    }
    return bytes;
}

void vbt_maps_retire(struct vbt_ledger *ledger, uintptr_t start, uintptr_t end) {
    if (start >= end)
        return;
    uint64_t signals = open_books();
    if (vbt_ranges_reserve(&maps.ranges, 2))
        ledger->unmapping = vbt_ranges_join(&maps.ranges, ledger->unmapping, vbt_ranges_take(&maps.ranges, start, end));
    else
        ledger->lost[VBT_LOST_MEMORY]++;
    close_books(signals);
}

uint64_t vbt_maps_settle(struct vbt_ledger *ledger) {
    if (ledger->unmapping == 0)
        return 0;
    uint64_t signals = open_books();
    uint64_t bytes = end_all(ledger, ledger->unmapping);
    ledger->unmapping = 0;
    close_books(signals);
    return bytes;
}

/* Is the page at this address mapped? */
static bool is_mapped(uintptr_t address) {
    unsigned char resident;
    return vbt_sys(SYS_mincore, address, page_size(), &resident) != -ENOMEM;
}

/* Is anything known from start to end? */
static bool is_known(uintptr_t start, uintptr_t end) {
    const struct vbt_range *next = vbt_ranges_find(&maps.ranges, start);
    return next != NULL && next->start < end;
}

/* The kernel unmaps a part or leaves it, as a whole: its first page stands for it. */
static void restore(struct vbt_ledger *ledger, uint32_t *in_hand) {
    uint32_t tree = *in_hand;
    struct vbt_range part;
    *in_hand = 0;
    while (vbt_ranges_pop(&maps.ranges, &tree, &part)) {
        if (is_mapped(part.start) && !is_known(part.start, part.end))          /* known: mapped again by another thread since */
            vbt_ranges_insert(&maps.ranges, part.start, part.end, part.owner); /* into the item it was popped from */
        else
            end_part(ledger, &part);
    }
}

void vbt_maps_restore(struct vbt_ledger *ledger) {
    if (ledger->unmapping == 0)
        return;
    uint64_t signals = open_books();
    restore(ledger, &ledger->unmapping);
    close_books(signals);
}

void vbt_maps_add(struct vbt_ledger *ledger, struct vbt_place place, enum vbt_map_kind kind, uintptr_t start, uintptr_t end) {
    uint64_t bytes = end - start;
    if (start >= end)
        return;
    uint64_t signals = open_books();
    uint32_t id = 0;
    if (place.counters != NULL && vbt_ranges_reserve(&maps.ranges, 3))
        id = new_mapping((struct mapping){.start = start, .bytes = bytes, .node = place.node, .kind = kind});
    if (id != 0) {
        end_all(ledger, vbt_ranges_take(&maps.ranges, start, end));
        vbt_ranges_insert(&maps.ranges, start, end, id);
        struct vbt_totals *flow = &now.sum.kinds[kind].flow;
        flow->allocs++;
        flow->allocated += bytes;
        now.live += (int64_t)bytes;
        if (now.live > now.sum.peak)
            now.sum.peak = now.live;
        ledger->last_mapping = start;
        vbt_ledger_map(ledger, place, bytes);
    } else {
        ledger->lost[VBT_LOST_MEMORY]++;
    }
    close_books(signals);
}

void vbt_maps_unknown(void) { __atomic_fetch_add(&now.sum.unknown, 1, __ATOMIC_RELAXED); }

bool vbt_maps_find(uintptr_t address, struct vbt_mapped_part *out) {
    uint64_t signals = open_books();
    const struct vbt_range *found = vbt_ranges_find(&maps.ranges, address);
    if (found != NULL)
        *out = (struct vbt_mapped_part){found->start, found->end, mapping_at(found->owner)->kind};
    close_books(signals);
    return found != NULL;
}

void vbt_maps_read(struct vbt_maps_sum *out) { *out = now.sum; }

uint64_t vbt_maps_held(void) {
    uint64_t signals = open_books();
    uint64_t bytes = 0;
    const struct vbt_range *part;
    for (uintptr_t at = 0; (part = vbt_ranges_find(&maps.ranges, at)) != NULL; at = part->end)
        bytes += part->end - part->start;
    close_books(signals);
    return bytes;
}

/* Settles or restores what threads hold, all but one. Any ledger can book it, since the threads
 * themselves no longer book anything. */
static void resolve(const struct vbt_ledger *but) {
    uint64_t signals = open_books();
    struct vbt_ledger *first = atomic_load(&vbt_ledgers);
    for (struct vbt_ledger *ledger = first; ledger != NULL; ledger = ledger->next)
        if (ledger != but)
            restore(first, &ledger->unmapping);
    close_books(signals);
}

void vbt_maps_resolve(void) { resolve(NULL); }

/* Works in whatever state the books are in. Their memory is used again. */
static void forget_all(void) {
    uint64_t known = 0;
    for (uint32_t id = 1; id < maps.mappings.count; id++)
        known += mapping_at(id)->bytes != 0;
    maps.ranges.root = maps.ranges.spare = maps.ranges.spares = maps.ranges.items.count = 0;
    maps.spare = maps.mappings.count = 0;
    now.sum = (struct vbt_maps_sum){.forgotten = known};
    now.live = 0;
    for (struct vbt_ledger *ledger = atomic_load(&vbt_ledgers); ledger != NULL; ledger = ledger->next)
        ledger->unmapping = 0;
}

void vbt_maps_free_lock(void) { maps_lock = (struct vbt_lock){0}; }

void vbt_maps_begin_in_child(bool in_order, const struct vbt_ledger *own) {
    now.sum.forgotten = 0;
    if (!in_order && atomic_load(&maps_lock.state) != 0)
        forget_all();
    vbt_maps_free_lock();
    resolve(own); /* this thread continues, if it was interrupted */
}

static uint64_t signals_before_fork;

void vbt_maps_before_fork(void) { signals_before_fork = open_books(); }

void vbt_maps_after_fork(void) { close_books(signals_before_fork); }

void vbt_maps_inherit(void (*call)(uint32_t node, uint64_t bytes)) {
    now.sum = (struct vbt_maps_sum){.forgotten = now.sum.forgotten, .peak = now.live};
    for (uint32_t id = 1; id < maps.mappings.count; id++) {
        const struct mapping *mapping = mapping_at(id);
        if (mapping->bytes == 0)
            continue;
        now.sum.kinds[mapping->kind].inherited_blocks++;
        now.sum.kinds[mapping->kind].inherited_bytes += mapping->bytes;
        if (call != NULL)
            call(mapping->node, mapping->bytes);
    }
}
