/* Call frame information: the rule by which one return address leads to its caller.
 *
 * Compilers describe every function's frame in .eh_frame, for exceptions. Walking a stack needs
 * three things of that: where the frame ends (the canonical frame address, CFA: the stack pointer
 * after the return), and where in it the caller's frame pointer and the return address are saved.
 * For nearly all code these fit into eight bytes. The parser knows x86-64 and aarch64, on either,
 * and trusts nothing it reads. See the DWARF standard, 6.4, and the Linux Standard Base, "Exception
 * frames". */
#ifndef VBT_NATIVE_CFI_H
#define VBT_NATIVE_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vbt_rule_kind {
    VBT_RULE_NONE, /* not known yet */
    VBT_RULE_SP,   /* the CFA is the stack pointer + cfa */
    VBT_RULE_FP,   /* the CFA is the frame pointer + cfa */
    /* Like SP, in functions that were interrupted: on aarch64 the return address is still in its
     * register; on x86-64 the saved frame pointer is below the stack pointer, in the red zone. */
    VBT_RULE_LEAF,
    VBT_RULE_FP_LOAD,   /* the CFA is the word at the frame pointer + cfa: functions that realign their stack */
    VBT_RULE_SIGNAL,    /* a signal handler returns here; the kernel's frame has the registers */
    VBT_RULE_END,       /* the outermost function of a thread */
    VBT_RULE_ASK,       /* there is a description that a rule cannot express: ask the oracle */
    VBT_RULE_NO_CFI,    /* the module does not describe this address */
    VBT_RULE_NO_MODULE, /* the address is in no module */
};

/* fp of a rule, where the frame pointer is not saved in the frame. */
enum { VBT_FP_KEPT = 0, VBT_FP_AT_FP = 1 };

/* x86-64: bytes below the stack pointer that are the function's own. */
enum { VBT_RED_ZONE = 128 };

struct vbt_rule {
    int32_t cfa; /* bytes */
    /* Where the caller's frame pointer is saved: bytes from the CFA; VBT_FP_KEPT: still in the
     * register; VBT_FP_AT_FP: where the frame pointer points to. */
    int16_t fp;
    /* Where the return address is saved: words from the saved frame pointer, or from the CFA if
     * that is not in the frame. */
    int8_t ra;
    uint8_t kind; /* enum vbt_rule_kind */
};
_Static_assert(sizeof(struct vbt_rule) == sizeof(uint64_t), "a rule is stored in one word");

/* What the parser must know of a processor: DWARF's numbers of its registers. */
struct vbt_cfi_machine {
    uint8_t sp, fp, ra;
    bool pushes_ra; /* calls put the return address on the stack, right below the CFA */
};
extern const struct vbt_cfi_machine vbt_cfi_x86_64, vbt_cfi_aarch64;

/* Where a module's description is: .eh_frame_hdr begins at header, and nothing outside [start, end)
 * may be read. */
struct vbt_cfi_section {
    const uint8_t *header;
    uintptr_t start, end;
};

/* The rule for the code at `pc`, an address inside the instruction: one less than a return address.
 * ASK, END, SIGNAL and NO_CFI are answers like the others; a section that makes no sense describes
 * no address. */
struct vbt_rule vbt_cfi_rule(const struct vbt_cfi_machine *machine, const struct vbt_cfi_section *section, uintptr_t pc);

#endif
