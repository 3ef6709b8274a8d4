/* See full_stack.h. */
#include "full_stack.h"

#include "preload/native/native_known.h"
#include "preload/tree/tree.h"

enum vbt_stacks vbt_stacks;

void vbt_full_stack_reset(struct vbt_full_stack *stack) {
    vbt_native_stack_forget(&stack->native);
    vbt_joined_reset(&stack->joined);
}

void vbt_full_stack_expire(struct vbt_full_stack *stack) {
    vbt_native_stack_expire(&stack->native);
    vbt_joined_expire(&stack->joined);
}

/* The latest native stack is in use for another domain, or has no counters: it is captured anew
 * next time. */
static struct vbt_place *native_place(struct vbt_full_stack *stack, struct vbt_ledger *ledger, const struct vbt_registers *caller,
                                      enum vbt_domain domain) {
    uint32_t node = vbt_native_capture(&stack->native, caller);
    if (VBT_UNLIKELY(domain != VBT_DOMAIN_HEAP))
        node = vbt_joined_in_domain(node, domain);
    stack->latest = vbt_place_of(ledger, node);
    if (VBT_UNLIKELY(domain != VBT_DOMAIN_HEAP) || VBT_UNLIKELY(stack->latest.counters == NULL))
        vbt_native_not_again(&stack->native);
    else
        vbt_native_remember(&stack->native, stack->latest);
    return &stack->latest;
}

struct vbt_place *vbt_full_place_else(struct vbt_full_stack *stack, struct vbt_python_stack *python,
                                      const struct vbt_registers *caller, enum vbt_domain domain) {
    if (vbt_stacks != VBT_STACKS_JOINED)
        return native_place(stack, python->ledger, caller, domain);
    stack->latest = vbt_place_of(python->ledger, vbt_tree.lost_nodes[domain]);
    return &stack->latest;
}
