/* Slips: what one thread counted at a call path, while that is little.
 *
 * Of the call paths that real programs count anything at, some 85% see four allocations or fewer. A
 * slip has room for those, in 20 bytes in place of the 72 of an account's counters. It is no part
 * of the hot path: in a place, vbt_no_counters stands for it, which is always stale, and the table
 * of pages of counters has nothing at the number of a slip. So the slow path is taken, which
 * unpacks the slip into counters, changes them as it would change any others, and packs them again.
 * What no longer fits moves to the node's account, and the thread's next event there takes the
 * hot path. The two most frequent changes are made without unpacking.
 *
 * Other threads may still use their own slips of a node that has an account. A thread's counters of
 * an account that have an epoch say all that it counted there, and its slip is void; so storing the
 * epoch last moves a slip, for whoever reads meanwhile, and for a fork. */
#ifndef VBT_SLIPS_H
#define VBT_SLIPS_H

#include "counters.h"

enum { VBT_SLIP_ALLOCS = 4 };

struct vbt_slip {
    uint32_t epoch;                  /* as in struct vbt_counters, all other fields mean nothing if it is 0 */
    uint32_t counts;                 /* allocations in 3 bits, frees in 4, temporary in 4, freed bytes in 21 */
    int32_t at_peak;                 /* as in struct vbt_counters_page */
    uint16_t sizes[VBT_SLIP_ALLOCS]; /* of the allocations */
};

/* A thread's slip of this number, which may be empty; NULL if it has none, or no memory for it. */
static inline struct vbt_slip *vbt_slip_at(const struct vbt_ledger *ledger, uint32_t slip) {
    struct vbt_slip *page = vbt_slip_page(ledger, slip / VBT_PAGE_SLIPS)->slips;
    return page != NULL ? &page[slip % VBT_PAGE_SLIPS] : NULL;
}
struct vbt_slip *vbt_slip_make(struct vbt_ledger *ledger, uint32_t slip);

/* A slip as counters, which only its own thread may rely on while it works; returns what live bytes
 * were at the last peak before its epoch. */
int64_t vbt_slip_read(const struct vbt_ledger *ledger, const struct vbt_slip *slip, struct vbt_counters *out);

/* Packs counters into a slip, and notes the change. False: they do not fit, and nothing has
 * changed. */
bool vbt_slip_write(struct vbt_ledger *ledger, uint32_t number, const struct vbt_counters *counters, int64_t at_peak);

/* Count a request, and the end of a block, if that is all that is to be done, and the slip has
 * room. False: nothing has been counted. node: the slip's, which has no account. */
bool vbt_slip_count_alloc(struct vbt_ledger *ledger, uint32_t node, uint32_t number, size_t size);
bool vbt_slip_count_free(struct vbt_ledger *ledger, uint32_t node, uint32_t number, size_t size, bool temporary);

/* What a thread has counted at a node by now, wherever that is: counters of an account, or those
 * that were unpacked here. */
struct vbt_counted {
    const struct vbt_counters *counters;
    int64_t at_peak; /* see vbt_ledger_at_peak */
    struct vbt_counters unpacked;
};

/* vbt_counted_now where that is not an account that the thread has counted something at. */
const struct vbt_counters *vbt_counted_elsewhere(const struct vbt_ledger *ledger, uint32_t account, struct vbt_counted *room);

/* For the ledger's own thread. */
static inline const struct vbt_counters *vbt_counted_now(const struct vbt_ledger *ledger, uint32_t account,
                                                         struct vbt_counted *room) {
    if (VBT_LIKELY(!vbt_account_is_slip(account) && vbt_counters_are_used(ledger, account)))
        return &vbt_counters_page(ledger, account / VBT_PAGE_ACCOUNTS)->counters[account % VBT_PAGE_ACCOUNTS];
    return vbt_counted_elsewhere(ledger, account, room);
}

/* Reads what a ledger counted at a node; account: a number that vbt_account_of returned.
 * *inherited: as in vbt_counters_read. False: nothing since the process began. */
bool vbt_counted_read(const struct vbt_ledger *ledger, uint32_t account, struct vbt_inherited *inherited, struct vbt_counted *out);

#endif
