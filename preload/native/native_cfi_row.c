/* Runs call frame instructions: see native_cfi_row.h, and the DWARF standard, 6.4.2. */
#include "native_cfi_row.h"

/* The last three have an operand in their six low bits. */
enum {
    DW_CFA_nop = 0x00,
    DW_CFA_set_loc = 0x01,
    DW_CFA_advance_loc1 = 0x02,
    DW_CFA_advance_loc2 = 0x03,
    DW_CFA_advance_loc4 = 0x04,
    DW_CFA_offset_extended = 0x05,
    DW_CFA_restore_extended = 0x06,
    DW_CFA_undefined = 0x07,
    DW_CFA_same_value = 0x08,
    DW_CFA_register = 0x09,
    DW_CFA_remember_state = 0x0a,
    DW_CFA_restore_state = 0x0b,
    DW_CFA_def_cfa = 0x0c,
    DW_CFA_def_cfa_register = 0x0d,
    DW_CFA_def_cfa_offset = 0x0e,
    DW_CFA_def_cfa_expression = 0x0f,
    DW_CFA_expression = 0x10,
    DW_CFA_offset_extended_sf = 0x11,
    DW_CFA_def_cfa_sf = 0x12,
    DW_CFA_def_cfa_offset_sf = 0x13,
    DW_CFA_val_offset = 0x14,
    DW_CFA_val_offset_sf = 0x15,
    DW_CFA_val_expression = 0x16,
    DW_CFA_AARCH64_negate_ra_state_with_pc = 0x2c,
    DW_CFA_AARCH64_negate_ra_state = 0x2d,
    DW_CFA_GNU_args_size = 0x2e,
    DW_CFA_advance_loc = 0x40,
    DW_CFA_offset = 0x80,
    DW_CFA_restore = 0xc0,
};
enum { IN_LOW_BITS = 0xc0, OPERAND = 0x3f };

enum { REMEMBERED = 8 };

struct cfi_run {
    const struct vbt_cfi_machine *machine;
    const struct vbt_cie *cie;
    const struct vbt_cfi_row *initial; /* the CIE's row; NULL while it is being made */
    struct vbt_bytes code;
    struct vbt_cfi_row row;
    uintptr_t at; /* address from which the row holds */
    struct vbt_cfi_row remembered[REMEMBERED];
    int depth;
};

/* NULL for the registers that do not matter. */
static struct vbt_cfi_saved *register_in(const struct vbt_cfi_machine *machine, struct vbt_cfi_row *row, uint64_t number) {
    if (number == machine->fp)
        return &row->fp;
    if (number == machine->ra)
        return &row->ra;
    return number == machine->sp ? &row->sp : NULL;
}

static void set(struct cfi_run *run, uint64_t number, struct vbt_cfi_saved saved) {
    struct vbt_cfi_saved *of = register_in(run->machine, &run->row, number);
    if (of != NULL)
        *of = saved;
}

static void restore(struct cfi_run *run, uint64_t number) {
    if (run->initial == NULL)
        return;
    const struct vbt_cfi_saved *before = register_in(run->machine, (struct vbt_cfi_row *)run->initial, number);
    if (before != NULL)
        set(run, number, *before);
}

/* Offsets are written as multiples of a common factor. */
static int64_t scaled(const struct cfi_run *run, uint64_t multiple) {
    return (int64_t)(multiple * (uint64_t)run->cie->data_factor);
}

static void set_in_frame(struct cfi_run *run, uint64_t number, uint64_t multiple) {
    set(run, number, (struct vbt_cfi_saved){.how = VBT_CFI_IN_FRAME, .offset = scaled(run, multiple)});
}

static struct vbt_bytes take_expression(struct cfi_run *run) {
    uint64_t size = vbt_take_unsigned(&run->code);
    return vbt_take_part(&run->code, size);
}

static void advance(struct cfi_run *run, uint64_t by) { run->at += by * run->cie->code_factor; }

/* Instructions that say where the CFA is. */
static void define_cfa(struct cfi_run *run, uint8_t opcode) {
    struct vbt_cfi_row *row = &run->row;
    switch (opcode) {
    case DW_CFA_def_cfa:
        row->cfa_expression.at = NULL;
        row->cfa_register = vbt_take_unsigned(&run->code);
        row->cfa_offset = (int64_t)vbt_take_unsigned(&run->code);
        break;
    case DW_CFA_def_cfa_sf:
        row->cfa_expression.at = NULL;
        row->cfa_register = vbt_take_unsigned(&run->code);
        row->cfa_offset = scaled(run, (uint64_t)vbt_take_signed(&run->code));
        break;
    case DW_CFA_def_cfa_register:
        row->cfa_register = vbt_take_unsigned(&run->code);
        break;
    case DW_CFA_def_cfa_offset:
        row->cfa_offset = (int64_t)vbt_take_unsigned(&run->code);
        break;
    case DW_CFA_def_cfa_offset_sf:
        row->cfa_offset = scaled(run, (uint64_t)vbt_take_signed(&run->code));
        break;
    default: /* DW_CFA_def_cfa_expression */
        row->cfa_expression = take_expression(run);
    }
}

/* Instructions that say how a register is found again. */
static void define_register(struct cfi_run *run, uint8_t opcode, uint64_t number) {
    switch (opcode) {
    case DW_CFA_offset_extended:
        set_in_frame(run, number, vbt_take_unsigned(&run->code));
        break;
    case DW_CFA_offset_extended_sf:
        set_in_frame(run, number, (uint64_t)vbt_take_signed(&run->code));
        break;
    case DW_CFA_restore_extended:
        restore(run, number);
        break;
    case DW_CFA_undefined:
        set(run, number, (struct vbt_cfi_saved){.how = VBT_CFI_UNDEFINED});
        break;
    case DW_CFA_same_value:
        set(run, number, (struct vbt_cfi_saved){.how = VBT_CFI_KEPT});
        break;
    case DW_CFA_expression:
        set(run, number, (struct vbt_cfi_saved){.how = VBT_CFI_BY_EXPRESSION, .expression = take_expression(run)});
        break;
    case DW_CFA_val_expression:
        take_expression(run);
        set(run, number, (struct vbt_cfi_saved){.how = VBT_CFI_ELSEWHERE});
        break;
    default: /* DW_CFA_register, DW_CFA_val_offset, DW_CFA_val_offset_sf: signed or not, the operand has the same size */
        vbt_take_unsigned(&run->code);
        set(run, number, (struct vbt_cfi_saved){.how = VBT_CFI_ELSEWHERE});
    }
}

/* All other instructions. False for unknown ones, and where they make no sense. */
static bool run_other(struct cfi_run *run, uint8_t opcode) {
    switch (opcode) {
    case DW_CFA_nop:
        return true;
    case DW_CFA_set_loc:
        run->at = vbt_take_pointer(&run->code, run->cie->pointers, 0);
        return true;
    case DW_CFA_advance_loc1:
    case DW_CFA_advance_loc2:
    case DW_CFA_advance_loc4:
        advance(run, vbt_take_number(&run->code, 1U << (opcode - DW_CFA_advance_loc1)));
        return true;
    case DW_CFA_remember_state:
        if (run->depth == REMEMBERED)
            return false;
        run->remembered[run->depth++] = run->row;
        return true;
    case DW_CFA_restore_state:
        if (run->depth == 0)
            return false;
        run->row = run->remembered[--run->depth];
        return true;
    case DW_CFA_AARCH64_negate_ra_state_with_pc:
    case DW_CFA_AARCH64_negate_ra_state:
        /* Whether the return address is signed. It does not matter: signatures are stripped
         * wherever they may occur. */
        return !run->machine->pushes_ra;
    case DW_CFA_GNU_args_size:
        vbt_take_unsigned(&run->code);
        return true;
    default:
        return false;
    }
}

static bool run_by_opcode(struct cfi_run *run, uint8_t opcode) {
    switch (opcode) {
    case DW_CFA_def_cfa:
    case DW_CFA_def_cfa_sf:
    case DW_CFA_def_cfa_register:
    case DW_CFA_def_cfa_offset:
    case DW_CFA_def_cfa_offset_sf:
    case DW_CFA_def_cfa_expression:
        define_cfa(run, opcode);
        return true;
    case DW_CFA_offset_extended:
    case DW_CFA_offset_extended_sf:
    case DW_CFA_restore_extended:
    case DW_CFA_undefined:
    case DW_CFA_same_value:
    case DW_CFA_register:
    case DW_CFA_val_offset:
    case DW_CFA_val_offset_sf:
    case DW_CFA_expression:
    case DW_CFA_val_expression:
        define_register(run, opcode, vbt_take_unsigned(&run->code));
        return true;
    default:
        return run_other(run, opcode);
    }
}

/* There is one. False where it makes no sense. */
static bool run_one(struct cfi_run *run) {
    uint8_t opcode = *run->code.at++, operand = opcode & OPERAND;
    switch (opcode & IN_LOW_BITS) {
    case DW_CFA_advance_loc:
        advance(run, operand);
        return true;
    case DW_CFA_offset:
        set_in_frame(run, operand, vbt_take_unsigned(&run->code));
        return true;
    case DW_CFA_restore:
        restore(run, operand);
        return true;
    default:
        return run_by_opcode(run, opcode);
    }
}

/* Runs instructions up to the first that takes effect after pc. */
static __attribute__((noinline)) bool run_until(struct cfi_run *run, struct vbt_bytes code, uintptr_t pc) {
    run->code = code;
    run->depth = 0;
    while (run->code.at < run->code.end && run->at <= pc)
        if (!run_one(run) || run->code.bad)
            return false;
    return !run->code.bad;
}

bool vbt_cfi_row_at(const struct vbt_cfi_machine *machine, const struct vbt_cie *cie, struct vbt_bytes instructions,
                    uintptr_t start, uintptr_t pc, struct vbt_cfi_row *row) {
    struct cfi_run run;
    run.machine = machine;
    run.cie = cie;
    run.initial = NULL;
    run.row = (struct vbt_cfi_row){.cfa_register = UINT64_MAX};
    run.at = 0;
    if (!run_until(&run, cie->instructions, pc))
        return false;
    struct vbt_cfi_row initial = run.row;
    run.initial = &initial;
    run.at = start;
    if (!run_until(&run, instructions, pc))
        return false;
    *row = run.row;
    return true;
}
