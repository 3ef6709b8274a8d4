/* See counters.h. */
#include "counters.h"

struct vbt_counters *vbt_counters_make(struct vbt_ledger *ledger, uint32_t account) {
    struct vbt_counters_page **page = &ledger->pages[account / VBT_PAGE_ACCOUNTS];
    if (*page == NULL) {
        struct vbt_counters_page *fresh = vbt_arena_alloc(&ledger->arena, sizeof *fresh + 64);
        if (fresh == NULL)
            return NULL;
        fresh = (void *)(((uintptr_t)fresh + 63) & ~(uintptr_t)63); /* one cache line an account */
        atomic_thread_fence(memory_order_release); /* published before the pointer, which the stream's thread follows */
        *page = fresh;
    }
    return &(*page)->counters[account % VBT_PAGE_ACCOUNTS];
}
