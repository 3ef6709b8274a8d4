/* Evaluates DWARF expressions, as far as they describe frames: see native_cfi_row.h, and the DWARF
 * standard, 2.5. */
#include "native_cfi_row.h"

enum {
    DW_OP_deref = 0x06,
    DW_OP_const1u = 0x08,
    DW_OP_const1s = 0x09,
    DW_OP_and = 0x1a,
    DW_OP_plus = 0x22,
    DW_OP_plus_uconst = 0x23,
    DW_OP_shl = 0x24,
    DW_OP_ge = 0x2a,
    DW_OP_lit0 = 0x30,
    DW_OP_lit31 = 0x4f,
    DW_OP_breg0 = 0x70,
    DW_OP_breg31 = 0x8f,
};

enum { DEPTH = 8 };

struct cfi_stack {
    struct vbt_cfi_value values[DEPTH];
    int depth;
};

static bool push(struct cfi_stack *stack, struct vbt_cfi_value value) {
    if (stack->depth == DEPTH)
        return false;
    stack->values[stack->depth++] = value;
    return true;
}

/* A register plus an offset. On processors whose calls push the return address, its register stands
 * for pc. */
static bool push_register(struct cfi_stack *stack, const struct vbt_cfi_machine *machine, unsigned number, int64_t offset,
                          uintptr_t pc) {
    struct vbt_cfi_value value = {VBT_CFI_NUMBER, false, offset};
    if (number == machine->ra && machine->pushes_ra)
        value.number = (int64_t)((uint64_t)offset + pc);
    else if (number == machine->sp || number == machine->fp)
        value.base = number == machine->sp ? VBT_CFI_SP : VBT_CFI_FP;
    else
        return false;
    return push(stack, value);
}

static bool is_number(const struct vbt_cfi_value *value) { return !value->loaded && value->base == VBT_CFI_NUMBER; }

/* left = left operation right. */
static bool operate(uint8_t operation, struct vbt_cfi_value *left, const struct vbt_cfi_value *right) {
    if (operation == DW_OP_plus) {
        if (left->loaded || right->loaded || (left->base != VBT_CFI_NUMBER && right->base != VBT_CFI_NUMBER))
            return false;
        left->base = left->base != VBT_CFI_NUMBER ? left->base : right->base;
        left->number = (int64_t)((uint64_t)left->number + (uint64_t)right->number);
        return true;
    }
    if (!is_number(left) || !is_number(right))
        return false;
    switch (operation) {
    case DW_OP_and:
        left->number &= right->number;
        return true;
    case DW_OP_shl:
        left->number = right->number >= 0 && right->number < 64 ? (int64_t)((uint64_t)left->number << right->number) : 0;
        return true;
    case DW_OP_ge:
        left->number = left->number >= right->number;
        return true;
    default:
        return false;
    }
}

static bool operate_on_two(struct cfi_stack *stack, uint8_t operation) {
    if (stack->depth < 2 || !operate(operation, &stack->values[stack->depth - 2], &stack->values[stack->depth - 1]))
        return false;
    stack->depth--;
    return true;
}

/* The innermost value, if it is a sum; else NULL. */
static struct vbt_cfi_value *sum_on_top(struct cfi_stack *stack) {
    if (stack->depth == 0)
        return NULL;
    struct vbt_cfi_value *top = &stack->values[stack->depth - 1];
    return top->loaded ? NULL : top;
}

static bool evaluate_one(struct cfi_stack *stack, const struct vbt_cfi_machine *machine, struct vbt_bytes *code, uintptr_t pc) {
    uint8_t operation = (uint8_t)vbt_take_number(code, 1);
    struct vbt_cfi_value *top;
    if (operation >= DW_OP_breg0 && operation <= DW_OP_breg31)
        return push_register(stack, machine, operation - (unsigned)DW_OP_breg0, vbt_take_signed(code), pc);
    if (operation >= DW_OP_lit0 && operation <= DW_OP_lit31)
        return push(stack, (struct vbt_cfi_value){.number = operation - DW_OP_lit0});
    switch (operation) {
    case DW_OP_const1u:
        return push(stack, (struct vbt_cfi_value){.number = (int64_t)vbt_take_number(code, 1)});
    case DW_OP_const1s:
        return push(stack, (struct vbt_cfi_value){.number = vbt_sign_extend(vbt_take_number(code, 1), 8)});
    case DW_OP_deref:
        if ((top = sum_on_top(stack)) == NULL)
            return false;
        top->loaded = true;
        return true;
    case DW_OP_plus_uconst:
        if ((top = sum_on_top(stack)) == NULL)
            return false;
        top->number = (int64_t)((uint64_t)top->number + vbt_take_unsigned(code));
        return true;
    default:
        return operate_on_two(stack, operation);
    }
}

bool vbt_cfi_evaluate(const struct vbt_cfi_machine *machine, struct vbt_bytes expression, uintptr_t pc,
                      struct vbt_cfi_value *value) {
    struct cfi_stack stack = {.depth = 0};
    while (expression.at < expression.end)
        if (!evaluate_one(&stack, machine, &expression, pc) || expression.bad)
            return false;
    if (stack.depth != 1)
        return false;
    *value = stack.values[0];
    return true;
}
