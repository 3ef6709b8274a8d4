/* See counters.h. */
#include "counters.h"

#include "../where/tree.h"

struct vbt_counters *vbt_counters_make(struct vbt_ledger *ledger, uint32_t node) {
    uint32_t index = node / VBT_PAGE_NODES;
    struct vbt_counters_page ***directory = &ledger->directories[index / VBT_DIRECTORY_PAGES];
    if (*directory == NULL) {
        struct vbt_counters_page **fresh = vbt_arena_alloc(&ledger->arena, VBT_DIRECTORY_PAGES * sizeof *fresh);
        if (fresh == NULL)
            return NULL;
        atomic_thread_fence(memory_order_release); /* the stream's thread follows these pointers */
        *directory = fresh;
    }
    struct vbt_counters_page **page = &(*directory)[index % VBT_DIRECTORY_PAGES];
    if (*page == NULL) {
        struct vbt_counters_page *fresh = vbt_arena_alloc(&ledger->arena, sizeof *fresh + 64);
        if (fresh == NULL)
            return NULL;
        fresh = (void *)(((uintptr_t)fresh + 63) & ~(uintptr_t)63); /* one cache line a node */
        atomic_thread_fence(memory_order_release);
        *page = fresh;
    }
    struct vbt_counters *counters = &(*page)->counters[node % VBT_PAGE_NODES];
    if (vbt_node_at(node)->flags & VBT_SITE_OF_OURS)
        counters->clock |= VBT_CLOCK_OURS;
    return counters;
}
