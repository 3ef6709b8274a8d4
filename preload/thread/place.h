/* Finding places: the call path of an event, with the thread's counters for it (struct
 * vbt_place). */
#ifndef VBT_PLACE_H
#define VBT_PLACE_H

#include "thread.h"

/* Fills a leaf: the node of an address that called an allocator, under a parent node. */
void vbt_leaf_find(struct vbt_thread *thread, struct vbt_leaf *leaf, uint32_t parent, uintptr_t caller, enum vbt_domain domain);

/* The place of an allocation by native code, where its stack is not the one that was captured last:
 * the registers are those of VBT_CALLER_REGISTERS. Where whole stacks are not captured, the address
 * that called the allocator, under the thread's Python stack. */
struct vbt_place *vbt_heap_place_else(struct vbt_thread *thread, uintptr_t sp, uintptr_t pc, uintptr_t fp);

/* The place of an allocation by native code. Valid until the thread's next one. */
VBT_INLINE struct vbt_place *vbt_heap_place(struct vbt_thread *thread, struct vbt_registers caller) {
    if (VBT_LIKELY(vbt_native_repeats(&thread->full.native, caller.sp, caller.pc, caller.fp)))
        return &thread->full.latest;
    return vbt_heap_place_else(thread, caller.sp, caller.pc, caller.fp);
}

/* The place of a mapping; mark: 0, or a site to insert above the address that requested it. */
struct vbt_place vbt_map_place(struct vbt_thread *thread, struct vbt_registers caller, uint32_t mark);

/* The place of one of the thread's steps. */
struct vbt_place vbt_step_place(struct vbt_thread *thread, const struct vbt_step *step);

/* The place of a request to Python's allocators: the Python stack; if there is none, the address
 * that made the request. */
static inline struct vbt_place vbt_python_request_place(struct vbt_thread *thread, uintptr_t caller) {
    const struct vbt_frame *python = vbt_python_leaf(&thread->stack);
    if (VBT_LIKELY(python != NULL && python->node != 0))
        return vbt_place_of(&thread->ledger, python->node);
    struct vbt_leaf leaf;
    vbt_leaf_find(thread, &leaf, 0, caller, VBT_DOMAIN_PYTHON);
    return leaf.place;
}

#endif
