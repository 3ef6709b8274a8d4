/* What call frame instructions say of one address of a function: a row of the table that DWARF
 * describes, as far as an unwinding rule needs it. */
#ifndef VBT_NATIVE_CFI_ROW_H
#define VBT_NATIVE_CFI_ROW_H

#include "native_bytes.h"
#include "native_cfi.h"

/* How a register of the caller is recovered. */
struct vbt_cfi_saved {
    enum { VBT_CFI_KEPT, VBT_CFI_IN_FRAME, VBT_CFI_BY_EXPRESSION, VBT_CFI_UNDEFINED, VBT_CFI_ELSEWHERE } how;
    int64_t offset; /* VBT_CFI_IN_FRAME: from the CFA */
    struct vbt_bytes expression;
};

struct vbt_cfi_row {
    uint64_t cfa_register;
    int64_t cfa_offset;
    struct vbt_bytes cfa_expression; /* at: NULL where a register and an offset say it */
    struct vbt_cfi_saved fp, ra, sp;
};

/* A common information entry (CIE): what the functions of a compilation have in common. */
struct vbt_cie {
    uint64_t code_factor;
    int64_t data_factor;
    uint8_t pointers; /* their encoding, DW_EH_PE_... */
    bool is_augmented, is_signal;
    bool is_strange; /* holds something that the parser does not know */
    struct vbt_bytes instructions;
};

/* The row for pc of a function that begins at `start`, by the instructions of its CIE and its own.
 * False where they make no sense. */
bool vbt_cfi_row_at(const struct vbt_cfi_machine *machine, const struct vbt_cie *cie, struct vbt_bytes instructions,
                    uintptr_t start, uintptr_t pc, struct vbt_cfi_row *row);

/* The value of an expression, without knowing the registers: one of them or none, plus a number. */
struct vbt_cfi_value {
    enum { VBT_CFI_NUMBER, VBT_CFI_SP, VBT_CFI_FP } base;
    bool loaded; /* the value is the word at that address */
    int64_t number;
};

/* Evaluates the expressions that compilers and linkers write: those of frames with a realigned
 * stack, and those of procedure linkage tables, which depend on the address. False for anything
 * else. */
bool vbt_cfi_evaluate(const struct vbt_cfi_machine *machine, struct vbt_bytes expression, uintptr_t pc,
                      struct vbt_cfi_value *value);

#endif
