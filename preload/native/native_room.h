/* What a thread's captures work with: the stack captured last, and those remembered before. For
 * native_stack.c, native_known.c and native_tail.c alone. */
#ifndef VBT_NATIVE_ROOM_H
#define VBT_NATIVE_ROOM_H

#include "preload/ledger/counters.h"
#include "native_known.h"
#include "native_oracle.h"
#include "native_stack.h"
#include "native_tail.h"

/* Knuth's multiplicative hashing. */
#define VBT_GOLDEN UINT64_C(0x9E3779B97F4A7C15)

enum { VBT_MEMO_BITS = 11, VBT_LIST_BITS = 12, VBT_CHECKS_EACH = 3, VBT_CHECKS_PADDING = 4 };

/* A frame met on the way outwards, and where on the stack its registers were found (NULL:
 * nowhere). */
struct vbt_walked {
    struct vbt_registers at;
    const uintptr_t *pc_slot, *fp_slot, *sp_slot;
    struct vbt_native_memo *memo;
};

/* A list of sites: the one before its last item, its own number, the item. */
struct vbt_native_list {
    uint64_t before, number;
    uint32_t site;
};

/* Only what a thread uses takes memory. */
struct vbt_native_room {
    struct vbt_native_known known[VBT_NATIVE_KNOWN]; /* where frames have nodes */
    struct vbt_native_tail tails[VBT_NATIVE_TAILS];  /* where they have sites */
    uint16_t latest_tails[1 << VBT_LATEST_TAIL_BITS];
    struct vbt_native_list lists[1 << VBT_LIST_BITS];
    uint64_t last_list;
    struct vbt_native_memo memos[1 << VBT_MEMO_BITS];
    struct vbt_native_frame frames[VBT_NATIVE_FRAMES + 1];
    struct vbt_native_check
        checks[VBT_CHECKS_PADDING + VBT_CHECKS_EACH * VBT_NATIVE_FRAMES]; /* the first are padding, and never differ */
    struct vbt_walked walked[VBT_NATIVE_FRAMES + 1];
    struct vbt_oracle_frame oracle[VBT_NATIVE_FRAMES];
};

_Static_assert(VBT_CHECKS_EACH *VBT_NATIVE_FRAMES <= UINT16_MAX, "a frame knows its checks by 16 bits");

/* Compares the words by which the frames outside frames[met] were found. 0: they are unchanged;
 * else the index of the innermost frame that has changed. */
VBT_INLINE uint32_t vbt_native_changed_outside(const struct vbt_native_room *room, uint32_t met) {
    const struct vbt_native_check *first = room->checks + VBT_CHECKS_PADDING, *check = room->checks + room->frames[met - 1].checks;
#define DIFFERS(i) VBT_UNLIKELY(*check[-(i)].slot != check[-(i)].value)
    for (; check > first; check -= 4) { /* the padding makes the last four complete */
        if (DIFFERS(1))
            goto differs;
        if (DIFFERS(2)) {
            check -= 1;
            goto differs;
        }
        if (DIFFERS(3)) {
            check -= 2;
            goto differs;
        }
        if (DIFFERS(4)) {
            check -= 3;
            goto differs;
        }
    }
#undef DIFFERS
    return 0;
differs:;
    uint32_t index = (uint32_t)(check - room->checks) - 1;
    uint32_t frame = met - 1;
    while (room->frames[frame - 1].checks > index)
        frame--;
    return frame;
}

#endif
