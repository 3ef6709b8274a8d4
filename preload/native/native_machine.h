/* The processor we run on: the registers that a walk over the stack needs, and where a signal
 * handler's frame keeps them. */
#ifndef VBT_NATIVE_MACHINE_H
#define VBT_NATIVE_MACHINE_H

#include "preload/base/sys.h"
#include "native_cfi.h"

#include <stddef.h>
#include <string.h>
#include <ucontext.h>

/* A position on the stack: the registers just after the return to pc. After a signal, pc is one
 * past the address of the interrupted instruction, so that pc - 1 is inside the instruction, as it
 * is after a call. */
struct vbt_registers {
    uintptr_t sp, pc, fp;
#if defined __aarch64__
    uintptr_t lr; /* known in interrupted functions only: those that call another have saved it */
#endif
};

#if defined __x86_64__

#define VBT_CFI_MACHINE (&vbt_cfi_x86_64)

/* The caller of the function that uses this. */
#define VBT_CALLER_REGISTERS                                                                                                       \
    ((struct vbt_registers){(uintptr_t)__builtin_frame_address(0) + 16, (uintptr_t)__builtin_return_address(0),                    \
                            *(const uintptr_t *)__builtin_frame_address(0)})

/* The word below a frame's end is its return address, always. */
enum { VBT_RA_BELOW_CFA = true };

/* Where a frame with this CFA keeps its return address; and the address itself, from what is stored
 * there. */
VBT_INLINE uintptr_t vbt_ra_slot(struct vbt_rule rule, uintptr_t cfa) {
    (void)rule;
    return cfa - 8;
}
VBT_INLINE uintptr_t vbt_plain_address(uintptr_t stored) { return stored; }

/* What a slot holds (NULL: anything) from which vbt_plain_address made `plain`. */
VBT_INLINE uintptr_t vbt_stored_address(const uintptr_t *slot, uintptr_t plain) {
    (void)slot;
    return plain;
}

/* mov $15, %eax or %rax; syscall: rt_sigreturn. */
static inline bool vbt_is_signal_return(uintptr_t pc) {
    static const uint8_t with_rax[] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05}, with_eax[] = {0xb8, 15, 0, 0, 0, 0x0f, 0x05};
    return memcmp((const void *)pc, with_rax, sizeof with_rax) == 0 || memcmp((const void *)pc, with_eax, sizeof with_eax) == 0;
}

/* Offset from the stack pointer of a function that returns from a signal to the context, and how
 * many bytes of the context are read. */
enum { VBT_SIGNAL_CONTEXT = 0, VBT_SIGNAL_CONTEXT_SIZE = offsetof(ucontext_t, uc_mcontext) + sizeof(gregset_t) };

static inline struct vbt_registers vbt_interrupted(const ucontext_t *context) {
    const greg_t *registers = context->uc_mcontext.gregs;
    return (struct vbt_registers){(uintptr_t)registers[REG_RSP], (uintptr_t)registers[REG_RIP] + 1, (uintptr_t)registers[REG_RBP]};
}

#elif defined __aarch64__

#define VBT_CFI_MACHINE (&vbt_cfi_aarch64)

/* Strips the signature (xpaclri, a hint that older processors ignore). */
VBT_INLINE uintptr_t vbt_plain_address(uintptr_t stored) {
    register uintptr_t x30 __asm__("x30") = stored;
    __asm__("hint #7" : "+r"(x30));
    return x30;
}

VBT_INLINE uintptr_t vbt_stored_address(const uintptr_t *slot, uintptr_t plain) { return slot != NULL ? *slot : plain; }

#define VBT_CALLER_REGISTERS                                                                                                       \
    ((struct vbt_registers){(uintptr_t)__builtin_dwarf_cfa(), vbt_plain_address((uintptr_t)__builtin_return_address(0)),           \
                            *(const uintptr_t *)__builtin_frame_address(0), 0})

enum { VBT_RA_BELOW_CFA = false };

VBT_INLINE uintptr_t vbt_ra_slot(struct vbt_rule rule, uintptr_t cfa) {
    return cfa + (uintptr_t)(intptr_t)(rule.fp < 0 ? rule.fp : 0) + (uintptr_t)(intptr_t)rule.ra * 8;
}

/* mov x8, #139; svc #0: rt_sigreturn, which the kernel does not describe. */
static inline bool vbt_is_signal_return(uintptr_t pc) {
    static const uint32_t code[] = {0xd2801168, 0xd4000001};
    return memcmp((const void *)pc, code, sizeof code) == 0;
}

enum { VBT_SIGNAL_CONTEXT = 128, VBT_SIGNAL_CONTEXT_SIZE = offsetof(ucontext_t, uc_mcontext.pstate) }; /* after the siginfo */

static inline struct vbt_registers vbt_interrupted(const ucontext_t *context) {
    const mcontext_t *machine = &context->uc_mcontext;
    return (struct vbt_registers){machine->sp, machine->pc + 1, machine->regs[29], machine->regs[30]};
}

#endif

#endif
