/* See native_stack.h. */
#include "native_stack.h"

#include "native_oracle.h"
#include "format/count.h"
#include "native_room.h"
#include "native_rules.h"
#include "preload/tree/tree.h"

uint32_t vbt_native_verify_every;
const struct vbt_native_frame vbt_native_nowhere;

/* Nodes that stand for the missing callers of a cut stack. */
static uint32_t cut_nodes[VBT_CUTS];

bool vbt_native_stack_init(void) {
    static const char *const names[VBT_CUTS] = {
        [VBT_CUT_NO_CFI] = "[truncated: no unwind information]",
        [VBT_CUT_JIT] = "[truncated: generated code]",
        [VBT_CUT_DEPTH] = "[truncated: too deep]",
        [VBT_CUT_MEMORY] = "[truncated: unreadable stack]",
    };
    for (int cut = VBT_CUT_NONE + 1; cut < VBT_CUTS; cut++) {
        vbt_lock(&vbt_tree_lock);
        uint32_t site = vbt_intern_special_site(names[cut]);
        vbt_unlock(&vbt_tree_lock);
        cut_nodes[cut] = vbt_node_of(0, site, VBT_DOMAIN_HEAP);
        if (site == 0)
            return false;
    }
    return true;
}

/* ---- what is known of return addresses ---- */

static __attribute__((noinline)) void learn(struct vbt_native_memo *memo, uintptr_t pc) {
    memo->rule = vbt_native_rule(pc, &memo->site);
    if (memo->site == 0) /* no memory */
        memo->site = vbt_tree.lost_site;
    memo->pc = pc;
}

VBT_INLINE struct vbt_native_memo *memo_of(struct vbt_native_room *room, uintptr_t pc) {
    struct vbt_native_memo *memo = &room->memos[pc * VBT_GOLDEN >> (64 - VBT_MEMO_BITS)];
    if (VBT_UNLIKELY(memo->pc != pc))
        learn(memo, pc);
    return memo;
}

/* The same, where the next inner frame is known: a function is mostly called from where it was
 * called before, so that the next frame's rule is there before the stack is read. */
VBT_INLINE struct vbt_native_memo *memo_outside(struct vbt_native_room *room, struct vbt_native_memo *inner, uintptr_t pc) {
    struct vbt_native_memo *memo = &room->memos[inner->outer];
    if (VBT_LIKELY(memo->pc == pc))
        return memo;
    memo = memo_of(room, pc);
    inner->outer = (uint32_t)(memo - room->memos);
    return memo;
}

/* ---- one step outwards ---- */

enum { GO_ON = -1 }; /* else an enum vbt_cut */

/* The frame that an interrupted function's registers describe. */
static int step_out_of_signal(struct vbt_native_stack *stack, const struct vbt_walked *from, struct vbt_walked *to) {
    uintptr_t context = from->at.sp + VBT_SIGNAL_CONTEXT;
    if (!vbt_stack_reach(&stack->ranges[0], context + VBT_SIGNAL_CONTEXT_SIZE))
        return VBT_CUT_MEMORY;
    to->at = vbt_interrupted((const ucontext_t *)context);
    to->pc_slot = to->fp_slot = to->sp_slot = NULL;
    stack->is_fleeting = true;
    if (to->at.sp % sizeof(uintptr_t) != 0 || !vbt_is_readable(to->at.sp))
        return VBT_CUT_MEMORY;
    vbt_stack_enter(stack->ranges, to->at.sp);
    return GO_ON;
}

/* A word of the frame of `from`; NULL where there can be no frame. */
static const uintptr_t *word_of_frame(struct vbt_native_stack *stack, const struct vbt_walked *from, uintptr_t at) {
    bool good = at >= from->at.sp && at % sizeof(uintptr_t) == 0 && at < UINTPTR_MAX - sizeof(uintptr_t) &&
                vbt_stack_reach(&stack->ranges[0], at + sizeof(uintptr_t));
    return good ? (const uintptr_t *)at : NULL;
}

/* A step by a rule for a frame, with every check. */
static int step_carefully(struct vbt_native_stack *stack, const struct vbt_walked *from, struct vbt_walked *to) {
    struct vbt_rule rule = from->memo->rule;
    bool by_sp = rule.kind == VBT_RULE_SP || rule.kind == VBT_RULE_LEAF;
    uintptr_t cfa = (by_sp ? from->at.sp : from->at.fp) + (uintptr_t)(intptr_t)rule.cfa;
    to->at = from->at;
    to->pc_slot = to->fp_slot = to->sp_slot = NULL;
    if (rule.kind == VBT_RULE_FP_LOAD) {
        if ((to->sp_slot = word_of_frame(stack, from, cfa)) == NULL)
            return VBT_CUT_MEMORY;
        cfa = *to->sp_slot;
    }
#if defined __aarch64__
    if (rule.kind == VBT_RULE_LEAF) {
        to->at.pc = vbt_plain_address(from->at.lr);
        to->at.lr = 0;
    } else
#endif
    {
        to->pc_slot = word_of_frame(stack, from, vbt_ra_slot(rule, cfa));
        if (to->pc_slot == NULL || cfa <= from->at.sp)
            return VBT_CUT_MEMORY;
        to->at.pc = vbt_plain_address(*to->pc_slot);
    }
    if (rule.fp != VBT_FP_KEPT) {
        uintptr_t slot = rule.fp == VBT_FP_AT_FP ? from->at.fp : cfa + (uintptr_t)(intptr_t)rule.fp;
        bool in_red_zone = rule.kind == VBT_RULE_LEAF && slot < from->at.sp && from->at.sp - slot <= VBT_RED_ZONE;
        to->fp_slot = in_red_zone && vbt_is_readable(slot) ? (const uintptr_t *)slot : word_of_frame(stack, from, slot);
        if (to->fp_slot == NULL)
            return VBT_CUT_MEMORY;
        to->at.fp = *to->fp_slot;
    }
    to->at.sp = cfa;
    if (to->at.pc == 0)
        return VBT_CUT_NONE;
    return cfa % sizeof(uintptr_t) == 0 ? GO_ON : VBT_CUT_MEMORY;
}

/* Leaves all that lies outside `from` to libunwind. */
static int step_by_oracle(struct vbt_native_stack *stack, const struct vbt_walked *from, struct vbt_walked *to, uint32_t *count) {
    struct vbt_oracle_frame *frames = stack->room->oracle;
    uint32_t room = VBT_NATIVE_FRAMES - (uint32_t)(to - stack->room->walked);
    uint32_t found = vbt_oracle_walk(&from->at, frames, room);
    if (found < 2)
        return VBT_CUT_NO_CFI;
    stack->is_fleeting = true;
    for (uint32_t i = 1; i < found; i++) {
        struct vbt_native_memo *memo = memo_of(stack->room, frames[i].pc);
        to[i - 1] = (struct vbt_walked){.at = {.sp = frames[i].sp, .pc = frames[i].pc}, .memo = memo};
    }
    *count = found - 1;
    return VBT_CUT_NONE;
}

/* One step outwards from to[-1] where it is not simple. *count: frames that were found. */
static __attribute__((noinline)) int step(struct vbt_native_stack *stack, struct vbt_walked *to, uint32_t *count) {
    struct vbt_walked *from = to - 1;
    if (from->memo->rule.kind == VBT_RULE_NO_MODULE)
        learn(from->memo, from->at.pc); /* there may be one by now */
    int outcome = GO_ON;
    *count = 0;
    switch (from->memo->rule.kind) {
    case VBT_RULE_END:
        return VBT_CUT_NONE;
    case VBT_RULE_NO_CFI:
        return VBT_CUT_NO_CFI;
    case VBT_RULE_NO_MODULE:
        return VBT_CUT_JIT;
    case VBT_RULE_ASK:
        return step_by_oracle(stack, from, to, count);
    case VBT_RULE_SIGNAL:
        outcome = step_out_of_signal(stack, from, to);
        break;
    default:
        outcome = step_carefully(stack, from, to);
    }
    *count = outcome == GO_ON;
    return outcome;
}

/* ---- the whole walk ---- */

/* Puts the innermost `count` walked frames on top of frames[outer]. What a frame takes from the
 * next outer one stays in registers: through memory it would have to wait for it. Returns the
 * innermost frame. */
VBT_INLINE struct vbt_native_frame *push(struct vbt_native_stack *stack, uint32_t outer, uint32_t count, bool of_sites) {
    struct vbt_native_room *room = stack->room;
    struct vbt_native_frame *frame = &room->frames[outer];
    struct vbt_native_check *check = &room->checks[frame->checks];
    uint32_t node = frame->node;
    uint16_t fp_matters = frame->fp_matters;
    for (const struct vbt_walked *walked = &room->walked[count]; walked-- > room->walked;) {
        struct vbt_native_memo *memo = walked->memo;
        if (VBT_UNLIKELY(memo->pc != walked->at.pc)) /* another frame of this walk took the memo's place */
            learn(memo, walked->at.pc);
        bool by_fp = memo->rule.kind == VBT_RULE_FP || memo->rule.kind == VBT_RULE_FP_LOAD;
        fp_matters = by_fp | ((memo->rule.fp >= 0) & fp_matters);
        check->slot = walked->pc_slot;
        check->value = vbt_stored_address(walked->pc_slot, walked->at.pc);
        check += walked->pc_slot != NULL; /* no branch: each capture has one frame without a slot, which is hard to predict */
        if (fp_matters && walked->fp_slot != NULL)
            *check++ = (struct vbt_native_check){walked->fp_slot, walked->at.fp};
        if (VBT_UNLIKELY(walked->sp_slot != NULL))
            *check++ = (struct vbt_native_check){walked->sp_slot, walked->at.sp};
        node = of_sites ? memo->site : vbt_node_of(node, memo->site, VBT_DOMAIN_HEAP);
        frame++;
        frame->sp = walked->at.sp;
        frame->pc = walked->at.pc;
        frame->fp = walked->at.fp;
        frame->node = node;
        frame->checks = (uint16_t)(check - room->checks);
        frame->fp_matters = fp_matters;
    }
    return frame;
}

struct way {
    uint32_t met;   /* index of the frame of the last capture at which the walk ended; 0: none */
    uint32_t count; /* frames walked */
    int outcome;    /* enum vbt_cut; GO_ON where a frame was met */
};

/* Whatever is called from it, the same word leads to such a frame. */
VBT_INLINE bool found_by_return_address_alone(const struct vbt_native_frame *frame) {
    return VBT_RA_BELOW_CFA && !frame->fp_matters && frame->checks - frame[-1].checks == 1;
}

/* Member by member: a struct would be made in vector registers first. */
VBT_INLINE void keep_walked(struct vbt_walked *walked, uintptr_t sp, uintptr_t pc, uintptr_t fp, const uintptr_t *pc_slot,
                            const uintptr_t *fp_slot, const uintptr_t *sp_slot, struct vbt_native_memo *memo) {
    walked->at.sp = sp;
    walked->at.pc = pc;
    walked->at.fp = fp;
    walked->pc_slot = pc_slot;
    walked->fp_slot = fp_slot;
    walked->sp_slot = sp_slot;
    walked->memo = memo;
}

/* Walks outwards, into room->walked, until a frame of the last capture is met, the stack ends, or
 * `most` frames were walked. */
VBT_INLINE struct way walk(struct vbt_native_stack *stack, const struct vbt_registers *caller, uint32_t most) {
    struct vbt_native_room *room = stack->room;
    const struct vbt_native_frame *frame = &room->frames[stack->top], *limit = &room->frames[VBT_NATIVE_FRAMES + 1];
    struct vbt_walked *first = room->walked, *walked = first, *last = first + most;
    uintptr_t sp = caller->sp, pc = caller->pc, fp = caller->fp;       /* scalars: a struct would be kept in vector registers */
    const uintptr_t *pc_slot = NULL, *fp_slot = NULL, *sp_slot = NULL; /* the first frame is not found by a slot */
    uintptr_t end = stack->ranges[0].end;
    struct vbt_native_memo *memo = memo_of(room, pc);
    for (;; memo = memo_outside(room, memo, pc)) {
        frame -= frame->sp < sp; /* mostly one or none */
        while (VBT_UNLIKELY(frame->sp < sp))
            frame--;
        bool meets = ((frame->sp ^ sp) | (frame->pc ^ pc)) == 0 && (!frame->fp_matters || frame->fp == fp) && frame < limit;
        uint32_t changed;
        if (meets) {
            uint32_t met = (uint32_t)(frame - room->frames);
            if ((changed = vbt_native_changed_outside(room, met)) == 0) {
                if (walked == first || (sp_slot == NULL && found_by_return_address_alone(frame)))
                    return (struct way){met, (uint32_t)(walked - first), GO_ON};
                *walked++ = (struct vbt_walked){{.sp = sp, .pc = pc, .fp = fp}, pc_slot, fp_slot, sp_slot, memo};
                return (struct way){met - 1, (uint32_t)(walked - first), GO_ON};
            }
            limit = &room->frames[changed];
        }
        keep_walked(walked++, sp, pc, fp, pc_slot, fp_slot, sp_slot, memo);
        if (VBT_UNLIKELY(walked == last))
            return (struct way){0, (uint32_t)(walked - first), VBT_CUT_DEPTH};
        struct vbt_rule rule = memo->rule;
        uintptr_t cfa = sp + (uintptr_t)(intptr_t)rule.cfa;
        bool simple = rule.kind == VBT_RULE_SP;
        if (rule.kind == VBT_RULE_FP) {
            cfa = fp + (uintptr_t)(intptr_t)rule.cfa;
            simple = fp >= sp && fp < end && fp % sizeof(uintptr_t) == 0;
        }
        if (VBT_LIKELY(simple && rule.fp <= 0 && cfa <= end)) {
            pc_slot = (const uintptr_t *)vbt_ra_slot(rule, cfa);
            pc = vbt_plain_address(*pc_slot);
            sp = cfa;
            fp_slot = sp_slot = NULL;
            if (rule.fp != VBT_FP_KEPT) {
                fp_slot = (const uintptr_t *)(cfa + (uintptr_t)(intptr_t)rule.fp);
                fp = *fp_slot;
            }
            if (VBT_UNLIKELY(pc == 0))
                return (struct way){0, (uint32_t)(walked - first), VBT_CUT_NONE};
        } else {
            uint32_t found;
            int outcome = step(stack, walked, &found);
            if (outcome != GO_ON)
                return (struct way){0, (uint32_t)(walked - first) + found, outcome};
            sp = walked->at.sp;
            pc = walked->at.pc;
            fp = walked->at.fp;
            pc_slot = walked->pc_slot;
            fp_slot = walked->fp_slot;
            sp_slot = walked->sp_slot;
            end = stack->ranges[0].end;
        }
    }
}

/* Too deep: walks the innermost frames again and keeps them. The next captures continue from those,
 * so that a program that stays that deep is not walked whole each time. */
static __attribute__((noinline)) struct way walk_shortly(struct vbt_native_stack *stack, const struct vbt_registers *caller) {
    stack->top = 0;
    stack->limit = VBT_NATIVE_DEEP_FRAMES;
    vbt_stack_enter(stack->ranges, caller->sp - sizeof(uintptr_t));
    return walk(stack, caller, VBT_NATIVE_DEEP_KEPT);
}

__attribute__((noinline)) void vbt_native_verify(struct vbt_native_stack *stack, const struct vbt_registers *caller) {
    stack->unverified = 0;
    const struct vbt_oracle_frame *oracle = stack->room->oracle;
    uint32_t found = vbt_oracle_walk(caller, stack->room->oracle, VBT_NATIVE_FRAMES);
    if (found == 0)
        return;
    bool same = found == stack->leaf || (found > stack->leaf && stack->cut != VBT_CUT_NONE);
    for (uint32_t i = 0; same && i < stack->leaf; i++) {
        const struct vbt_native_frame *frame = &stack->room->frames[stack->leaf - i];
        same = frame->pc == oracle[i].pc && frame->sp == oracle[i].sp;
    }
    if (same && found > stack->leaf && (stack->cut == VBT_CUT_NO_CFI || stack->cut == VBT_CUT_JIT))
        same = !vbt_oracle_describes(caller, stack->room->oracle, stack->leaf);
    stack->compared++;
    stack->different += !same;
}

void vbt_native_stack_forget(struct vbt_native_stack *stack) {
    stack->top = stack->leaf = 0;
    vbt_native_not_again(stack);
    stack->generation++;
    memset(stack->ranges, 0, sizeof stack->ranges);
}

void vbt_native_stack_expire(struct vbt_native_stack *stack) { stack->stamp = 0; /* of no module generation */ }

void vbt_native_stack_forget_counts(struct vbt_native_stack *stack) {
    for (size_t i = 0; i < VBT_COUNT(stack->cuts); i++)
        if (stack->cuts[i] != 0)
            stack->cuts[i] = 0; /* the fewer pages a child writes to, the fewer it copies */
    if (stack->compared != 0)
        stack->compared = stack->different = 0;
}

/* Before the thread's first capture, and when code may have been unmapped. */
static __attribute__((noinline)) bool prepare(struct vbt_native_stack *stack) {
    if (stack->room != NULL) { /* what was remembered may be half written */
        memset(stack->room->memos, 0, sizeof stack->room->memos);
        memset(stack->room->lists, 0, sizeof stack->room->lists);
    } else if ((stack->room = vbt_map(sizeof *stack->room)) == NULL) {
        return false;
    }
    struct vbt_native_room *room = stack->room; /* a fork may have copied it before the rest of this was done */
    room->frames[0] = (struct vbt_native_frame){.sp = UINTPTR_MAX, .checks = VBT_CHECKS_PADDING};
    for (int i = 0; i < VBT_CHECKS_PADDING; i++)
        room->checks[i].slot = &room->checks[i].value;
    stack->limit = VBT_NATIVE_FRAMES;
    stack->top = 0;
    stack->generation++;
    stack->stamp = vbt_module_stamp();
    return true;
}

/* Returns the innermost frame; NULL where there is no memory. */
VBT_INLINE const struct vbt_native_frame *capture(struct vbt_native_stack *stack, const struct vbt_registers *caller,
                                                  bool of_sites) {
    if (VBT_UNLIKELY(stack->stamp != atomic_load_explicit(&vbt_module_generation, memory_order_relaxed)) && !prepare(stack))
        return NULL;
    struct vbt_stack_range *range = &stack->ranges[0];
    uintptr_t in_frame = caller->sp - sizeof(uintptr_t); /* of the function that called us, and so mapped */
    if (VBT_UNLIKELY(in_frame - range->start >= range->end - range->start)) {
        stack->top = 0;
        vbt_stack_enter(stack->ranges, in_frame);
    }
    struct vbt_native_room *room = stack->room;
    struct way way = walk(stack, caller, VBT_NATIVE_FRAMES);
    if (VBT_UNLIKELY(way.outcome == VBT_CUT_DEPTH || (way.outcome == GO_ON && way.met + way.count > stack->limit)))
        way = walk_shortly(stack, caller);
    if (VBT_UNLIKELY(way.outcome != GO_ON)) {
        stack->cut = (enum vbt_cut)way.outcome;
        if (way.outcome != VBT_CUT_DEPTH)
            stack->limit = VBT_NATIVE_FRAMES;
        room->frames[0].node = cut_nodes[way.outcome];
    }
    stack->same = way.met;
    const struct vbt_native_frame *leaf = push(stack, way.met, way.count, of_sites);
    stack->top = stack->leaf = way.met + way.count;
    stack->cuts[stack->cut]++;
    vbt_native_not_again(stack);
    if (!of_sites && VBT_UNLIKELY(vbt_native_verify_every != 0) && ++stack->unverified >= vbt_native_verify_every)
        vbt_native_verify(stack, caller);
    if (VBT_UNLIKELY(stack->is_fleeting || stack->cut == VBT_CUT_MEMORY)) {
        stack->is_fleeting = false;
        stack->top = 0;
        memset(stack->ranges, 0, sizeof stack->ranges);
    } else if (VBT_LIKELY(stack->cut == VBT_CUT_NONE)) {
        stack->whole = leaf;
        if (!of_sites && VBT_LIKELY(vbt_native_verify_every == 0))
            stack->quick = leaf;
        stack->checks = room->checks + VBT_CHECKS_PADDING;
        stack->checks_end = room->checks + leaf[-1].checks;
    }
    return leaf;
}

bool vbt_native_repeats_verified(struct vbt_native_stack *stack, uintptr_t sp, uintptr_t pc, uintptr_t fp) {
    if (stack->whole == NULL || !vbt_native_is_same(stack, stack->whole, sp, pc, fp))
        return false;
    if (++stack->unverified >= vbt_native_verify_every)
        vbt_native_verify(stack, &(struct vbt_registers){.sp = sp, .pc = pc, .fp = fp});
    return true;
}

uint32_t vbt_native_capture(struct vbt_native_stack *stack, const struct vbt_registers *caller) {
    const struct vbt_native_frame *leaf = capture(stack, caller, false);
    return VBT_LIKELY(leaf != NULL) ? leaf->node : vbt_tree.lost_nodes[VBT_DOMAIN_HEAP];
}

bool vbt_native_capture_sites(struct vbt_native_stack *stack, const struct vbt_registers *caller) {
    if (VBT_UNLIKELY(!stack->of_sites)) {
        stack->top = 0;
        stack->of_sites = true;
    }
    return capture(stack, caller, true) != NULL;
}

const struct vbt_native_frame *vbt_native_frames(const struct vbt_native_stack *stack) { return stack->room->frames; }

uint32_t vbt_native_cut_node(enum vbt_cut cut) { return cut_nodes[cut]; }
