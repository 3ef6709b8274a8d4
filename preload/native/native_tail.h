/* The inner ends of native stacks, remembered: what a frame that stays has called, by where it
 * allocated from. Python code allocates under the same few frames again and again, while the
 * evaluation loop's caller stays.
 *
 * A tail reaches from the frame that called the allocator out to a frame of the stack captured
 * last, its outer frame. It is remembered by what the rules of native_cfi.h read on that way: the
 * registers of the innermost frame, the words on the stack that led from there to the outer frame,
 * and that frame's registers. Addresses on the stack are kept as distances from the stack pointer,
 * since the same functions call each other at any depth. A tail is there again if all of these are
 * what they were, and the outer frame is one of the captured stack that still leads to the
 * outermost one. By induction from the inside, each frame of the tail is then found by the same
 * rule, at the same distance, with the same return address as when it was remembered; outside it,
 * native_stack.h says why the rest is unchanged. */
#ifndef VBT_NATIVE_TAIL_H
#define VBT_NATIVE_TAIL_H

#include "native_stack.h"

enum {
    VBT_TAIL_BITS = 10,
    VBT_NATIVE_TAILS = 1 << VBT_TAIL_BITS,
    VBT_LATEST_TAIL_BITS = 9,
    VBT_TAIL_FRAMES = 23,
    VBT_TAIL_CHECKS = 17
};

/* A register or a word on the stack. */
struct vbt_tail_word {
    uintptr_t value;  /* less the innermost frame's stack pointer, where it is an address on the stack */
    int32_t distance; /* of the word, from that stack pointer */
    int32_t on_stack; /* -1: its value is an address on the stack; else 0 */
};

struct vbt_native_tail {
    uintptr_t pc;                      /* of the innermost frame */
    uint64_t generation;               /* vbt_native_stack's when it was remembered; 0: the entry is empty */
    uintptr_t outer_pc;                /* of the outer frame */
    uint32_t outer_sp;                 /* likewise, less the innermost frame's */
    uint32_t first_sp;                 /* the same of the next frame inside the outer one, which may be the innermost */
    uint64_t list;                     /* the sites below as vbt_native_list numbers them */
    struct vbt_tail_word fp, outer_fp; /* of the two frames */
    uint32_t passed;                   /* captures that would have used the entry since it was last met */
    uint16_t checks_count;
    uint8_t sites_count;
    uint8_t fp_matters;              /* the innermost frame's, and the outer one's, is needed to find others: two bits */
    uint32_t sites[VBT_TAIL_FRAMES]; /* of the frames inside that next frame, the outermost first */
    uint8_t has_distances;           /* some of the words below are addresses on the stack */
    struct vbt_tail_word checks[VBT_TAIL_CHECKS]; /* the innermost last */
};

_Static_assert(sizeof(struct vbt_native_tail) % 128 == 64, "cache lines of its own, an odd number: entries spread over the cache");

/* The tail that leads from these registers to frame `outer`, which is not 0, if it is remembered;
 * else NULL. */
const struct vbt_native_tail *vbt_native_tail(struct vbt_native_stack *stack, const struct vbt_registers *caller, uint32_t outer);

/* Remembers the latest capture's tail, if it can be. list: of the sites of frames outer + 2 and
 * inwards. */
void vbt_native_tail_remember(struct vbt_native_stack *stack, uint32_t outer, uint64_t list);

/* The number that stands for a list of sites: that of the list before its last item (0: it is
 * empty), and the item. Lists with the same number are the same. A list that has not been met for
 * long may get another number; no number is given twice. */
uint64_t vbt_native_list(struct vbt_native_stack *stack, uint64_t before, uint32_t site);

#endif
