/* See native_tail.h. */
#include "native_tail.h"

#include "native_room.h"

#include <string.h>

/* Tails that begin alike share a few entries. One that has not been met is replaced after so many
 * captures, as in native_known.c. */
enum { ENTRIES = 4, PASSED = 8, STEPS = 2 };

/* A hash of where a tail begins, how far it reaches, and the next return addresses, as far as they
 * are quickly found. */
VBT_INLINE uintptr_t hash_of(const struct vbt_native_stack *stack, uintptr_t sp, uintptr_t pc, uintptr_t distance) {
    const struct vbt_native_memo *memos = stack->room->memos;
    const struct vbt_stack_range *range = &stack->ranges[0];
    uintptr_t hash = pc ^ distance << 20, room = sp - range->start < range->end - range->start ? range->end - sp : 0;
    for (int i = 0; i < STEPS; i++) {
        const struct vbt_native_memo *memo = &memos[pc * VBT_GOLDEN >> (64 - VBT_MEMO_BITS)];
        if (VBT_UNLIKELY(memo->pc != pc) || VBT_UNLIKELY(memo->rule.kind != VBT_RULE_SP) ||
            VBT_UNLIKELY((uintptr_t)memo->rule.cfa > room))
            break;
        sp += (uintptr_t)memo->rule.cfa;
        room -= (uintptr_t)memo->rule.cfa;
        pc = vbt_plain_address(*(const uintptr_t *)vbt_ra_slot(memo->rule, sp));
        hash = hash * VBT_GOLDEN ^ pc;
    }
    return hash * VBT_GOLDEN;
}

/* Where the tail is noted that was met last among those that begin and reach alike: mostly it is
 * met again, and hash_of takes longer than to compare it. */
VBT_INLINE uint16_t *latest_of(struct vbt_native_room *room, uintptr_t pc, uintptr_t distance) {
    return &room->latest_tails[(pc ^ distance << 20) * VBT_GOLDEN >> (64 - VBT_LATEST_TAIL_BITS)];
}

static struct vbt_native_tail *entries_of(struct vbt_native_room *room, uintptr_t hash) {
    return &room->tails[(hash >> (64 - VBT_TAIL_BITS)) / ENTRIES * ENTRIES];
}

/* Whatever the frame inside it has called, the same word leads to such an outer frame: of the tail,
 * neither its return address nor the word matters. */
VBT_INLINE bool is_found_by_its_own(const struct vbt_native_frame *outer) {
    return VBT_RA_BELOW_CFA && !outer->fp_matters && outer->checks - outer[-1].checks == 1;
}

/* Whose frame pointer matters. */
enum { OF_LEAF = 1, OF_OUTER = 2 };

/* What is now there, of a register or word that was kept, if it is what it was. */
VBT_INLINE uintptr_t expected(struct vbt_tail_word word, uintptr_t sp) {
    return word.value + (sp & (uintptr_t)(intptr_t)word.on_stack);
}

/* From the inner to the outer: a word can be read if those before it are unchanged. */
static bool words_stayed(const struct vbt_native_tail *tail, uintptr_t sp, bool by_its_own) {
    for (const struct vbt_tail_word *check = tail->checks + tail->checks_count; check-- > tail->checks + by_its_own;)
        if (*(const uintptr_t *)(sp + (uintptr_t)(intptr_t)check->distance) != expected(*check, sp))
            return false;
    return true;
}

static bool is_there(const struct vbt_native_stack *stack, const struct vbt_native_tail *tail, const struct vbt_registers *caller,
                     const struct vbt_native_frame *outer, bool by_its_own) {
    uintptr_t sp = caller->sp;
    return tail->pc == caller->pc && tail->outer_sp == outer->sp - sp && (by_its_own || tail->outer_pc == outer->pc) &&
           tail->generation == stack->generation && ((tail->fp_matters & OF_LEAF) == 0 || expected(tail->fp, sp) == caller->fp) &&
           (!outer->fp_matters || ((tail->fp_matters & OF_OUTER) != 0 && expected(tail->outer_fp, sp) == outer->fp)) &&
           words_stayed(tail, sp, by_its_own);
}

static __attribute__((noinline)) struct vbt_native_tail *
search(const struct vbt_native_stack *stack, const struct vbt_registers *caller, const struct vbt_native_frame *outer) {
    struct vbt_native_room *room = stack->room;
    bool by_its_own = is_found_by_its_own(outer);
    uintptr_t distance = outer->sp - caller->sp;
    struct vbt_native_tail *entries = entries_of(room, hash_of(stack, caller->sp, caller->pc, distance));
    for (int i = 0; i < ENTRIES; i++) {
        if (!is_there(stack, &entries[i], caller, outer, by_its_own))
            continue;
        *latest_of(room, caller->pc, distance) = (uint16_t)(&entries[i] - room->tails);
        return &entries[i];
    }
    return NULL;
}

/* The tail that was met last, if it is there again and nothing about it is special: false also for
 * others. */
VBT_INLINE bool is_there_again(const struct vbt_native_stack *stack, const struct vbt_native_tail *tail,
                               const struct vbt_registers *caller, const struct vbt_native_frame *outer) {
    uintptr_t sp = caller->sp;
    if (VBT_UNLIKELY(tail->pc != caller->pc) || VBT_UNLIKELY(tail->outer_sp != outer->sp - sp) ||
        VBT_UNLIKELY(tail->generation != stack->generation) || VBT_UNLIKELY((tail->fp_matters | tail->has_distances) != 0))
        return false;
    for (const struct vbt_tail_word *check = tail->checks + tail->checks_count; --check > tail->checks;)
        if (VBT_UNLIKELY(*(const uintptr_t *)(sp + (uintptr_t)(intptr_t)check->distance) != check->value))
            return false;
    return true;
}

const struct vbt_native_tail *vbt_native_tail(struct vbt_native_stack *stack, const struct vbt_registers *caller, uint32_t outer) {
    uint32_t generation = atomic_load_explicit(&vbt_module_generation, memory_order_relaxed);
    if (VBT_UNLIKELY(stack->room == NULL) || VBT_UNLIKELY(stack->stamp != generation) || VBT_UNLIKELY(outer > stack->top))
        return NULL;
    const struct vbt_native_frame *frame = &stack->room->frames[outer];
    bool by_its_own = is_found_by_its_own(frame);
    struct vbt_native_tail *tail = &stack->room->tails[*latest_of(stack->room, caller->pc, frame->sp - caller->sp)];
    if (VBT_UNLIKELY(!by_its_own || !is_there_again(stack, tail, caller, frame)) && (tail = search(stack, caller, frame)) == NULL)
        return NULL;
    if (VBT_UNLIKELY(vbt_native_changed_outside(stack->room, outer + by_its_own) != 0))
        return NULL;
    tail->passed = 0;
    return tail;
}

/* The entry for the latest capture: an outdated one of its own, or one that may be taken from
 * another; else NULL. */
static struct vbt_native_tail *entry_for(struct vbt_native_stack *stack, const struct vbt_native_frame *leaf, uintptr_t outer_sp,
                                         uint64_t list) {
    struct vbt_native_tail *entries = entries_of(stack->room, hash_of(stack, leaf->sp, leaf->pc, outer_sp));
    for (int i = 0; i < ENTRIES; i++)
        if (entries[i].pc == leaf->pc && entries[i].outer_sp == outer_sp && entries[i].list == list)
            return &entries[i];
    for (int i = 0; i < ENTRIES; i++)
        if (entries[i].generation != stack->generation || ++entries[i].passed >= PASSED)
            return &entries[i];
    return NULL;
}

/* A register or word with this value. */
static struct vbt_tail_word word_of(const struct vbt_native_stack *stack, uintptr_t sp, const uintptr_t *slot, uintptr_t value) {
    bool on_stack = value - sp < stack->ranges[0].end - sp;
    return (struct vbt_tail_word){on_stack ? value - sp : value, (int32_t)((intptr_t)slot - (intptr_t)sp), on_stack ? -1 : 0};
}

void vbt_native_tail_remember(struct vbt_native_stack *stack, uint32_t outer, uint64_t list) {
    const struct vbt_native_frame *leaf = stack->whole, *frames = stack->room->frames;
    if (leaf == NULL || outer == 0 || outer >= stack->leaf)
        return;
    uint32_t first = frames[outer - 1].checks, count = leaf->checks - first; /* the outer frame's own are those found from inside */
    uint32_t sites = stack->leaf - outer - 1;
    uintptr_t sp = leaf->sp, distance = frames[outer].sp - sp;
    bool fits = count <= VBT_TAIL_CHECKS && sites <= VBT_TAIL_FRAMES && distance <= INT32_MAX;
    struct vbt_native_tail *tail = fits ? entry_for(stack, leaf, distance, list) : NULL;
    if (tail == NULL)
        return;
    tail->pc = leaf->pc;
    tail->outer_pc = frames[outer].pc;
    tail->outer_sp = (uint32_t)distance;
    tail->first_sp = (uint32_t)(frames[outer + 1].sp - sp);
    tail->list = list;
    tail->fp = word_of(stack, sp, NULL, leaf->fp);
    tail->outer_fp = word_of(stack, sp, NULL, frames[outer].fp);
    tail->checks_count = (uint16_t)count;
    tail->sites_count = (uint8_t)sites;
    tail->fp_matters = (uint8_t)((leaf->fp_matters ? OF_LEAF : 0) | (frames[outer].fp_matters ? OF_OUTER : 0));
    tail->passed = 0;
    for (uint32_t i = 0; i < sites; i++)
        tail->sites[i] = frames[outer + 2 + i].node;
    tail->has_distances = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct vbt_native_check *check = &stack->room->checks[first + i];
        tail->checks[i] = word_of(stack, sp, check->slot, check->value);
        tail->has_distances |= tail->checks[i].on_stack != 0;
    }
    tail->generation = stack->generation;
}

uint64_t vbt_native_list(struct vbt_native_stack *stack, uint64_t before, uint32_t site) {
    struct vbt_native_room *room = stack->room;
    struct vbt_native_list *list = &room->lists[(before * VBT_GOLDEN ^ site) * VBT_GOLDEN >> (64 - VBT_LIST_BITS)];
    if (VBT_UNLIKELY(list->before != before || list->site != site))
        *list = (struct vbt_native_list){before, ++room->last_list, site};
    return list->number;
}
