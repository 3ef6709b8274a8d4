/* See counters.h. */
#include "counters.h"

_Atomic uint64_t vbt_fork_epoch;
struct vbt_counters vbt_no_counters;

/* How much of a table can be written at first, and how much more at a time. All of it would count
 * as memory in use where the kernel does not overcommit. */
enum { LARGEST_PAGE = 64 * 1024, STEP = 8 * LARGEST_PAGE };

/* Of the table of slips, this much is on the first page of memory of the state. */
enum { BESIDE = 1024, LINE = 64 };

_Static_assert(VBT_FEW_ACCOUNTS / 4 / VBT_PAGE_ACCOUNTS * sizeof(void *) % STEP == 0, "all of the tables can be opened");

static size_t rounded(size_t size, size_t to) { return (size + to - 1) / to * to; }

static size_t slips_size(void) {
    size_t slips = vbt_most_accounts - vbt_first_slip_account;
    return rounded(slips / VBT_PAGE_SLIPS * sizeof(struct vbt_slip_page), LARGEST_PAGE);
}

/* What can be written at first begins here, relative to the state's page of memory, and ends there.
 * */
static size_t first_end(size_t size) { return rounded(BESIDE + rounded(size, LINE), LARGEST_PAGE) + STEP; }

void *vbt_counters_map(size_t size) {
    size_t pages = vbt_most_accounts / VBT_PAGE_ACCOUNTS * sizeof(struct vbt_counters_page *);
    size_t whole = slips_size() + rounded(BESIDE + rounded(size, LINE) + pages, LARGEST_PAGE) + STEP;
    char *start = vbt_map_reserved(whole);
    if (start == NULL)
        return NULL;
    char *state = start + slips_size();
    if (vbt_map_open(state - STEP, STEP + first_end(size)))
        return state + BESIDE;
    vbt_unmap(start, whole);
    return NULL;
}

void vbt_counters_begin(struct vbt_ledger *ledger, void *start, size_t size) {
    ledger->slips = (struct vbt_slip_page *)start - 1;
    ledger->slips_open = (STEP + BESIDE) / sizeof *ledger->slips;
    ledger->pages = (struct vbt_counters_page **)((char *)start + rounded(size, LINE));
    ledger->pages_open = (uint32_t)((first_end(size) - BESIDE - rounded(size, LINE)) / sizeof *ledger->pages);
}

static bool open_pages(struct vbt_ledger *ledger, uint32_t page) {
    uint32_t each = STEP / sizeof *ledger->pages, more = (page - ledger->pages_open + each) / each * each;
    if (!vbt_map_open(ledger->pages + ledger->pages_open, more * sizeof *ledger->pages))
        return false;
    ledger->pages_open += more;
    return true;
}

bool vbt_counters_open_slips(struct vbt_ledger *ledger, uint32_t page) {
    uint32_t each = STEP / sizeof *ledger->slips;
    while (page >= ledger->slips_open) {
        if (!vbt_map_open(vbt_slip_page(ledger, ledger->slips_open + each - 1), STEP))
            return false;
        ledger->slips_open += each;
    }
    return true;
}

struct vbt_counters *vbt_counters_make(struct vbt_ledger *ledger, uint32_t account) {
    struct vbt_counters_page **page = &ledger->pages[account / VBT_PAGE_ACCOUNTS];
    if (*page == NULL) {
        if (account / VBT_PAGE_ACCOUNTS >= ledger->pages_open && !open_pages(ledger, account / VBT_PAGE_ACCOUNTS))
            return NULL;
        struct vbt_counters_page *fresh = vbt_arena_alloc_lines(&ledger->arena, sizeof *fresh); /* a line an account */
        if (fresh == NULL)
            return NULL;
        atomic_thread_fence(memory_order_release); /* published before the pointer, which the stream's thread follows */
        *page = fresh;
    }
    return &(*page)->counters[account % VBT_PAGE_ACCOUNTS];
}

/* A part of a mapping can be freed without a free. */
static bool nothing_happened(const struct vbt_counters *counters) {
    return counters->allocs == 0 && counters->frees == 0 && counters->freed == 0;
}

const struct vbt_counters *vbt_counters_read(const struct vbt_ledger *ledger, uint32_t account, struct vbt_inherited *inherited) {
    const struct vbt_counters_page *page = vbt_counters_page(ledger, account / VBT_PAGE_ACCOUNTS);
    uint32_t index = account % VBT_PAGE_ACCOUNTS;
    if (page == NULL)
        return NULL;
    if (page->inherited != NULL) {
        inherited->blocks += page->inherited[index].blocks;
        inherited->bytes += page->inherited[index].bytes;
    }
    const struct vbt_counters *counters = &page->counters[index];
    if (vbt_counters_are_of_parent(counters)) {
        inherited->blocks += counters->allocs - counters->frees;
        inherited->bytes += counters->allocated - counters->freed;
        return NULL;
    }
    return nothing_happened(counters) ? NULL : counters;
}

static struct vbt_inherited *inherited_at(struct vbt_ledger *ledger, uint32_t account) {
    struct vbt_counters_page *page = vbt_counters_page(ledger, account / VBT_PAGE_ACCOUNTS);
    if (page->inherited == NULL) {
        struct vbt_inherited *fresh = vbt_arena_alloc(&ledger->arena, VBT_PAGE_ACCOUNTS * sizeof *fresh);
        atomic_thread_fence(memory_order_release); /* as in vbt_counters_make */
        page->inherited = fresh;
    }
    return page->inherited != NULL ? &page->inherited[account % VBT_PAGE_ACCOUNTS] : NULL;
}

bool vbt_counters_add_inherited(struct vbt_ledger *ledger, uint32_t account, uint64_t blocks, uint64_t bytes) {
    struct vbt_inherited *inherited = inherited_at(ledger, account);
    if (inherited == NULL)
        return false;
    inherited->blocks += blocks;
    inherited->bytes += bytes;
    return true;
}

bool vbt_counters_inherit(struct vbt_ledger *ledger, uint32_t account) {
    struct vbt_counters_page *page = vbt_counters_page(ledger, account / VBT_PAGE_ACCOUNTS);
    struct vbt_counters *counters = &page->counters[account % VBT_PAGE_ACCOUNTS];
    uint64_t blocks = counters->allocs - counters->frees, bytes = counters->allocated - counters->freed;
    if (nothing_happened(counters))
        return true;
    *counters = (struct vbt_counters){.epoch = counters->epoch};
    page->at_peak[account % VBT_PAGE_ACCOUNTS] = 0;
    atomic_signal_fence(memory_order_seq_cst); /* a tick in between misses what is live, rather than counting it twice */
    return (blocks == 0 && bytes == 0) || vbt_counters_add_inherited(ledger, account, blocks, bytes);
}
