/* See native_known.h. */
#include "native_known.h"

#include "preload/tree/modules.h"
#include "native_room.h"

/* Stacks that allocate from one place share a few entries. One that has not been met is replaced
 * after so many captures: of stacks that take turns, at least some are met again and again. One
 * that is met so often in a row is captured instead: vbt_native_repeats is faster. */
enum { ENTRIES = 2, PASSED = 8, REPEATED = 16 };

static struct vbt_native_known *entries_of(struct vbt_native_room *room, uintptr_t sp, uintptr_t pc) {
    return &room->known[((pc ^ sp << 20) * VBT_GOLDEN >> (64 - VBT_KNOWN_BITS)) / ENTRIES * ENTRIES];
}

/* Is the frame that the words lead to still where it was? */
VBT_INLINE bool outer_stayed(const struct vbt_native_stack *stack, const struct vbt_native_known *known) {
    const struct vbt_native_frame *outer = &stack->room->frames[known->outer];
    return known->outer <= stack->top && outer->node == known->outer_node && outer->sp == known->outer_sp &&
           (!outer->fp_matters || outer->fp == known->outer_fp);
}

/* From the inner to the outer: a word can be read if those before it are unchanged. */
VBT_INLINE bool words_stayed(const struct vbt_native_known *known) {
    for (const struct vbt_native_check *check = known->checks + known->checks_count; check-- > known->checks;)
        if (*check->slot != check->value)
            return false;
    return true;
}

VBT_INLINE bool is_same(const struct vbt_native_stack *stack, const struct vbt_native_known *known, uintptr_t sp, uintptr_t pc,
                        uintptr_t fp) {
    return known->pc == pc && known->sp == sp && (!known->fp_matters || known->fp == fp) &&
           known->generation == stack->generation && outer_stayed(stack, known) && words_stayed(known) &&
           (known->outer == 0 || vbt_native_changed_outside(stack->room, known->outer) == 0);
}

struct vbt_place *vbt_native_known(struct vbt_native_stack *stack, uintptr_t sp, uintptr_t pc, uintptr_t fp) {
    uint32_t generation = atomic_load_explicit(&vbt_module_generation, memory_order_relaxed);
    if (VBT_UNLIKELY(stack->room == NULL) || VBT_UNLIKELY(stack->stamp != generation))
        return NULL;
    struct vbt_native_known *known = entries_of(stack->room, sp, pc), *end = known + ENTRIES;
    while (known < end && !is_same(stack, known, sp, pc, fp))
        known++;
    if (known == end)
        return NULL;
    if (VBT_UNLIKELY(vbt_native_verify_every != 0) && ++stack->unverified >= vbt_native_verify_every) {
        stack->different += vbt_native_capture(stack, &(struct vbt_registers){.sp = sp, .pc = pc, .fp = fp}) != known->place.node;
        vbt_native_not_again(stack); /* the thread's latest place is not this stack's */
    }
    known->passed = 0;
    stack->repeated = known == stack->met ? stack->repeated + 1 : 0;
    stack->met = stack->repeated < REPEATED ? known : NULL;
    return VBT_LIKELY(stack->met != NULL) ? &known->place : NULL;
}

/* The entry for a stack: an outdated one of its own, or one that may be taken from another; else
 * NULL. */
static struct vbt_native_known *entry_for(struct vbt_native_stack *stack, uintptr_t sp, uintptr_t pc, uint32_t node) {
    struct vbt_native_known *entries = entries_of(stack->room, sp, pc);
    for (int i = 0; i < ENTRIES; i++)
        if (entries[i].place.node == node && entries[i].sp == sp)
            return &entries[i];
    for (int i = 0; i < ENTRIES; i++)
        if (entries[i].generation != stack->generation || ++entries[i].passed >= PASSED)
            return &entries[i];
    return NULL;
}

void vbt_native_remember(struct vbt_native_stack *stack, struct vbt_place place) {
    const struct vbt_native_room *room = stack->room;
    const struct vbt_native_frame *leaf = stack->whole;
    if (leaf == NULL || leaf == &room->frames[stack->same])
        return;
    const struct vbt_native_frame *outer = &room->frames[stack->same];
    uint32_t first = stack->same > 0 ? outer[-1].checks : outer->checks; /* its own are those by which it was found from inside */
    uint32_t count = leaf->checks - first;
    struct vbt_native_known *known = count <= VBT_KNOWN_CHECKS ? entry_for(stack, leaf->sp, leaf->pc, place.node) : NULL;
    if (known == NULL)
        return;
    known->sp = leaf->sp;
    known->pc = leaf->pc;
    known->fp = leaf->fp;
    known->generation = stack->generation;
    known->outer_sp = outer->sp;
    known->outer_fp = outer->fp;
    known->outer_node = outer->node;
    known->outer = stack->same;
    known->checks_count = (uint16_t)count;
    known->fp_matters = leaf->fp_matters != 0;
    known->passed = 0;
    known->place = place;
    for (uint32_t i = 0; i < count; i++)
        known->checks[i] = room->checks[first + i];
}
