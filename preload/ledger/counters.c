/* See counters.h. */
#include "counters.h"

_Atomic uint64_t vbt_fork_epoch;
struct vbt_counters vbt_no_counters;

/* How many pages can be written at first, and how many more at a time. All of them would count as
 * memory in use where the kernel does not overcommit. */
enum { STEP = VBT_FEW_ACCOUNTS / VBT_PAGE_ACCOUNTS, LARGEST_PAGE = 64 * 1024 };

_Static_assert(STEP * sizeof(uint64_t) % LARGEST_PAGE == 0, "what is opened is whole pages of memory");

static size_t table_size(void) { return vbt_most_accounts / VBT_PAGE_ACCOUNTS * sizeof(uint64_t); }

static size_t whole_pages(size_t size) { return (size + LARGEST_PAGE - 1) / LARGEST_PAGE * LARGEST_PAGE; }

void *vbt_counters_map(size_t size) {
    size_t table = table_size(), state = whole_pages(size), open = STEP * sizeof(uint64_t);
    char *start = vbt_map_reserved(2 * table + state);
    if (start == NULL)
        return NULL;
    if (vbt_map_open(start + table - open, open + state + open))
        return start + table;
    vbt_unmap(start, 2 * table + state);
    return NULL;
}

void vbt_counters_begin(struct vbt_ledger *ledger, void *start, size_t size) {
    ledger->page_epochs = (_Atomic uint64_t *)start - 1;
    ledger->pages = (struct vbt_counters_page **)((char *)start + whole_pages(size));
    ledger->pages_open = STEP;
}

/* Makes the tables writable up to a page's entry. */
static bool open_pages(struct vbt_ledger *ledger, uint32_t page) {
    uint32_t open = ledger->pages_open, end = (page / STEP + 1) * STEP;
    size_t size = (end - open) * sizeof(uint64_t);
    if (!vbt_map_open(ledger->pages + open, size) || !vbt_map_open((void *)vbt_page_epoch(ledger, end - 1), size))
        return false;
    ledger->pages_open = end;
    return true;
}

struct vbt_counters *vbt_counters_make(struct vbt_ledger *ledger, uint32_t account) {
    struct vbt_counters_page **page = &ledger->pages[account / VBT_PAGE_ACCOUNTS];
    if (*page == NULL) {
        if (account / VBT_PAGE_ACCOUNTS >= ledger->pages_open && !open_pages(ledger, account / VBT_PAGE_ACCOUNTS))
            return NULL;
        struct vbt_counters_page *fresh = vbt_arena_alloc_lines(&ledger->arena, sizeof *fresh); /* one an account */
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
