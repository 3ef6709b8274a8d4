/* The whole call stack of the calling thread: native frames alone, or joined with Python frames. */
#ifndef VBT_FULL_STACK_H
#define VBT_FULL_STACK_H

#include "joined/joined_stack.h"

struct vbt_full_stack {
    struct vbt_native_stack native;
    struct vbt_place latest; /* of the latest native stack, in the heap's domain */
    struct vbt_joined_stack joined;
};

/* What stacks are made of. */
enum vbt_stacks {
    VBT_STACKS_LEAF,   /* of native frames, only the one that called the allocator */
    VBT_STACKS_NATIVE, /* native frames alone */
    VBT_STACKS_JOINED, /* native frames, with Python frames among them */
};

extern enum vbt_stacks vbt_stacks VBT_HIDDEN;

/* vbt_full_place where Python frames are not among the native ones, or where there is no memory. */
struct vbt_place *vbt_full_place_else(struct vbt_full_stack *stack, struct vbt_python_stack *python,
                                      const struct vbt_registers *caller, enum vbt_domain domain);

/* The place of the stack that called the function whose VBT_CALLER_REGISTERS these are; that
 * function must be running. Valid until the thread's next event. The lost node's when there is no
 * memory. */
VBT_INLINE struct vbt_place *vbt_full_place(struct vbt_full_stack *stack, struct vbt_python_stack *python,
                                            const struct vbt_registers *caller, enum vbt_domain domain) {
    struct vbt_place *place = NULL;
    if (VBT_LIKELY(vbt_stacks == VBT_STACKS_JOINED))
        place = vbt_joined_place(&stack->joined, &stack->native, python, caller, domain);
    return VBT_LIKELY(place != NULL) ? place : vbt_full_place_else(stack, python, caller, domain);
}

/* Another thread has taken over the state. */
void vbt_full_stack_reset(struct vbt_full_stack *stack);

/* Forgets what was remembered: it may be half written. */
void vbt_full_stack_expire(struct vbt_full_stack *stack);

#endif
