/* See books.h. */
#include "books.h"

#include "thread.h"
#include "thread_rows.h"
#include "preload/ledger/interval.h"
#include "preload/ledger/ledger.h"
#include "preload/ledger/sizes.h"
#include "preload/tree/tree.h"

#include <string.h>

/* What was live at the fork, in all accounts of a domain. */
static VBT_CHANGED_BY_FORK struct vbt_inherited inherited[VBT_DOMAINS];

static struct vbt_thread *first_thread(void) { return atomic_load(&vbt_threads); }

static void add_totals(struct vbt_totals *sum, const struct vbt_totals *part) {
    sum->allocs += part->allocs;
    sum->frees += part->frees;
    sum->allocated += part->allocated;
    sum->freed += part->freed;
    sum->temporary += part->temporary;
}

void vbt_books_read(struct vbt_books *out) {
    *out = (struct vbt_books){0};
    int64_t live = 0;
    for (struct vbt_thread *thread = first_thread(); thread != NULL; thread = thread->next) {
        const struct vbt_ledger *ledger = &thread->ledger;
        for (int domain = 0; domain < VBT_DOMAIN_MAP; domain++) {
            add_totals(&out->totals[domain], &ledger->totals[domain]);
            out->unknown_frees[domain] += ledger->unknown_frees[domain];
        }
        add_totals(&out->totals[VBT_DOMAIN_MAP], &ledger->mapped);
        for (int reason = 0; reason < VBT_LOST_KINDS; reason++)
            out->lost[reason] += ledger->lost[reason];
        out->lost[VBT_LOST_SIGNAL] += thread->lost_in_signal;
        out->truncated += thread->stack.truncated;
        for (int cut = VBT_CUT_NONE + 1; cut < VBT_CUTS; cut++)
            out->truncated += thread->full.native.cuts[cut];
        out->compared += thread->full.native.compared;
        out->different += thread->full.native.different;
        live += ledger->live;
    }
    out->threads = vbt_thread_count();
    vbt_maps_read(&out->maps);
    out->unknown_frees[VBT_DOMAIN_MAP] = out->maps.unknown;
    out->lost[VBT_LOST_MAPS] = out->maps.forgotten;
    for (int domain = 0; domain < VBT_DOMAINS; domain++) {
        out->inherited_blocks[domain] = inherited[domain].blocks;
        out->inherited_bytes[domain] = inherited[domain].bytes;
    }
    out->peak = atomic_load(&vbt_peak.bytes);
    out->peak_epoch = atomic_load(&vbt_peak.epoch);
    uint32_t threads = atomic_load(&vbt_peak.threads);
    if (threads == 1 && live > out->peak) {
        out->peak = live;
        out->peak_is_now = true;
    } else if (threads > 1) {
        out->peak_error = (int64_t)threads * VBT_PEAK_BATCH;
    }
}

/* The histogram is larger than everything else, and most nodes request one size only: it is
 * computed only for those that do not. */
static void sum_sizes(uint32_t account, struct vbt_node_sum *out) {
    memset(out->sizes, 0, sizeof out->sizes);
    for (struct vbt_thread *thread = first_thread(); thread != NULL; thread = thread->next) {
        struct vbt_inherited part = {0};
        struct vbt_counted counted;
        if (vbt_counted_read(&thread->ledger, account, &part, &counted) && counted.counters->allocs > 0)
            vbt_sizes_read(counted.counters, out->sizes, &out->totals.min_size, &out->totals.max_size);
    }
    for (unsigned bucket = 0; bucket < VBT_SIZE_BUCKETS; bucket++)
        out->totals.buckets += out->sizes[bucket] != 0;
}

static uint32_t account_if_open(uint32_t node) { return atomic_load_explicit(&vbt_node_at(node)->account, memory_order_acquire); }

/* 0 for a slip that is just being added, or was when the process was forked without handlers. */
static uint32_t node_if_open(uint32_t slip) {
    uint32_t node = vbt_slip_node(slip), account = account_if_open(node);
    return account != 0 && vbt_account_slip(account) == slip ? node : 0;
}

bool vbt_books_node(const struct vbt_books *books, uint32_t node, struct vbt_node_sum *out) {
    struct vbt_node_totals *totals = &out->totals;
    *totals = (struct vbt_node_totals){.min_size = UINT64_MAX};
    uint32_t account = account_if_open(node);
    uint32_t threads = 0; /* that allocated here */
    bool several_sizes = false;
    bool any = false;
    struct vbt_inherited part = {0};
    for (struct vbt_thread *thread = account != 0 ? first_thread() : NULL; thread != NULL; thread = thread->next) {
        struct vbt_counted counted;
        if (!vbt_counted_read(&thread->ledger, account, &part, &counted))
            continue;
        const struct vbt_counters *counters = counted.counters;
        any = true;
        totals->allocs += counters->allocs;
        totals->frees += counters->frees;
        totals->allocated += counters->allocated;
        totals->freed += counters->freed;
        totals->temporary += counters->temporary;
        totals->at_peak += vbt_ledger_at_peak(&counted, books->peak_epoch, books->peak_is_now);
        threads += counters->allocs > 0;
        several_sizes |= counters->sizes != NULL;
        if (counters->allocs > 0)
            totals->min_size = totals->max_size = counters->usual_size;
    }
    if (several_sizes || threads > 1) {
        totals->min_size = UINT64_MAX;
        totals->max_size = 0;
        sum_sizes(account, out);
    } else {
        totals->buckets = threads;
    }
    totals->inherited_blocks = part.blocks;
    totals->inherited_bytes = part.bytes;
    totals->at_peak += (int64_t)part.bytes;
    any |= part.blocks != 0;
    if (totals->min_size == UINT64_MAX)
        totals->min_size = 0;
    return any;
}

static void add_thread(struct vbt_totals totals[VBT_DOMAINS], const struct vbt_thread *thread) {
    for (int domain = 0; domain < VBT_DOMAIN_MAP; domain++)
        add_totals(&totals[domain], &thread->ledger.totals[domain]);
    add_totals(&totals[VBT_DOMAIN_MAP], &thread->ledger.mapped);
}

void vbt_books_row(uint32_t row, struct vbt_totals totals[VBT_DOMAINS]) {
    memset(totals, 0, VBT_DOMAINS * sizeof *totals);
    for (const struct vbt_thread *thread = first_thread(); thread != NULL; thread = thread->next)
        if (thread->row == row)
            add_thread(totals, thread);
}

void vbt_books_rows(uint32_t last, struct vbt_totals totals[][VBT_DOMAINS]) {
    memset(totals, 0, (last + 1) * sizeof *totals);
    for (const struct vbt_thread *thread = first_thread(); thread != NULL; thread = thread->next)
        if (thread->row <= last)
            add_thread(totals[thread->row], thread);
}

/* The part of a row, created if there is none yet. */
static struct vbt_node_part *part_of(uint32_t row, struct vbt_node_part parts[], uint32_t *count) {
    uint32_t at = 0;
    while (at < *count && parts[at].row < row)
        at++;
    if (at == *count || parts[at].row != row) {
        memmove(&parts[at + 1], &parts[at], (*count - at) * sizeof *parts);
        parts[at] = (struct vbt_node_part){.row = row};
        ++*count;
    }
    return &parts[at];
}

uint32_t vbt_books_parts(const struct vbt_books *books, uint32_t node, struct vbt_node_part parts[]) {
    uint32_t count = 0;
    uint32_t account = account_if_open(node);
    struct vbt_inherited inherited_part = {0};
    for (struct vbt_thread *thread = account != 0 ? first_thread() : NULL; thread != NULL; thread = thread->next) {
        struct vbt_counted counted;
        if (!vbt_counted_read(&thread->ledger, account, &inherited_part, &counted) || thread->row > books->threads)
            continue; /* or it has only just begun */
        const struct vbt_counters *counters = counted.counters;
        struct vbt_node_part *part = part_of(thread->row, parts, &count);
        part->allocs += counters->allocs;
        part->frees += counters->frees;
        part->allocated += counters->allocated;
        part->freed += counters->freed;
        part->temporary += counters->temporary;
        part->at_peak += vbt_ledger_at_peak(&counted, books->peak_epoch, books->peak_is_now);
    }
    if (inherited_part.blocks != 0)
        part_of(1, parts, &count)->at_peak += (int64_t)inherited_part.bytes;
    return count;
}

/* Saves looking at each page of threads that do nothing, or have ended. */
static bool changed(const struct vbt_thread *thread, uint64_t epoch) {
    return atomic_load_explicit(&thread->ledger.epoch, memory_order_relaxed) >= epoch;
}

static bool slips_changed(uint32_t page, uint64_t epoch) {
    for (struct vbt_thread *thread = first_thread(); thread != NULL; thread = thread->next)
        if (changed(thread, epoch) &&
            atomic_load_explicit(&vbt_slip_page(&thread->ledger, page)->epoch, memory_order_relaxed) >= epoch)
            return true;
    return false;
}

static bool slip_changed(uint32_t number, uint64_t epoch) {
    for (struct vbt_thread *thread = first_thread(); thread != NULL; thread = thread->next) {
        const struct vbt_slip *slip = changed(thread, epoch) ? vbt_slip_at(&thread->ledger, number) : NULL;
        if (slip != NULL && slip->epoch >= epoch)
            return true;
    }
    return false;
}

static bool counters_changed(uint32_t page, uint64_t epoch) {
    for (struct vbt_thread *thread = first_thread(); thread != NULL; thread = thread->next) {
        const struct vbt_counters_page *counters = changed(thread, epoch) ? vbt_counters_page(&thread->ledger, page) : NULL;
        if (counters != NULL && atomic_load_explicit(&counters->epoch, memory_order_relaxed) >= epoch)
            return true;
    }
    return false;
}

static bool account_changed(uint32_t account, uint64_t epoch) {
    for (struct vbt_thread *thread = first_thread(); thread != NULL; thread = thread->next) {
        if (!changed(thread, epoch))
            continue;
        const struct vbt_counters_page *page = vbt_counters_page(&thread->ledger, account / VBT_PAGE_ACCOUNTS);
        if (page != NULL && (page->counters[account % VBT_PAGE_ACCOUNTS].epoch & ~VBT_EPOCH_OWN) >= epoch)
            return true;
    }
    return false;
}

/* Shell's sort: accounts are mostly opened in the order of their nodes, but a node that led to
 * others for long may get one late. */
static void sort(uint32_t nodes[], uint32_t count) {
    static const uint32_t gaps[] = {301, 23, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++) {
        for (uint32_t i = gaps[g]; i < count; i++) {
            uint32_t node = nodes[i], at = i;
            for (; at >= gaps[g] && nodes[at - gaps[g]] > node; at -= gaps[g])
                nodes[at] = nodes[at - gaps[g]];
            nodes[at] = node;
        }
    }
}

/* The nodes whose slips changed; those whose account has changed too come with the accounts. */
static uint32_t changed_slips(uint64_t since, uint32_t last, uint32_t *position, uint32_t nodes[], uint32_t most) {
    uint32_t count = 0, number = *position, end = vbt_slip_nodes.count;
    for (; number < end && count < most; number++) {
        if (since > 0 && number % VBT_PAGE_SLIPS == 0 && !slips_changed(number / VBT_PAGE_SLIPS, since)) {
            number += VBT_PAGE_SLIPS - 1;
            continue;
        }
        if (since > 0 && !slip_changed(number, since))
            continue; /* without a look at its node, which is somewhere else */
        uint32_t node = node_if_open(number), account = node != 0 ? vbt_account_if_made(node) : 0;
        if (node != 0 && node <= last && (since == 0 || account == 0 || !account_changed(account, since)))
            nodes[count++] = node;
    }
    *position = number < end ? number : VBT_BOOKS_END;
    return count;
}

static uint32_t changed_accounts(uint64_t since, uint32_t last, uint32_t *position, uint32_t nodes[], uint32_t most) {
    uint32_t count = 0, account = *position, end = vbt_account_slips.count;
    for (; account < end && count < most; account++) {
        if (account % VBT_PAGE_ACCOUNTS == 0 && !counters_changed(account / VBT_PAGE_ACCOUNTS, since)) {
            account += VBT_PAGE_ACCOUNTS - 1;
            continue;
        }
        if (!account_changed(account, since))
            continue;
        uint32_t node = vbt_account_node(account);
        if (node <= last && account_if_open(node) == account)
            nodes[count++] = node;
    }
    *position = account < end ? account : VBT_BOOKS_END;
    return count;
}

uint32_t vbt_books_changed(uint64_t since, uint32_t last, uint32_t *position, uint32_t nodes[], uint32_t most) {
    enum { ACCOUNTS = 1U << 31 }; /* in a position: all slips have been looked at, accounts from there on not */
    uint32_t count;
    if (*position < ACCOUNTS) {
        count = changed_slips(since, last, position, nodes, most);
        if (*position == VBT_BOOKS_END && since > 0)
            *position = ACCOUNTS;
    } else {
        uint32_t at = *position - ACCOUNTS;
        count = changed_accounts(since, last, &at, nodes, most);
        *position = at == VBT_BOOKS_END ? at : at + ACCOUNTS;
    }
    sort(nodes, count);
    return count;
}

/* The thread that forks was interrupted by a signal while it was changing its counters. Protected
 * by the tree's lock. */
static VBT_CHANGED_BY_FORK bool was_interrupted;

void vbt_books_before_fork(void) {
    bool interrupted = vbt_self != NULL && atomic_load(&vbt_self->standing) == VBT_IN_LEDGER;
    if (interrupted != was_interrupted)
        was_interrupted = interrupted;
}

/* Calls `call` for each account that a ledger has counters for. */
static void for_each_account(struct vbt_ledger *ledger, void (*call)(struct vbt_ledger *ledger, uint32_t account)) {
    for (uint32_t index = 0; index <= vbt_account_slips.count / VBT_PAGE_ACCOUNTS; index++)
        for (uint32_t n = 0; ledger->pages[index] != NULL && n < VBT_PAGE_ACCOUNTS; n++)
            call(ledger, index * VBT_PAGE_ACCOUNTS + n);
}

static enum vbt_domain domain_of(uint32_t account) { return vbt_node_at(vbt_account_node(account))->domain; }

/* Adds what a ledger has for a node. account: as vbt_counted_read takes it. */
static void add_inherited(const struct vbt_ledger *ledger, uint32_t account) {
    struct vbt_inherited part = {0};
    struct vbt_counted counted;
    vbt_counted_read(ledger, account, &part, &counted);
    if ((part.blocks == 0 && part.bytes == 0) || domain_of(account) == VBT_DOMAIN_MAP)
        return;
    inherited[domain_of(account)].blocks += part.blocks;
    inherited[domain_of(account)].bytes += part.bytes;
}

static void add_all_inherited(const struct vbt_ledger *ledger) {
    for (uint32_t slip = 1; slip < vbt_slip_nodes.count; slip++) {
        uint32_t node = node_if_open(slip);
        if (node != 0)
            add_inherited(ledger, account_if_open(node));
    }
}

/* What was live in the heap and in Python's. Where no other thread can have been in the middle of
 * an event, the totals say so; else they may differ from the counters, account by account, which
 * are what is reported. */
static void sum_inherited(void) {
    bool added_up = vbt_peak.threads > 1 || was_interrupted;
    for (int domain = 0; domain < VBT_DOMAIN_MAP; domain++) {
        if (added_up)
            inherited[domain] = (struct vbt_inherited){0};
        for (struct vbt_thread *thread = first_thread(); thread != NULL && !added_up; thread = thread->next) {
            const struct vbt_totals *totals = &thread->ledger.totals[domain];
            inherited[domain].blocks += totals->allocs - totals->frees;
            inherited[domain].bytes += totals->allocated - totals->freed;
        }
    }
    for (struct vbt_thread *thread = first_thread(); thread != NULL && added_up; thread = thread->next)
        add_all_inherited(&thread->ledger);
}

/* The event that was interrupted goes on in the child, as one of its own. */
static void inherit_at_once(struct vbt_ledger *ledger, uint32_t account) {
    struct vbt_counters *counters = vbt_counters_at(ledger, account);
    if (counters->epoch == 0)
        return;
    vbt_counters_inherit(ledger, account);
    counters->epoch = atomic_load(&vbt_fork_epoch) | (counters->epoch & VBT_EPOCH_OWN);
}

static void forget_mappings(struct vbt_ledger *ledger, uint32_t account) {
    struct vbt_counters_page *page = vbt_counters_page(ledger, account / VBT_PAGE_ACCOUNTS);
    uint32_t n = account % VBT_PAGE_ACCOUNTS;
    if (page->counters[n].epoch == 0 || domain_of(account) != VBT_DOMAIN_MAP)
        return;
    page->counters[n] = (struct vbt_counters){.epoch = page->counters[n].epoch};
    if (page->inherited != NULL)
        page->inherited[n] = (struct vbt_inherited){0};
}

static void inherit_mapping(uint32_t node, uint64_t bytes) {
    struct vbt_ledger *ledger = vbt_self != NULL ? &vbt_self->ledger : atomic_load(&vbt_ledgers);
    uint32_t account = account_if_open(node);
    if (account == 0 || vbt_counters_at(ledger, account) == NULL || !vbt_counters_add_inherited(ledger, account, 1, bytes))
        ledger->lost[VBT_LOST_MEMORY]++;
}

/* in_order: the counters and the books of mapped memory agree. Otherwise the latter are right. */
static void inherit_mappings(bool in_order) {
    for (struct vbt_thread *thread = first_thread(); thread != NULL && !in_order; thread = thread->next)
        for_each_account(&thread->ledger, forget_mappings);
    vbt_maps_inherit(in_order ? NULL : inherit_mapping);
    struct vbt_maps_sum sum;
    vbt_maps_read(&sum);
    inherited[VBT_DOMAIN_MAP] = (struct vbt_inherited){0};
    for (int kind = 0; kind < VBT_MAP_KINDS; kind++) {
        inherited[VBT_DOMAIN_MAP].blocks += sum.kinds[kind].inherited_blocks;
        inherited[VBT_DOMAIN_MAP].bytes += sum.kinds[kind].inherited_bytes;
    }
}

static void begin_again(struct vbt_thread *thread, int64_t live, int64_t own) {
    struct vbt_ledger *ledger = &thread->ledger;
    memset(ledger->totals, 0, sizeof ledger->totals);
    ledger->mapped = (struct vbt_totals){0};
    memset(ledger->unknown_frees, 0, sizeof ledger->unknown_frees);
    memset(ledger->lost, 0, sizeof ledger->lost);
    if (thread->lost_in_signal != 0)
        thread->lost_in_signal = 0;
    if (thread->stack.truncated != 0)
        thread->stack.truncated = 0;
    vbt_native_stack_forget_counts(&thread->full.native);
    ledger->live = live;
    atomic_store(&ledger->published, live);
    ledger->last_block = NULL;
    ledger->last_mapping = 0;
    ledger->own = own;
    ledger->own_totals = (struct vbt_totals){0};
    vbt_ledger_forget_crest(ledger);
    atomic_store(&ledger->alloc_limit, ledger->watched ? INT64_MIN : INT64_MAX);
    atomic_store(&ledger->free_limit, ledger->watched ? INT64_MAX : INT64_MIN);
    vbt_intervals_reset(ledger);
}

void vbt_books_inherit(bool in_order) {
    uint64_t epoch = atomic_fetch_add(&vbt_epoch, 1) + 1;
    atomic_store(&vbt_fork_epoch, epoch);
    sum_inherited();
    int64_t live = (int64_t)(inherited[VBT_DOMAIN_HEAP].bytes + inherited[VBT_DOMAIN_PYTHON].bytes);
    atomic_store(&vbt_peak.bytes, live);
    atomic_store(&vbt_peak.epoch, epoch);
    atomic_store(&vbt_peak.total, live);
    atomic_store(&vbt_peak.threads, 1); /* the states of the other threads are unused */
    int64_t own = atomic_load(&vbt_peak.own);
    atomic_store(&vbt_peak.program, live - own);
    atomic_store(&vbt_peak.lately, live - own);
    for (struct vbt_thread *thread = first_thread(); thread != NULL; thread = thread->next) {
        bool goes_on = thread == vbt_self; /* the one that forked, with all */
        begin_again(thread, goes_on ? live : 0, goes_on ? own : 0);
    }
    if (was_interrupted && vbt_self != NULL)
        for_each_account(&vbt_self->ledger, inherit_at_once);
    was_interrupted = false;
    vbt_interval_groups_forget();
    inherit_mappings(in_order);
}
