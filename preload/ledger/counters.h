/* The counters of one thread for one account, and of one thread for all accounts.
 *
 * Written by one thread, read by the stream's. The hot path touches one cache line of an
 * account. */
#ifndef VBT_COUNTERS_H
#define VBT_COUNTERS_H

#include "accounts.h"
#include "format/format.h"
#include "preload/base/memory.h"
#include "preload/base/sys.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_sizes;

struct vbt_counters {
    uint64_t allocs, frees;
    uint64_t allocated, freed; /* bytes; freed counts at the node that allocated */
    struct vbt_sizes *sizes;   /* see sizes.h; NULL while all requests were of the usual size */
    uint64_t epoch;            /* vbt_epoch at the last change; VBT_EPOCH_OWN marks vbtrace's own nodes */
    uint32_t interval;         /* the thread's interval number at the last change */
    uint32_t usual_size;       /* of requests that need no other bookkeeping than this */
    uint64_t temporary;        /* allocations freed before the thread allocated again */
};

/* Nodes whose events are vbtrace's own take the slow path every time, where they are kept out of
 * intervals. */
#define VBT_EPOCH_OWN (UINT64_C(1) << 63)

/* Notes a change in this epoch, or an earlier one, on a page of the thread's own. */
static inline void vbt_epoch_raise(_Atomic uint64_t *page, uint64_t epoch) {
    if (atomic_load_explicit(page, memory_order_relaxed) < epoch)
        atomic_store_explicit(page, epoch, memory_order_relaxed);
}

/* vbt_epoch when the process was forked; 0: it was not. Counters that have not changed since are
 * the parent's: they say what the process inherited, and no more. So a child writes nothing for an
 * account before its first change there. */
extern _Atomic uint64_t vbt_fork_epoch VBT_HIDDEN;

static inline bool vbt_counters_are_of_parent(const struct vbt_counters *counters) {
    return (counters->epoch & ~VBT_EPOCH_OWN) < atomic_load_explicit(&vbt_fork_epoch, memory_order_relaxed);
}

/* A thread that allocates at one of them has all. */
enum { VBT_PAGE_ACCOUNTS = 32, VBT_PAGE_SLIPS = 64 };

/* What was live when the process was forked. */
struct vbt_inherited {
    uint64_t blocks, bytes;
};

struct vbt_counters_page {
    struct vbt_counters counters[VBT_PAGE_ACCOUNTS];
    int64_t at_peak[VBT_PAGE_ACCOUNTS]; /* live bytes at the last peak before an account's epoch */
    struct vbt_inherited *inherited;    /* of accounts that have changed since the fork; NULL while none has */
    _Atomic uint64_t epoch;             /* vbt_epoch at the last change of any */
};

struct vbt_slip;

/* What is known of a page of slips without a look at it. */
struct vbt_slip_page {
    struct vbt_slip *slips; /* VBT_PAGE_SLIPS of them; NULL: the thread has none */
    _Atomic uint64_t epoch; /* vbt_epoch at the last change of any */
};

struct vbt_intervals;
struct vbt_watcher;

struct vbt_totals {
    uint64_t allocs, frees, allocated, freed, temporary;
};

/* One call path, with this thread's counters for it. */
struct vbt_place {
    uint32_t node, account;
    struct vbt_counters *counters; /* NULL: no memory. vbt_no_counters, with account 0: see vbt_place_of */
};

struct vbt_ledger {
    struct vbt_totals totals[VBT_DOMAIN_MAP]; /* heap, Python */
    int64_t live;                             /* bytes allocated here minus bytes freed here, whichever thread allocated them */
    _Atomic int64_t alloc_limit;              /* live above this: publish; other threads set it to make this one do so */
    _Atomic int64_t free_limit;               /* live below this: publish; likewise */
    int64_t crest;                            /* live above this when something is freed: this may be a peak */
    int64_t crest_of_others;                  /* the same without what the watcher wants to know */
    _Atomic int64_t published;                /* part of live that is in vbt_peak.total */
    int64_t own;                              /* part of live that is vbtrace's own */
    struct vbt_totals own_totals;             /* part of the totals that is */
    const void *last_block;                   /* the latest allocation; freed while it still is, it was temporary */
    uint32_t interval;                        /* incremented at each boundary of an interval or section on this thread */
    uint64_t interval_epoch;                  /* vbt_epoch at the latest of them; what changed before has an older one */
    uint64_t interval_epoch_before;           /* at the one before */
    size_t huge_size;                         /* true size of the block freed last whose cell could not hold it */
    _Atomic uint64_t epoch;                   /* vbt_epoch at the last change of any node */
    uint64_t unknown_frees[VBT_DOMAIN_MAP];
    uint64_t lost[VBT_LOST_KINDS];
    struct vbt_intervals *intervals;
    struct vbt_watcher *watcher; /* NULL without line mode */
    bool watched;                /* the watcher observes every event, so the fast path is off */
    struct vbt_arena arena;
    struct vbt_counters_page **pages; /* for each number of vbt_most_accounts; NULL where the thread has no counters */
    struct vbt_slip_page *slips;      /* from the first to the last downwards, see vbt_slip_page */
    uint32_t pages_open, slips_open;  /* so many of them can be written; all others read as zero */
    struct vbt_totals mapped;
    uint32_t unmapping;     /* maps.h: what the kernel is being asked to unmap */
    uintptr_t last_mapping; /* start of the latest; unmapped while it still is, it was temporary */
    struct vbt_ledger *next;
};

/* The next free takes the slow path, whatever the live bytes are. */
static inline void vbt_ledger_forget_crest(struct vbt_ledger *ledger) { ledger->crest = ledger->crest_of_others = INT64_MIN; }

/* Maps `size` bytes, which become a thread's state, together with the ledger's tables. NULL when
 * there is no memory. */
void *vbt_counters_map(size_t size);

/* Sets the ledger's tables; start and size: what vbt_counters_map returned for how much. */
void vbt_counters_begin(struct vbt_ledger *ledger, void *start, size_t size);

/* The pages of slips lie before the thread's state, from the last to the first, and those of
 * counters after it, so that what can be written of both is one mapping, and few are on pages of
 * memory of their own. */
static inline struct vbt_slip_page *vbt_slip_page(const struct vbt_ledger *ledger, uint32_t page) { return ledger->slips - page; }

/* Makes the tables writable up to an entry. False: the kernel refuses. */
bool vbt_counters_open_slips(struct vbt_ledger *ledger, uint32_t page);

/* What an account inherited, as far as this ledger knows: adds it to *inherited. Returns the
 * counters, or NULL if nothing has been counted there since the process began. */
const struct vbt_counters *vbt_counters_read(const struct vbt_ledger *ledger, uint32_t account, struct vbt_inherited *inherited);

/* Has the thread counted anything at an account itself, or in the parent? Otherwise it may have at
 * the slip. */
static inline bool vbt_counters_are_used(const struct vbt_ledger *ledger, uint32_t account) {
    const struct vbt_counters_page *page = ledger->pages[account / VBT_PAGE_ACCOUNTS];
    return page != NULL && VBT_PEEK(volatile uint64_t, page->counters[account % VBT_PAGE_ACCOUNTS].epoch) != 0;
}

/* This thread's counters of an account, created if missing; NULL when there is no memory. */
struct vbt_counters *vbt_counters_make(struct vbt_ledger *ledger, uint32_t account);

static inline struct vbt_counters_page *vbt_counters_page(const struct vbt_ledger *ledger, uint32_t page) {
    return ledger->pages[page];
}

/* Makes an account's counters, which are the parent's, those of the child: what is live is
 * inherited, all else 0. Only their epoch is left to the caller. False: there was no memory to keep
 * what is inherited. */
bool vbt_counters_inherit(struct vbt_ledger *ledger, uint32_t account);

/* Adds to what an account that has counters inherited. False: there is no memory. */
bool vbt_counters_add_inherited(struct vbt_ledger *ledger, uint32_t account, uint64_t blocks, uint64_t bytes);

/* In a place, it stands for counters that have not been made: it is always stale, so that the slow
 * path is taken, which makes them. Never written. */
extern struct vbt_counters vbt_no_counters VBT_HIDDEN;

/* vbt_counters_make, fast if they exist. */
static inline struct vbt_counters *vbt_counters_at(struct vbt_ledger *ledger, uint32_t account) {
    struct vbt_counters_page *page = vbt_counters_page(ledger, account / VBT_PAGE_ACCOUNTS);
    return VBT_LIKELY(page != NULL) ? &page->counters[account % VBT_PAGE_ACCOUNTS] : vbt_counters_make(ledger, account);
}

/* A node's place. Where nothing has been counted at the node, or little (slips.h), the account is 0
 * and the counters are vbt_no_counters: vbt_ledger_alloc finds out where to count. */
static inline struct vbt_place vbt_place_of(struct vbt_ledger *ledger, uint32_t node) {
    uint32_t account = vbt_account_if_made(node);
    if (account == 0)
        return (struct vbt_place){node, 0, &vbt_no_counters};
    return (struct vbt_place){node, account, vbt_counters_at(ledger, account)};
}

/* The same, with an account in any case. */
static inline struct vbt_place vbt_place_with_account(struct vbt_ledger *ledger, uint32_t node) {
    uint32_t account = vbt_account_if_made(node);
    if (VBT_UNLIKELY(account == 0) && (account = vbt_account_of(node)) != 0 && vbt_account_is_slip(account))
        account = vbt_account_make(node = vbt_account_node(account), true);
    return (struct vbt_place){node, account, VBT_LIKELY(account != 0) ? vbt_counters_at(ledger, account) : NULL};
}

/* A place that was kept, as it is now: by and by, nodes get accounts. */
static inline struct vbt_place vbt_place_renewed(struct vbt_ledger *ledger, struct vbt_place *kept) {
    if (kept->account == 0 && kept->counters != NULL)
        *kept = vbt_place_of(ledger, kept->node);
    return *kept;
}

/* The same as vbt_place_of, but makes no counters. */
static inline struct vbt_place vbt_place_if_made(const struct vbt_ledger *ledger, uint32_t node) {
    uint32_t account = vbt_account_if_made(node);
    struct vbt_counters_page *page = vbt_counters_page(ledger, account / VBT_PAGE_ACCOUNTS);
    if (account == 0 || page == NULL)
        return (struct vbt_place){node, 0, &vbt_no_counters};
    return (struct vbt_place){node, account, &page->counters[account % VBT_PAGE_ACCOUNTS]};
}

#endif
