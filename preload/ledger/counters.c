/* See counters.h. */
#include "counters.h"

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
        struct vbt_counters_page *fresh = vbt_arena_alloc(&ledger->arena, sizeof *fresh + 64);
        if (fresh == NULL)
            return NULL;
        fresh = (void *)(((uintptr_t)fresh + 63) & ~(uintptr_t)63); /* one cache line an account */
        atomic_thread_fence(memory_order_release); /* published before the pointer, which the stream's thread follows */
        *page = fresh;
    }
    return &(*page)->counters[account % VBT_PAGE_ACCOUNTS];
}
