/* The books of mapped memory: which addresses the program has mapped, from which call paths, and what became of them.
 *
 * One mmap is one mapping and one allocation of whole pages. It is freed, byte for byte, wherever munmap, another mapping put over
 * it or mremap takes a part of it; it counts as freed when nothing of it is left. mremap is to mmap what realloc is to malloc: it ends the old
 * part and begins a new mapping. What was mapped by others (the loader, libc for itself) is not here.
 *
 * A thread takes addresses out of the books before it asks the kernel to unmap them, since the kernel may give them to another
 * thread at once, and settles or restores them when the kernel has answered. Until then they are in no thread's way and are
 * counted as live.
 *
 * All this is under one lock, held for the book-keeping alone and with signals blocked: a handler may leave by siglongjmp. */
#ifndef VBT_MAPS_H
#define VBT_MAPS_H

#include "counters.h"

/* What all mappings of a kind came to. */
struct vbt_map_totals {
    struct vbt_totals flow;
    uint64_t inherited_blocks, inherited_bytes;
};

struct vbt_maps_sum {
    struct vbt_map_totals kinds[VBT_MAP_KINDS];
    uint64_t unknown;   /* calls that unmapped, among others, what was not known here */
    uint64_t forgotten; /* mappings of the parent's that this process knows nothing of: see vbt_maps_begin_in_child */
    int64_t peak;       /* most bytes mapped at a time */
};

/* Bytes as the kernel maps them. */
uintptr_t vbt_page_up(uintptr_t bytes);

/* Takes what is known from start to end (whole pages) out of the books and into the ledger's hand; may be called again for other
 * addresses before they are settled. */
void vbt_maps_retire(struct vbt_ledger *ledger, uintptr_t start, uintptr_t end);

/* The kernel has unmapped what the ledger has in hand: books its end. Returns its bytes. */
uint64_t vbt_maps_settle(struct vbt_ledger *ledger);

/* The kernel refused: puts back what is in hand, as far as it is still mapped. (A mapping over others that fails can have unmapped
 * those already.) */
void vbt_maps_restore(struct vbt_ledger *ledger);

/* Books a new mapping of whole pages. What is known at these addresses has ended, unseen. */
void vbt_maps_add(struct vbt_ledger *ledger, struct vbt_place place, enum vbt_map_kind kind, uintptr_t start, uintptr_t end);

/* Counts a call that unmapped what was not known. */
void vbt_maps_unknown(void);

/* The lowest known part that ends above an address; false if there is none. */
struct vbt_mapped_part {
    uintptr_t start, end;
    enum vbt_map_kind kind;
};
bool vbt_maps_find(uintptr_t address, struct vbt_mapped_part *out);

/* Exact at rest. */
void vbt_maps_read(struct vbt_maps_sum *out);

/* Bytes of all known parts, added up one by one: what is live, if the books are right. */
uint64_t vbt_maps_held(void);

/* When the recording has stopped: what threads have in hand is settled or restored, as the kernel says. */
void vbt_maps_resolve(void);

/* Around a fork, with signals blocked, in both processes: the child's books are whole. */
void vbt_maps_before_fork(void);
void vbt_maps_after_fork(void);

/* In the child: nobody has the lock, and what threads had in hand that are gone is settled or restored. in_order: the fork was one that
 * vbt_maps_before_fork came before. Else a thread that is gone may have been amid the books: they are begun afresh, and what was in them
 * is counted as forgotten. own: the calling thread's ledger, or NULL. */
void vbt_maps_begin_in_child(bool in_order, const struct vbt_ledger *own);

/* In a child that does not record. */
void vbt_maps_free_lock(void);

/* In the child: what is live is inherited, all counts start at 0. Calls for each live mapping. */
void vbt_maps_inherit(void (*call)(uint32_t node, uint64_t bytes));

#endif
