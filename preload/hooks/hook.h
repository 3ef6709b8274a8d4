/* What every hook does: enter, ask where, call the real function, tell the ledger, leave. */
#ifndef VBT_HOOK_H
#define VBT_HOOK_H

#include "preload/ledger/ledger.h"
#include "preload/lifecycle.h"
#include "preload/base/real.h"
#include "preload/thread/thread.h"
#include "preload/tree/modules.h"
#include "preload/python/python.h"
#include "preload/tree/tree.h"

#define VBT_EXPORT __attribute__((visibility("default")))
#define VBT_CALLER ((uintptr_t)__builtin_return_address(0))

/* vbt_enter_as, where something stands in the way. */
struct vbt_thread *vbt_enter_slowly(enum vbt_standing as, uintptr_t caller);

/* vbt_enter_as where nothing stands in the way; NULL means only that vbt_enter_slowly must be asked. */
VBT_INLINE struct vbt_thread *vbt_enter_usual(enum vbt_standing as) {
    struct vbt_thread *thread = vbt_self_or_nobody;
    if (VBT_UNLIKELY(VBT_PEEK(uint32_t, thread->standing) != VBT_IDLE))
        return NULL;
    atomic_store_explicit(&thread->standing, (uint32_t)as, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst); /* whoever stops the recording makes it a full one: see vbt_lifecycle_stop */
    if (VBT_UNLIKELY(VBT_PEEK(uint32_t, vbt_recording) != VBT_RECORDING)) {
        atomic_store_explicit(&thread->standing, VBT_IDLE, memory_order_relaxed);
        return NULL;
    }
    return thread;
}

/* The calling thread's state, now standing as is said; or NULL, and the hook only passes the call on: nothing is recorded now, or the
 * hook was reached from inside another one. What a signal handler allocates while it interrupts our own bookkeeping is counted as lost.
 * caller: who called the hook, if it is one that an allocator may call; else 0. */
VBT_INLINE struct vbt_thread *vbt_enter_as(enum vbt_standing as, uintptr_t caller) {
    struct vbt_thread *thread = vbt_enter_usual(as);
    return VBT_LIKELY(thread != NULL) ? thread : vbt_enter_slowly(as, caller);
}

/* The same, standing in a call. */
VBT_INLINE struct vbt_thread *vbt_enter(void) { return vbt_enter_as(VBT_IN_CALL, 0); }

/* Where vbt_enter gave NULL: enters all the same if recording is paused, so that the end of something can be booked. The second does so
 * for a block that is known only. */
struct vbt_thread *vbt_enter_paused(void);
struct vbt_thread *vbt_enter_paused_for(const void *block);

VBT_INLINE void vbt_stand(struct vbt_thread *thread, enum vbt_standing standing) {
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&thread->standing, (uint32_t)standing, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
}

VBT_INLINE void vbt_leave(struct vbt_thread *thread) { vbt_stand(thread, VBT_IDLE); }

/* The place of an allocation by native code, until the thread's next one. */
VBT_INLINE const struct vbt_place *vbt_heap_place(struct vbt_thread *thread, struct vbt_registers caller) {
    if (VBT_LIKELY(vbt_native_repeats(&thread->full.native, caller.sp, caller.pc, caller.fp)))
        return &thread->full.latest;
    return vbt_heap_place_else(thread, caller.sp, caller.pc, caller.fp);
}

/* The place of a mapping, likewise; mark: 0, or a site to stand before the address that asked for it. */
static inline struct vbt_place vbt_map_place(struct vbt_thread *thread, struct vbt_registers caller, uint32_t mark) {
    struct vbt_leaf leaf;
    if (vbt_stacks != VBT_STACKS_LEAF) {
        leaf.place = vbt_full_place(thread, &caller, VBT_DOMAIN_MAP);
    } else {
        const struct vbt_frame *python = vbt_python_leaf(&thread->stack);
        vbt_native_leaf_find(thread, &leaf, python != NULL ? python->node : 0, caller.pc, VBT_DOMAIN_MAP);
    }
    if (mark == 0)
        return leaf.place;
    const struct vbt_node *asked = vbt_node_at(leaf.place.node);
    uint32_t node = vbt_node_of(vbt_node_of(asked->parent, mark, VBT_DOMAIN_MAP), asked->site, VBT_DOMAIN_MAP);
    return vbt_place_of(&thread->ledger, node);
}

/* The place of a request to Python's allocators, likewise: the Python stack; in its absence, the address that asked. */
static inline struct vbt_place vbt_python_request_place(struct vbt_thread *thread, uintptr_t caller) {
    const struct vbt_frame *python = vbt_python_leaf(&thread->stack);
    if (VBT_LIKELY(python != NULL && python->node != 0))
        return vbt_place_of(&thread->ledger, python->node);
    struct vbt_leaf leaf;
    vbt_native_leaf_find(thread, &leaf, 0, caller, VBT_DOMAIN_PYTHON);
    return leaf.place;
}

/* Does the program's malloc lead here? */
bool vbt_heap_is_hooked(void);

/* What is needed to take back the end of a block. */
struct vbt_retired {
    uint64_t cell;
    bool was_last;
};

/* Books the end of a block before the real call: once that has freed it, another thread may be given its address. */
static inline struct vbt_retired vbt_book_end(struct vbt_thread *thread, enum vbt_domain domain, const void *block) {
    vbt_stand(thread, VBT_IN_LEDGER);
    struct vbt_retired retired = {.was_last = thread->ledger.last_block == block};
    retired.cell = vbt_ledger_free(&thread->ledger, domain, block);
    vbt_stand(thread, domain == VBT_DOMAIN_HEAP ? VBT_IN_REAL : VBT_IN_CALL);
    return retired;
}

/* The block did not end after all: the realloc failed. */
static inline void vbt_book_end_undone(struct vbt_thread *thread, const void *block, struct vbt_retired retired) {
    vbt_stand(thread, VBT_IN_LEDGER);
    vbt_ledger_unfree(&thread->ledger, block, retired.cell, retired.was_last);
    vbt_stand(thread, VBT_IN_CALL);
}

#endif
