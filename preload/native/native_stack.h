/* The native call stack of the calling thread, as a node of the call tree: exact, and mostly
 * without walking it.
 *
 * The thread keeps the stack that it captured last. A new capture steps outwards by the rules of
 * native_cfi.h until it meets a frame of that stack: the same stack pointer, return address and,
 * where it matters, frame pointer. The rest follows from that frame and from the words on the stack
 * that the steps had read. Their addresses are known: they are compared with what they were, from
 * the inner to the outer, and if none differs the rest of the stack is unchanged. If one does, that
 * frame and all inside it are walked from scratch. So a capture costs a load for each unchanged
 * frame, and a step and a node for each changed one.
 *
 * Nothing may be concluded from a frame inside the one that was met, and no word may be read before
 * those further in were found unchanged: the stack may be another by now, in memory that is partly
 * unmapped. */
#ifndef VBT_NATIVE_STACK_H
#define VBT_NATIVE_STACK_H

#include "preload/base/memory.h"
#include "preload/tree/modules.h"
#include "native_machine.h"
#include "native_memory.h"

/* Frames that are walked. Of a deeper stack only the innermost are kept, between the two other
 * numbers. */
enum { VBT_NATIVE_FRAMES = 1 << 14, VBT_NATIVE_DEEP_FRAMES = 128, VBT_NATIVE_DEEP_KEPT = 64 };

/* Why a stack does not reach the outermost function. Its frames are then found under a special node
 * that says so. */
enum vbt_cut {
    VBT_CUT_NONE,
    VBT_CUT_NO_CFI, /* code without a description */
    VBT_CUT_JIT,    /* code outside every module */
    VBT_CUT_DEPTH,
    VBT_CUT_MEMORY, /* a frame in memory that cannot be a stack */
    VBT_CUTS,
};

struct vbt_native_frame {
    uintptr_t sp, pc, fp;
    uint32_t node;       /* of the call tree: this frame and those outside it; a site, where sites were requested */
    uint16_t checks;     /* where the checks of this frame end; those of the next outer frame end where these begin */
    uint16_t fp_matters; /* 1: it is needed to find a frame outside this one */
};

/* A word on the stack by which frames were found. */
struct vbt_native_check {
    const uintptr_t *slot;
    uintptr_t value;
};

/* What is known of a return address. */
struct vbt_native_memo {
    uintptr_t pc;
    struct vbt_rule rule;
    uint32_t site;
    uint32_t outer; /* the memo of the return address that it led to last */
};

struct vbt_native_room;
struct vbt_native_known;

struct vbt_native_stack {
    struct vbt_native_room *room; /* mapped when first needed */
    /* The latest capture's innermost frame, if it may be met again and is not cut; else NULL. */
    const struct vbt_native_frame *whole;
    /* The same; vbt_native_nowhere where meeting it again is not enough: its frames have sites, or
     * it is verified. */
    const struct vbt_native_frame *quick;
    const struct vbt_native_check *checks, *checks_end; /* by which the frames outside it were found */
    uint64_t generation;                                /* what was remembered in an earlier one is outdated */
    const struct vbt_native_known *met;                 /* the remembered stack that was met last */
    uint32_t repeated;                                  /* how often in a row since */
    uint32_t top;                                       /* the innermost frame that may be met again; 0: none */
    uint32_t same;                                      /* this many of the outermost frames are those of the capture before */
    uint32_t leaf;    /* the innermost frame of the latest capture; frame 0 stands for the outermost one's caller */
    uint32_t limit;   /* a stack of more frames is too deep */
    uint32_t stamp;   /* see modules.h */
    enum vbt_cut cut; /* of the latest capture */
    bool is_fleeting; /* the latest capture has frames whose origin cannot be checked */
    bool of_sites;    /* the frames have sites, not nodes */
    struct vbt_stack_range ranges[VBT_STACK_RANGES];
    uint64_t cuts[VBT_CUTS];      /* captures, by how they ended */
    uint64_t compared, different; /* captures that were verified; those that the oracle saw otherwise */
    uint32_t unverified;          /* captures since the last verified one */
};

/* Every so many captures one is compared with libunwind's; 0: none. */
extern uint32_t vbt_native_verify_every VBT_HIDDEN;

/* Makes the special nodes. After vbt_tree_init; false when there is no memory. */
bool vbt_native_stack_init(void);

/* The stack that called the function whose VBT_CALLER_REGISTERS these are, and which must be
 * running. Its nodes are of the heap's domain. The lost node where there is no memory. */
uint32_t vbt_native_capture(struct vbt_native_stack *stack, const struct vbt_registers *caller);

/* Is each of these words unchanged? They are as many as the next multiple of 4 above 0: those
 * before the first never differ. From the inner to the outer: a word can be read if those before it
 * are unchanged. */
VBT_INLINE bool vbt_native_words_stayed(const struct vbt_native_check *first, const struct vbt_native_check *end) {
#define STAYED(i) VBT_LIKELY(*end[-(i)].slot == end[-(i)].value)
    do {
        if (!(STAYED(1) && STAYED(2) && STAYED(3) && STAYED(4)))
            return false;
        end -= 4;
    } while (end > first);
#undef STAYED
    return true;
}

/* Not the innermost frame of any stack. */
extern const struct vbt_native_frame vbt_native_nowhere VBT_HIDDEN;

/* leaf: stack->whole or stack->quick. */
VBT_INLINE bool vbt_native_is_same(const struct vbt_native_stack *stack, const struct vbt_native_frame *leaf, uintptr_t sp,
                                   uintptr_t pc, uintptr_t fp) {
    return leaf->sp == sp && leaf->pc == pc && (!leaf->fp_matters || leaf->fp == fp) &&
           stack->stamp == VBT_PEEK(uint32_t, vbt_module_generation) && vbt_native_words_stayed(stack->checks, stack->checks_end);
}

/* Is the stack the one that was captured last? (False also where that is not certain.) Most
 * allocations in loops are made under one stack. */
VBT_INLINE bool vbt_native_repeats(const struct vbt_native_stack *stack, uintptr_t sp, uintptr_t pc, uintptr_t fp) {
    return vbt_native_is_same(stack, stack->quick, sp, pc, fp);
}

/* The same where stacks are verified: compares it with libunwind's if it is its turn. */
bool vbt_native_repeats_verified(struct vbt_native_stack *stack, uintptr_t sp, uintptr_t pc, uintptr_t fp);

/* The caller has used the latest capture for something else: the next one is made in any case. */
static inline void vbt_native_not_again(struct vbt_native_stack *stack) {
    stack->whole = NULL;
    stack->quick = &vbt_native_nowhere;
}

/* The same stack as frames with sites, see vbt_native_frames. False where there is no memory. A
 * thread that captures sites does not capture nodes again. */
bool vbt_native_capture_sites(struct vbt_native_stack *stack, const struct vbt_registers *caller);

/* Compares the latest capture with libunwind's, and counts. A cut stack must be the beginning of
 * its; one that was cut for want of a description differs if libunwind has one. Captures of sites
 * are compared only here, others in their turn. */
void vbt_native_verify(struct vbt_native_stack *stack, const struct vbt_registers *caller);

/* The frames of the latest capture: [1] is the outermost, [stack->leaf] the innermost. */
const struct vbt_native_frame *vbt_native_frames(const struct vbt_native_stack *stack);

/* The node that stands for the missing callers of a cut stack. */
uint32_t vbt_native_cut_node(enum vbt_cut cut);

/* Another thread has taken over the state. */
void vbt_native_stack_forget(struct vbt_native_stack *stack);

/* Forgets what is known of return addresses: it may be half written. */
void vbt_native_stack_expire(struct vbt_native_stack *stack);

/* Counts captures from 0 again. */
void vbt_native_stack_forget_counts(struct vbt_native_stack *stack);

#endif
