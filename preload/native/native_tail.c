/* See native_tail.h. */
#include "native_tail.h"

#include "native_room.h"

#include <string.h>

/* Tails that allocate from one place share a few entries. One that has not been met is replaced
 * after so many captures, as in native_known.c. */
enum { ENTRIES = 2, PASSED = 8 };

static struct vbt_native_tail *entries_of(struct vbt_native_room *room, uintptr_t sp, uintptr_t pc) {
    return &room->tails[((pc ^ sp << 20) * VBT_GOLDEN >> (64 - VBT_TAIL_BITS)) / ENTRIES * ENTRIES];
}

/* From the inner to the outer: a word can be read if those before it are unchanged. */
VBT_INLINE bool words_stayed(const struct vbt_native_tail *tail) {
    for (const struct vbt_native_check *check = tail->checks + tail->checks_count; check-- > tail->checks;)
        if (VBT_UNLIKELY(*check->slot != check->value))
            return false;
    return true;
}

VBT_INLINE bool is_there(const struct vbt_native_stack *stack, const struct vbt_native_tail *tail,
                         const struct vbt_registers *caller, uint32_t outer) {
    const struct vbt_native_frame *frame = &stack->room->frames[outer];
    return tail->pc == caller->pc && tail->sp == caller->sp && (!tail->fp_matters || tail->fp == caller->fp) &&
           tail->generation == stack->generation && tail->outer == outer && frame->sp == tail->outer_sp &&
           frame->pc == tail->outer_pc && (!frame->fp_matters || frame->fp == tail->outer_fp) && words_stayed(tail);
}

const struct vbt_native_tail *vbt_native_tail(struct vbt_native_stack *stack, const struct vbt_registers *caller, uint32_t outer) {
    uint32_t generation = atomic_load_explicit(&vbt_module_generation, memory_order_relaxed);
    if (VBT_UNLIKELY(stack->room == NULL) || VBT_UNLIKELY(stack->stamp != generation) || VBT_UNLIKELY(outer > stack->top))
        return NULL;
    struct vbt_native_tail *tail = entries_of(stack->room, caller->sp, caller->pc);
    if (VBT_UNLIKELY(!is_there(stack, tail, caller, outer)) && !is_there(stack, ++tail, caller, outer))
        return NULL;
    if (VBT_UNLIKELY(vbt_native_changed_outside(stack->room, outer) != 0))
        return NULL;
    tail->passed = 0;
    return tail;
}

/* The entry for the latest capture: an outdated one of its own, or one that may be taken from
 * another; else NULL. */
static struct vbt_native_tail *entry_for(struct vbt_native_stack *stack, const struct vbt_native_frame *leaf, uint64_t list) {
    struct vbt_native_tail *entries = entries_of(stack->room, leaf->sp, leaf->pc);
    for (int i = 0; i < ENTRIES; i++)
        if (entries[i].pc == leaf->pc && entries[i].sp == leaf->sp && entries[i].list == list)
            return &entries[i];
    for (int i = 0; i < ENTRIES; i++)
        if (entries[i].generation != stack->generation || ++entries[i].passed >= PASSED)
            return &entries[i];
    return NULL;
}

void vbt_native_tail_remember(struct vbt_native_stack *stack, uint32_t outer, uint64_t list) {
    const struct vbt_native_frame *leaf = stack->whole, *frames = stack->room->frames;
    if (leaf == NULL || outer == 0 || outer >= stack->leaf)
        return;
    uint32_t first = frames[outer - 1].checks, count = leaf->checks - first; /* the outer frame's own are those found from inside */
    uint32_t sites = stack->leaf - outer - 1;
    struct vbt_native_tail *tail = count <= VBT_TAIL_CHECKS && sites <= VBT_TAIL_FRAMES ? entry_for(stack, leaf, list) : NULL;
    if (tail == NULL)
        return;
    tail->sp = leaf->sp;
    tail->pc = leaf->pc;
    tail->fp = leaf->fp;
    tail->outer_sp = frames[outer].sp;
    tail->outer_pc = frames[outer].pc;
    tail->outer_fp = frames[outer].fp;
    tail->first_sp = frames[outer + 1].sp;
    tail->outer = outer;
    tail->list = list;
    tail->checks_count = (uint16_t)count;
    tail->sites_count = (uint8_t)sites;
    tail->fp_matters = leaf->fp_matters != 0;
    tail->passed = 0;
    for (uint32_t i = 0; i < sites; i++)
        tail->sites[i] = frames[outer + 2 + i].node;
    memcpy(tail->checks, stack->room->checks + first, count * sizeof *tail->checks);
    tail->generation = stack->generation;
}

uint64_t vbt_native_list(struct vbt_native_stack *stack, uint64_t before, uint32_t site) {
    struct vbt_native_room *room = stack->room;
    struct vbt_native_list *list = &room->lists[(before * VBT_GOLDEN ^ site) * VBT_GOLDEN >> (64 - VBT_LIST_BITS)];
    if (VBT_UNLIKELY(list->before != before || list->site != site))
        *list = (struct vbt_native_list){before, ++room->last_list, site};
    return list->number;
}
