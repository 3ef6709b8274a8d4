/* Stacks that were captured before, by where they allocated from: code in a loop allocates under
 * the same few stacks in turn.
 *
 * Such a stack is remembered by its innermost frame's registers, the words on the stack that led
 * from there to a frame of the stack captured last, and that frame. It is the same again if the
 * registers are the same, none of these words differs, and that frame is there and still leads to
 * the outermost one: native_stack.h says what may be concluded from what. */
#ifndef VBT_NATIVE_KNOWN_H
#define VBT_NATIVE_KNOWN_H

#include "preload/ledger/counters.h"
#include "native_stack.h"

enum { VBT_KNOWN_BITS = 8, VBT_NATIVE_KNOWN = 1 << VBT_KNOWN_BITS, VBT_KNOWN_CHECKS = 19 };

struct vbt_native_known {
    uintptr_t sp, pc, fp; /* of the innermost frame */
    uint64_t generation;  /* vbt_native_stack's when it was remembered; 0: the entry is empty */
    uintptr_t outer_sp, outer_fp;
    uint32_t outer_node, outer; /* of the frame that the words lead to, and that frame's index */
    uint16_t checks_count;
    uint8_t fp_matters; /* the innermost frame's is needed to find the others */
    uint8_t passed;     /* captures that would have used the entry since the stack was last met */
    struct vbt_place place;
    struct vbt_native_check checks[VBT_KNOWN_CHECKS]; /* the innermost last */
};

_Static_assert(sizeof(struct vbt_native_known) % 64 == 0, "cache lines of its own");

/* The place of the stack that called the function whose VBT_CALLER_REGISTERS these are, if it is
 * remembered; else NULL. */
struct vbt_place *vbt_native_known(struct vbt_native_stack *stack, uintptr_t sp, uintptr_t pc, uintptr_t fp);

/* The latest capture was of a stack with this place: remembers it. */
void vbt_native_remember(struct vbt_native_stack *stack, struct vbt_place place);

#endif
