/* See ledger.h. */
#include "ledger.h"

#include "interval.h"
#include "own.h"
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
    int64_t total = atomic_fetch_add(&vbt_peak.total, change) + change;
    new_peak(total);
    vbt_own_peak(total - atomic_load_explicit(&vbt_peak.own, memory_order_relaxed));
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
        int64_t of_program = vbt_own_peak(ledger->live - ledger->own) + ledger->own;
        if (of_program < peak)
            peak = of_program;
        if (peak < next)
            next = peak;
    } else if (limit == INT64_MIN || limit == INT64_MAX) {
        publish_and_go_on(ledger); /* there is a second thread now, and this one has not published what it reached alone */
    }
    ledger->crest_of_others = next;
    ledger->crest = ledger->watcher != NULL ? ledger->watcher->crest(ledger->watcher) : next;
}

/* What is about to change: an account's counters, or a slip, unpacked. */
struct hand {
    uint32_t account; /* also the number of a slip */
    uint32_t node;    /* of a slip */
    bool has_to;      /* the change belongs there, whatever room there is */
    struct vbt_counters *counters;
    uint64_t fork_epoch;
    struct vbt_counters unpacked;
    int64_t unpacked_at_peak;
};

static bool is_slip(const struct hand *hand) { return hand->counters == &hand->unpacked; }

/* Moves what is in a thread's slip, or was unpacked from it, to its counters of the node's account.
 * The epoch last: until then, the slip holds. */
static void move_slip(struct vbt_ledger *ledger, uint32_t account, const struct vbt_counters *unpacked, int64_t at_peak) {
    struct vbt_counters_page *page = vbt_counters_page(ledger, account / VBT_PAGE_ACCOUNTS);
    struct vbt_counters *counters = &page->counters[account % VBT_PAGE_ACCOUNTS];
    struct vbt_counters moved = *unpacked;
    moved.epoch = 0;
    page->at_peak[account % VBT_PAGE_ACCOUNTS] = at_peak;
    *counters = moved;
    vbt_epoch_raise(&page->epoch, unpacked->epoch & ~VBT_EPOCH_OWN);
    atomic_thread_fence(memory_order_release);
    counters->epoch = unpacked->epoch;
}

/* The counters of an account, with what is in the thread's slip of its node. */
static bool take_account(struct vbt_ledger *ledger, struct hand *hand, uint32_t account) {
    if ((hand->counters = vbt_counters_at(ledger, account)) == NULL)
        return false;
    hand->account = account;
    if (VBT_LIKELY(hand->counters->epoch != 0))
        return true;
    const struct vbt_slip *slip = vbt_slip_at(ledger, vbt_account_slip(account));
    if (slip != NULL && slip->epoch != 0) {
        hand->unpacked_at_peak = vbt_slip_read(ledger, slip, &hand->unpacked);
        move_slip(ledger, account, &hand->unpacked, hand->unpacked_at_peak);
    }
    return true;
}

/* Takes what a number stands for in hand, whose has_to is set. A parent's slip moves to an account
 * at its first change, since it has no room for what is inherited. False: there is no room, or no
 * memory. */
static bool take(struct vbt_ledger *ledger, struct hand *hand, uint32_t account) {
    if (!vbt_account_is_slip(account))
        return take_account(ledger, hand, account);
    uint32_t number = vbt_account_slip(account), made;
    hand->node = vbt_slip_node(number);
    hand->fork_epoch = atomic_load_explicit(&vbt_fork_epoch, memory_order_relaxed);
    if ((made = vbt_account_if_made(hand->node)) != 0)
        return take_account(ledger, hand, made);
    const struct vbt_slip *slip = vbt_slip_make(ledger, number);
    if (slip == NULL)
        return false;
    if (slip->epoch != 0 && slip->epoch < hand->fork_epoch)
        return (made = vbt_account_make(hand->node, hand->has_to)) != 0 && take_account(ledger, hand, made);
    hand->account = account;
    hand->counters = &hand->unpacked;
    hand->unpacked = (struct vbt_counters){0};
    hand->unpacked_at_peak = 0;
    if (slip->epoch != 0)
        hand->unpacked_at_peak = vbt_slip_read(ledger, slip, &hand->unpacked);
    return true;
}

/* What became of it. */
enum put { PUT, PUT_FAILED, PUT_FORKED };

/* Puts back what has changed. PUT_FORKED: by a signal handler, the thread has forked in between,
 * and this is the child: nothing was put, the change is to be made again. Accounts change in
 * place. */
static enum put put(struct vbt_ledger *ledger, struct hand *hand) {
    if (!is_slip(hand))
        return PUT;
    uint32_t made = 0;
    bool fits = hand->fork_epoch == atomic_load_explicit(&vbt_fork_epoch, memory_order_relaxed) &&
                vbt_slip_write(ledger, vbt_account_slip(hand->account), &hand->unpacked, hand->unpacked_at_peak);
    if (!fits && ((made = vbt_account_make(hand->node, hand->has_to)) == 0 || vbt_counters_at(ledger, made) == NULL))
        return PUT_FAILED;
    if (hand->fork_epoch != atomic_load_explicit(&vbt_fork_epoch, memory_order_relaxed))
        return PUT_FORKED;
    if (!fits) {
        move_slip(ledger, made, &hand->unpacked, hand->unpacked_at_peak);
        hand->account = made;
    }
    return PUT;
}

/* The first change of an account since the last peak. A fork begins with a peak. */
VBT_INLINE void keep_at_peak(struct vbt_ledger *ledger, struct hand *hand) {
    struct vbt_counters *counters = hand->counters;
    int64_t *at_peak = &hand->unpacked_at_peak;
    if (!is_slip(hand)) {
        if (VBT_UNLIKELY(vbt_counters_are_of_parent(counters)) && !vbt_counters_inherit(ledger, hand->account))
            ledger->lost[VBT_LOST_MEMORY]++;
        at_peak = &vbt_counters_page(ledger, hand->account / VBT_PAGE_ACCOUNTS)->at_peak[hand->account % VBT_PAGE_ACCOUNTS];
    }
    *at_peak = (int64_t)(counters->allocated - counters->freed);
}

/* The first change of an account since the last peak or tick, or one that takes another back. */
VBT_INLINE void set_epoch(struct vbt_ledger *ledger, struct hand *hand, uint64_t own) {
    struct vbt_counters *counters = hand->counters;
    uint64_t now = atomic_load(&vbt_epoch);
    uint64_t before = counters->epoch;
    if (before != 0 && (before & ~VBT_EPOCH_OWN) < atomic_load(&vbt_peak.epoch)) /* the first time, there was nothing */
        keep_at_peak(ledger, hand);
    counters->epoch = now | own;
    if (!is_slip(hand))
        atomic_store_explicit(&vbt_counters_page(ledger, hand->account / VBT_PAGE_ACCOUNTS)->epoch, now, memory_order_relaxed);
    atomic_store_explicit(&ledger->epoch, now, memory_order_relaxed);
}

/* The first change of an account since the last peak, tick or boundary of an interval. */
static __attribute__((noinline)) void touch(struct vbt_ledger *ledger, struct hand *hand, int64_t change, bool ends) {
    struct vbt_counters *counters = hand->counters;
    uint32_t node = is_slip(hand) ? hand->node : vbt_account_node(hand->account);
    uint64_t own = vbt_node_at(node)->flags & VBT_SITE_OWN ? VBT_EPOCH_OWN : 0;
    bool first_in_interval = counters->interval != ledger->interval;
    if (first_in_interval)
        vbt_intervals_confirm(ledger); /* first, so that the epoch is not older than the interval's beginning */
    set_epoch(ledger, hand, own);
    if (VBT_UNLIKELY(own != 0))
        vbt_own_count(ledger, change, ends);
    if (first_in_interval) {
        counters->interval = ledger->interval;
        vbt_intervals_note(ledger, hand->account, counters);
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

/* The number that events of a place are counted at; 0: there is no memory. */
static uint32_t account_of(struct vbt_place place) {
    if (place.account != 0 || place.counters == NULL)
        return place.counters != NULL ? place.account : 0;
    return vbt_account_of(place.node);
}

/* Counts a request at what is in hand. */
VBT_INLINE void add_alloc(struct vbt_ledger *ledger, struct hand *hand, size_t size) {
    struct vbt_counters *counters = hand->counters;
    if (vbt_ledger_stale(counters))
        touch(ledger, hand, (int64_t)size, false);
    counters->allocs++;
    counters->allocated += size;
    if (size != counters->usual_size)
        vbt_sizes_count(ledger, counters, size);
}

static __attribute__((noinline)) bool take_and_add_alloc(struct vbt_ledger *ledger, struct hand *hand, uint32_t account,
                                                         size_t size) {
    enum put done;
    hand->has_to = false;
    do {
        if (!take(ledger, hand, account))
            return false;
        add_alloc(ledger, hand, size);
    } while (VBT_UNLIKELY((done = put(ledger, hand)) == PUT_FORKED));
    return done == PUT;
}

/* Counts a request at a place. False: there is no room, or no memory. */
VBT_INLINE bool try_alloc(struct vbt_ledger *ledger, struct hand *hand, struct vbt_place place, size_t size) {
    uint32_t account = hand->account = account_of(place);
    if (account == 0)
        return false;
    if (place.account != 0 && place.counters->epoch != 0) {
        hand->counters = place.counters;
        add_alloc(ledger, hand, size);
        return true;
    }
    return (vbt_account_is_slip(account) && vbt_slip_count_alloc(ledger, place.node, vbt_account_slip(account), size)) ||
           take_and_add_alloc(ledger, hand, account, size);
}

/* The same, at the domain's lost node where a path has outgrown its slip and there is no room for
 * an account. False: there is no memory. */
VBT_INLINE bool count_alloc(struct vbt_ledger *ledger, struct hand *hand, struct vbt_place place, size_t size) {
    if (VBT_LIKELY(try_alloc(ledger, hand, place, size)))
        return true;
    uint32_t lost = place.counters != NULL ? vbt_account_of(vbt_tree.lost_nodes[vbt_node_at(place.node)->domain]) : 0;
    return lost != 0 && take_and_add_alloc(ledger, hand, lost, size);
}

void vbt_ledger_alloc(struct vbt_ledger *ledger, enum vbt_domain domain, struct vbt_place place, const void *block, size_t size) {
    struct hand hand;
    if (VBT_UNLIKELY(!count_alloc(ledger, &hand, place, size))) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return;
    }
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
        atomic_store_explicit(slot, vbt_cell_pack(block, hand.account, size, domain), memory_order_relaxed);
    else
        put_unusual(ledger, domain, hand.account, block, size);
}

/* Counts the end of a block at what is in hand. */
VBT_INLINE void add_free(struct vbt_ledger *ledger, struct hand *hand, size_t size, bool temporary) {
    struct vbt_counters *counters = hand->counters;
    if (vbt_ledger_stale(counters))
        touch(ledger, hand, -(int64_t)size, true);
    counters->frees++;
    counters->freed += size;
    counters->temporary += temporary;
}

static __attribute__((noinline)) bool take_and_add_free(struct vbt_ledger *ledger, struct hand *hand, uint32_t account, size_t size,
                                                        bool temporary) {
    enum put done;
    hand->has_to = true;
    do {
        if (!take(ledger, hand, account))
            return false;
        add_free(ledger, hand, size, temporary);
    } while (VBT_UNLIKELY((done = put(ledger, hand)) == PUT_FORKED));
    return done == PUT;
}

/* Counts the end of a block of this cell. False: there is no memory. */
VBT_INLINE bool count_free(struct vbt_ledger *ledger, struct hand *hand, uint64_t cell, size_t size, bool temporary) {
    uint32_t account = hand->account = vbt_cell_account(cell);
    if (ledger->live > ledger->crest)
        crest(ledger);
    if (vbt_account_is_slip(account)) {
        uint32_t number = vbt_account_slip(account), node = vbt_slip_node(number), made = vbt_account_if_made(node);
        if (made == 0 && vbt_slip_count_free(ledger, node, number, size, temporary))
            return true;
        account = made != 0 ? made : account;
    }
    if (!vbt_account_is_slip(account) && vbt_counters_are_used(ledger, account)) {
        hand->account = account;
        hand->counters = vbt_counters_at(ledger, account);
        add_free(ledger, hand, size, temporary);
        return true;
    }
    return take_and_add_free(ledger, hand, account, size, temporary);
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
    size_t size = vbt_cell_size(cell);
    if (VBT_UNLIKELY((cell & VBT_CELL_HUGE) != 0))
        size = ledger->huge_size = vbt_shadow_take_huge(block);
    struct hand hand;
    bool temporary = block == ledger->last_block;
    if (VBT_UNLIKELY(!count_free(ledger, &hand, cell, size, temporary))) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return 0;
    }
    struct vbt_totals *totals = &ledger->totals[vbt_cell_domain(cell)];
    totals->frees++;
    totals->freed += size;
    ledger->live -= (int64_t)size;
    if (VBT_UNLIKELY(ledger->watched))
        ledger->watcher->free(ledger->watcher, vbt_account_node(hand.account), size, temporary, 1);
    if (temporary) {
        ledger->last_block = NULL;
        totals->temporary++;
    }
    if (ledger->live < atomic_load_explicit(&ledger->free_limit, memory_order_relaxed) && is_to_publish(ledger))
        publish_and_go_on(ledger);
    return cell;
}

void vbt_ledger_unfree(struct vbt_ledger *ledger, const void *block, uint64_t cell, bool was_last) {
    struct hand hand = {.has_to = true};
    size_t size = vbt_cell_size(cell);
    if (cell == 0 || !take(ledger, &hand, vbt_cell_account(cell)))
        return;
    struct vbt_counters *counters = hand.counters;
    struct vbt_totals *totals = &ledger->totals[vbt_cell_domain(cell)];
    if (cell & VBT_CELL_HUGE)
        vbt_shadow_put_huge(block, size = ledger->huge_size);
    set_epoch(ledger, &hand, counters->epoch & VBT_EPOCH_OWN);
    counters->frees--;
    counters->freed -= size;
    counters->temporary -= was_last;
    if (put(ledger, &hand) != PUT) /* as it was counted, and there is less to pack */
        ledger->lost[VBT_LOST_MEMORY]++;
    totals->frees--;
    totals->freed -= size;
    totals->temporary -= was_last;
    ledger->live += (int64_t)size;
    if (VBT_UNLIKELY(ledger->watched))
        ledger->watcher->free(ledger->watcher, vbt_account_node(hand.account), size, was_last, -1);
    if (counters->epoch & VBT_EPOCH_OWN)
        vbt_own_uncount_end(ledger, size);
    if (was_last)
        ledger->last_block = block;
    atomic_store_explicit(vbt_shadow_place(block, size), cell, memory_order_relaxed);
    if (ledger->live > atomic_load_explicit(&ledger->alloc_limit, memory_order_relaxed) && is_to_publish(ledger))
        publish_and_go_on(ledger);
}

bool vbt_ledger_move(struct vbt_ledger *ledger, const void *block, uint32_t node) {
    vbt_cell *slot = vbt_shadow_find(block);
    uint64_t cell = slot != NULL ? atomic_load_explicit(slot, memory_order_relaxed) : 0;
    if (cell == 0 || (cell & VBT_CELL_HUGE) != 0)
        return false;
    struct hand from = {.has_to = true}, to;
    size_t size = vbt_cell_size(cell);
    if (!take(ledger, &from, vbt_cell_account(cell)) || from.counters->allocs == 0 || vbt_counters_are_of_parent(from.counters))
        return false;
    if (vbt_account_node(from.account) == node)
        return true;
    if (!count_alloc(ledger, &to, (struct vbt_place){node, 0, &vbt_no_counters}, size))
        return false;
    set_epoch(ledger, &from, from.counters->epoch & VBT_EPOCH_OWN);
    from.counters->allocs--;
    from.counters->allocated -= size;
    vbt_sizes_uncount(from.counters, size);
    if (from.counters->epoch & VBT_EPOCH_OWN)
        vbt_own_uncount(ledger, size);
    if (put(ledger, &from) != PUT)
        ledger->lost[VBT_LOST_MEMORY]++;
    atomic_store_explicit(slot, vbt_cell_of_account(cell, to.account), memory_order_relaxed);
    return true;
}

uint32_t vbt_ledger_node_of(const void *block) {
    const vbt_cell *slot = vbt_shadow_find(block);
    uint64_t cell = slot != NULL ? VBT_PEEK(uint64_t, *slot) : 0;
    return (cell & VBT_CELL_DOMAIN) != 0 ? vbt_account_node(vbt_cell_account(cell)) : 0;
}

/* The same as take, of mapped memory, which is counted at accounts only. */
static bool take_mapped(struct vbt_ledger *ledger, struct hand *hand, struct vbt_place place) {
    uint32_t account = account_of(place);
    if (account == 0 || !take(ledger, hand, account))
        return false;
    set_epoch(ledger, hand, 0);
    return true;
}

void vbt_ledger_map(struct vbt_ledger *ledger, struct vbt_place place, uint64_t bytes) {
    struct hand hand = {.has_to = true};
    if (!take_mapped(ledger, &hand, place)) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return;
    }
    hand.counters->allocs++;
    hand.counters->allocated += bytes;
    ledger->mapped.allocs++;
    ledger->mapped.allocated += bytes;
    if (bytes != hand.counters->usual_size)
        vbt_sizes_count(ledger, hand.counters, bytes);
    atomic_store_explicit(&vbt_latest_rss, VBT_RSS_OLD, memory_order_relaxed);
}

void vbt_ledger_unmap(struct vbt_ledger *ledger, uint32_t node, uint64_t bytes, bool ends, bool temporary) {
    struct hand hand = {.has_to = true};
    if (!take_mapped(ledger, &hand, vbt_place_of(ledger, node))) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return;
    }
    hand.counters->freed += bytes;
    hand.counters->frees += ends;
    hand.counters->temporary += temporary;
    ledger->mapped.freed += bytes;
    ledger->mapped.frees += ends;
    ledger->mapped.temporary += temporary;
    atomic_store_explicit(&vbt_latest_rss, VBT_RSS_OLD, memory_order_relaxed);
}

int64_t vbt_ledger_at_peak(const struct vbt_counted *counted, uint64_t peak_epoch, bool peak_is_now) {
    const struct vbt_counters *counters = counted->counters;
    int64_t live = (int64_t)(counters->allocated - counters->freed);
    return peak_is_now || (counters->epoch & ~VBT_EPOCH_OWN) < peak_epoch ? live : counted->at_peak;
}
