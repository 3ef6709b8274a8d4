/* The books of mapped memory: which addresses the program has mapped, from which call paths, and
 * what became of them.
 *
 * One mmap is one mapping and one allocation of whole pages. It is freed, byte for byte, wherever
 * munmap, another mapping over it or mremap takes a part of it; it counts as freed when nothing of
 * it is left. mremap is to mmap what realloc is to malloc: it ends the old part and begins a new
 * mapping. What was mapped by others (the loader, libc for itself) is not here.
 *
 * A thread takes addresses out of the books before it asks the kernel to unmap them, since the
 * kernel may give them to another thread at once, and settles or restores them when the kernel has
 * answered. Until then, its ledger holds them: they conflict with no other thread, and are counted
 * as live.
 *
 * All this is under one lock, held only for the bookkeeping and with signals blocked: a handler may
 * leave by siglongjmp. */
#ifndef VBT_MAPS_H
#define VBT_MAPS_H

#include "counters.h"

/* What all mappings of a kind add up to. */
struct vbt_map_totals {
    struct vbt_totals flow;
    uint64_t inherited_blocks, inherited_bytes;
};

struct vbt_maps_sum {
    struct vbt_map_totals kinds[VBT_MAP_KINDS];
    uint64_t unknown;   /* calls that unmapped something that was not known here, among other things */
    uint64_t forgotten; /* mappings of the parent that this process knows nothing of: see vbt_maps_begin_in_child */
    int64_t peak;       /* most bytes mapped at a time */
};

/* Bytes rounded up to whole pages, as the kernel maps them. */
uintptr_t vbt_page_up(uintptr_t bytes);

/* Takes what is known from start to end (whole pages) out of the books, for the ledger to hold; may
 * be called again for other addresses before they are settled. */
void vbt_maps_retire(struct vbt_ledger *ledger, uintptr_t start, uintptr_t end);

/* The kernel has unmapped what the ledger holds: books its end. Returns its bytes. */
uint64_t vbt_maps_settle(struct vbt_ledger *ledger);

/* The kernel refused: puts back what the ledger holds, as far as it is still mapped. (A mapping
 * over others that fails can have unmapped those already.) */
void vbt_maps_restore(struct vbt_ledger *ledger);

/* Books a new mapping of whole pages. What is known at these addresses has ended unseen. */
void vbt_maps_add(struct vbt_ledger *ledger, struct vbt_place place, enum vbt_map_kind kind, uintptr_t start, uintptr_t end);

/* Counts a call that unmapped something that was not known. */
void vbt_maps_unknown(void);

/* The lowest known part that ends above an address; false if there is none. */
struct vbt_mapped_part {
    uintptr_t start, end;
    enum vbt_map_kind kind;
};
bool vbt_maps_find(uintptr_t address, struct vbt_mapped_part *out);

/* Exact at rest. */
void vbt_maps_read(struct vbt_maps_sum *out);

/* The bytes of all known parts, added up one by one: what is live, if the books are right. */
uint64_t vbt_maps_held(void);

/* When the recording has stopped: settles or restores what threads hold, as the kernel says. */
void vbt_maps_resolve(void);

/* Around a fork, with signals blocked, in both processes: the child's books are consistent. */
void vbt_maps_before_fork(void);
void vbt_maps_after_fork(void);

/* In the child: frees the lock, and settles or restores what threads that are gone were holding.
 * in_order: vbt_maps_before_fork was called before the fork. Otherwise a thread that is gone may
 * have been changing the books: then they start from scratch, and what was in them is counted as
 * forgotten. own: the calling thread's ledger, or NULL. */
void vbt_maps_begin_in_child(bool in_order, const struct vbt_ledger *own);

/* In a child that does not record. */
void vbt_maps_free_lock(void);

/* In the child: what is live is inherited, all counts start at 0. Calls `call`, if it is not NULL,
 * for each live mapping. */
void vbt_maps_inherit(void (*call)(uint32_t node, uint64_t bytes));

#endif
