/* See place.h. */
#include "place.h"

#include "preload/native/native_known.h"
#include "preload/tree/modules.h"
#include "preload/tree/tree.h"

void vbt_leaf_find(struct vbt_thread *thread, struct vbt_leaf *leaf, uint32_t parent, uintptr_t caller, enum vbt_domain domain) {
    leaf->address = caller;
    leaf->parent = parent;
    leaf->stamp = vbt_module_stamp();
    leaf->place = vbt_place_of(&thread->ledger, vbt_node_of(parent, vbt_native_site(caller), domain));
}

static struct vbt_place *leaf_place(struct vbt_thread *thread, uintptr_t caller) {
    const struct vbt_frame *python = vbt_python_leaf(&thread->stack);
    uint32_t parent = python != NULL ? python->node : 0;
    struct vbt_leaf *leaf = &thread->leaves[(caller ^ caller >> 8 ^ parent) % VBT_LEAF_CACHE];
    uint32_t generation = atomic_load_explicit(&vbt_module_generation, memory_order_relaxed);
    if (VBT_UNLIKELY(leaf->address != caller || leaf->parent != parent || leaf->stamp != generation))
        vbt_leaf_find(thread, leaf, parent, caller, VBT_DOMAIN_HEAP);
    return &leaf->place;
}

struct vbt_place *vbt_heap_place_else(struct vbt_thread *thread, uintptr_t sp, uintptr_t pc, uintptr_t fp) {
    enum vbt_stacks stacks = VBT_PEEK(enum vbt_stacks, vbt_stacks);
    if (stacks == VBT_STACKS_LEAF)
        return leaf_place(thread, pc);
    if (stacks == VBT_STACKS_NATIVE && VBT_UNLIKELY(vbt_native_verify_every != 0) &&
        vbt_native_repeats_verified(&thread->full.native, sp, pc, fp))
        return &thread->full.latest;
    struct vbt_place *known = stacks == VBT_STACKS_NATIVE ? vbt_native_known(&thread->full.native, sp, pc, fp) : NULL;
    if (known != NULL)
        return known;
    struct vbt_registers caller = {.sp = sp, .pc = pc, .fp = fp};
    return vbt_full_place(&thread->full, &thread->stack, &caller, VBT_DOMAIN_HEAP);
}

struct vbt_place vbt_map_place(struct vbt_thread *thread, struct vbt_registers caller, uint32_t mark) {
    struct vbt_leaf leaf;
    if (vbt_stacks != VBT_STACKS_LEAF) {
        leaf.place = *vbt_full_place(&thread->full, &thread->stack, &caller, VBT_DOMAIN_MAP);
    } else {
        const struct vbt_frame *python = vbt_python_leaf(&thread->stack);
        vbt_leaf_find(thread, &leaf, python != NULL ? python->node : 0, caller.pc, VBT_DOMAIN_MAP);
    }
    if (mark == 0)
        return leaf.place;
    const struct vbt_node *asked = vbt_node_at(leaf.place.node);
    uint32_t node = vbt_node_of(vbt_node_of(asked->parent, mark, VBT_DOMAIN_MAP), asked->site, VBT_DOMAIN_MAP);
    return vbt_place_of(&thread->ledger, node);
}

struct vbt_place vbt_step_place(struct vbt_thread *thread, const struct vbt_step *step) {
    if (step->place.account != 0)
        return step->place;
    struct vbt_place place = vbt_place_of(&thread->ledger, step->place.node);
    if (place.counters != NULL)
        thread->stack.steps[step - thread->stack.steps].place = place;
    return place;
}
