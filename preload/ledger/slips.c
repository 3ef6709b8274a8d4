/* See slips.h. */
#include "slips.h"

#include "interval.h"
#include "ledger.h"

/* What fits the fields of vbt_slip.counts, and where they are. */
enum {
    MOST_FREES = 15,
    MOST_TEMPORARY = 15,
    FREES_AT = 3,
    TEMPORARY_AT = 7,
    FREED_AT = 11,
    ALLOCS = (1 << FREES_AT) - 1,
};

#define MOST_FREED ((1U << (32 - FREED_AT)) - 1)

_Static_assert(sizeof(struct vbt_slip) == 20, "no padding");
_Static_assert((int)VBT_SLIP_ALLOCS <= (int)ALLOCS && (int)VBT_SLIP_ALLOCS <= 1 + VBT_FEW_SIZES, "no slip has a histogram");

struct vbt_slip *vbt_slip_make(struct vbt_ledger *ledger, uint32_t slip) {
    uint32_t index = slip / VBT_PAGE_SLIPS;
    struct vbt_slip_page *page = vbt_slip_page(ledger, index);
    if (page->slips == NULL) {
        if (index >= ledger->slips_open && !vbt_counters_open_slips(ledger, index))
            return NULL;
        struct vbt_slip *fresh = vbt_arena_alloc(&ledger->arena, VBT_PAGE_SLIPS * sizeof *fresh);
        if (fresh == NULL)
            return NULL;
        atomic_thread_fence(memory_order_release); /* as in vbt_counters_make */
        page->slips = fresh;
    }
    return &page->slips[slip % VBT_PAGE_SLIPS];
}

int64_t vbt_slip_read(const struct vbt_ledger *ledger, const struct vbt_slip *slip, struct vbt_counters *out) {
    uint32_t epoch = VBT_PEEK(volatile uint32_t, slip->epoch), counts = VBT_PEEK(volatile uint32_t, slip->counts);
    uint32_t allocs = counts & ALLOCS;
    bool is_new = epoch >= ledger->interval_epoch;
    *out = (struct vbt_counters){.allocs = allocs,
                                 .frees = counts >> FREES_AT & MOST_FREES,
                                 .temporary = counts >> TEMPORARY_AT & MOST_TEMPORARY,
                                 .freed = counts >> FREED_AT,
                                 .epoch = epoch,
                                 .interval = is_new ? ledger->interval : ledger->interval - 1,
                                 .usual_size = allocs > 0 ? slip->sizes[0] : 0};
    for (uint32_t i = 0; i < allocs && i < VBT_SLIP_ALLOCS; i++)
        out->allocated += slip->sizes[i];
    out->sizes = vbt_sizes_pack(slip->sizes, allocs);
    return slip->at_peak;
}

bool vbt_slip_write(struct vbt_ledger *ledger, uint32_t number, const struct vbt_counters *counters, int64_t at_peak) {
    uint16_t sizes[VBT_SLIP_ALLOCS] = {0};
    uint64_t allocated = 0;
    if (counters->allocs > VBT_SLIP_ALLOCS || counters->frees > MOST_FREES || counters->temporary > MOST_TEMPORARY ||
        counters->freed > MOST_FREED || counters->epoch > UINT32_MAX || at_peak != (int32_t)at_peak ||
        !vbt_sizes_unpack(counters, sizes))
        return false;
    for (uint32_t i = 0; i < counters->allocs; i++)
        allocated += sizes[i];
    if (allocated != counters->allocated)
        return false;
    struct vbt_slip_page *page = vbt_slip_page(ledger, number / VBT_PAGE_SLIPS);
    struct vbt_slip *slip = &page->slips[number % VBT_PAGE_SLIPS];
    for (uint32_t i = 0; i < VBT_SLIP_ALLOCS; i++)
        slip->sizes[i] = sizes[i];
    slip->at_peak = (int32_t)at_peak;
    slip->counts = (uint32_t)(counters->allocs | counters->frees << FREES_AT | counters->temporary << TEMPORARY_AT |
                              counters->freed << FREED_AT);
    atomic_signal_fence(memory_order_seq_cst);
    slip->epoch = (uint32_t)counters->epoch;
    vbt_epoch_raise(&page->epoch, counters->epoch);
    return true;
}

static uint32_t live_bytes(const struct vbt_slip *slip) {
    uint32_t live = 0, allocs = slip->counts & ALLOCS;
    for (uint32_t i = 0; i < allocs; i++)
        live += slip->sizes[i];
    return live - (slip->counts >> FREED_AT);
}

/* A thread's slip that is about to change, with the fields that depend on the epoch brought up to
 * date; NULL if there is more to do. */
VBT_INLINE struct vbt_slip *open_slip(struct vbt_ledger *ledger, uint32_t node, uint32_t number) {
    uint64_t now = atomic_load_explicit(&vbt_epoch, memory_order_relaxed);
    struct vbt_slip *slip = vbt_slip_at(ledger, number);
    if (VBT_UNLIKELY(slip == NULL) && (slip = vbt_slip_make(ledger, number)) == NULL)
        return NULL;
    uint32_t before = slip->epoch;
    if (before == now)
        return slip;
    if (now > UINT32_MAX || (vbt_node_at(node)->flags & VBT_SITE_OWN) != 0 ||
        (before < ledger->interval_epoch && !vbt_intervals_are_idle(ledger)))
        return NULL;
    if (before == 0)
        slip->counts = 0;
    else if (before < atomic_load_explicit(&vbt_fork_epoch, memory_order_relaxed))
        return NULL;
    else if (before < atomic_load_explicit(&vbt_peak.epoch, memory_order_relaxed))
        slip->at_peak = (int32_t)live_bytes(slip);
    atomic_signal_fence(memory_order_seq_cst);
    slip->epoch = (uint32_t)now;
    atomic_store_explicit(&vbt_slip_page(ledger, number / VBT_PAGE_SLIPS)->epoch, now, memory_order_relaxed);
    atomic_store_explicit(&ledger->epoch, now, memory_order_relaxed);
    return slip;
}

bool vbt_slip_count_alloc(struct vbt_ledger *ledger, uint32_t node, uint32_t number, size_t size) {
    struct vbt_slip *slip = size <= UINT16_MAX ? open_slip(ledger, node, number) : NULL;
    uint32_t allocs = slip != NULL ? slip->counts & ALLOCS : VBT_SLIP_ALLOCS;
    if (allocs == VBT_SLIP_ALLOCS)
        return false;
    slip->sizes[allocs] = (uint16_t)size;
    atomic_signal_fence(memory_order_seq_cst);
    slip->counts++;
    return true;
}

bool vbt_slip_count_free(struct vbt_ledger *ledger, uint32_t node, uint32_t number, size_t size, bool temporary) {
    struct vbt_slip *slip = size <= UINT16_MAX ? open_slip(ledger, node, number) : NULL;
    uint32_t counts = slip != NULL ? slip->counts : 0;
    if (slip == NULL || (counts >> FREES_AT & MOST_FREES) == MOST_FREES || size > MOST_FREED - (counts >> FREED_AT) ||
        (counts >> TEMPORARY_AT & MOST_TEMPORARY) == MOST_TEMPORARY)
        return false;
    slip->counts = counts + (1U << FREES_AT) + ((uint32_t)temporary << TEMPORARY_AT) + ((uint32_t)size << FREED_AT);
    return true;
}

const struct vbt_counters *vbt_counted_elsewhere(const struct vbt_ledger *ledger, uint32_t account, struct vbt_counted *room) {
    uint32_t number = vbt_account_slip(account), made = vbt_account_if_made(vbt_slip_node(number));
    if (made != 0 && vbt_counters_are_used(ledger, made))
        return &vbt_counters_page(ledger, made / VBT_PAGE_ACCOUNTS)->counters[made % VBT_PAGE_ACCOUNTS];
    const struct vbt_slip *slip = vbt_slip_at(ledger, number);
    room->unpacked = (struct vbt_counters){0};
    if (slip != NULL && slip->epoch != 0)
        room->at_peak = vbt_slip_read(ledger, slip, &room->unpacked);
    return &room->unpacked;
}

static int64_t live_of(const struct vbt_counters *counters) { return (int64_t)(counters->allocated - counters->freed); }

bool vbt_counted_read(const struct vbt_ledger *ledger, uint32_t account, struct vbt_inherited *inherited, struct vbt_counted *out) {
    uint32_t number = vbt_account_slip(account);
    if (!vbt_account_is_slip(account) && vbt_counters_page(ledger, account / VBT_PAGE_ACCOUNTS) != NULL) {
        out->counters = vbt_counters_read(ledger, account, inherited);
        out->at_peak = vbt_counters_page(ledger, account / VBT_PAGE_ACCOUNTS)->at_peak[account % VBT_PAGE_ACCOUNTS];
        if (vbt_counters_are_used(ledger, account))
            return out->counters != NULL;
    }
    const struct vbt_slip *slip = vbt_slip_at(ledger, number);
    if (slip == NULL || slip->epoch == 0)
        return false;
    out->at_peak = vbt_slip_read(ledger, slip, &out->unpacked);
    out->counters = &out->unpacked;
    if (!vbt_counters_are_of_parent(&out->unpacked))
        return out->unpacked.allocs != 0 || out->unpacked.frees != 0;
    inherited->blocks += out->unpacked.allocs - out->unpacked.frees;
    inherited->bytes += (uint64_t)live_of(&out->unpacked);
    return false;
}
