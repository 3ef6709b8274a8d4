/* See own.h. */
#include "own.h"

#include "ledger.h"

static void add_live(struct vbt_ledger *ledger, int64_t change) {
    ledger->own += change;
    atomic_fetch_add(&vbt_peak.own, change);
}

void vbt_own_count(struct vbt_ledger *ledger, int64_t change, bool ends) {
    struct vbt_totals *own = &ledger->own_totals;
    own->allocs += !ends;
    own->frees += ends;
    own->allocated += ends ? 0 : (uint64_t)change;
    own->freed += ends ? (uint64_t)-change : 0;
    add_live(ledger, change);
    vbt_ledger_forget_crest(ledger); /* it was computed with vbtrace's own share as it was before */
}

void vbt_own_uncount_end(struct vbt_ledger *ledger, size_t size) {
    ledger->own_totals.frees--;
    ledger->own_totals.freed -= size;
    add_live(ledger, (int64_t)size);
}

/* Returns the highest. */
static int64_t raise_to(_Atomic int64_t *peak, int64_t live) {
    int64_t highest = atomic_load_explicit(peak, memory_order_relaxed);
    while (live > highest)
        if (atomic_compare_exchange_weak(peak, &highest, live))
            return live;
    return highest;
}

int64_t vbt_own_peak(int64_t live) {
    raise_to(&vbt_peak.program, live);
    return raise_to(&vbt_peak.lately, live);
}

void vbt_own_uncount(struct vbt_ledger *ledger, size_t size) {
    ledger->own_totals.allocs--;
    ledger->own_totals.allocated -= size;
    add_live(ledger, -(int64_t)size);
}
