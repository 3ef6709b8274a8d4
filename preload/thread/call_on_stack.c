/* See call_on_stack.h. */
#include "call_on_stack.h"

#include "enter.h"
#include "preload/base/memory.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

__thread uintptr_t vbt_stack_end __attribute__((tls_model("initial-exec"))) = UINTPTR_MAX;

/* function(a, b, c) with the stack pointer at `top`. Unwinders find the caller by the frame
 * pointer. */
void *vbt_switch_stack(void *a, void *b, int c, void *(*function)(void *, void *, int), char *top)
    __attribute__((visibility("hidden")));

#if defined __x86_64__
__asm__(".pushsection .text\n"
        ".type vbt_switch_stack, @function\n"
        "vbt_switch_stack:\n"
        ".cfi_startproc\n"
        "push %rbp\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset %rbp, -16\n"
        "mov %rsp, %rbp\n"
        ".cfi_def_cfa_register %rbp\n"
        "mov %r8, %rsp\n"
        "call *%rcx\n"
        "mov %rbp, %rsp\n"
        "pop %rbp\n"
        ".cfi_def_cfa %rsp, 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size vbt_switch_stack, .-vbt_switch_stack\n"
        ".popsection");
#elif defined __aarch64__
__asm__(".pushsection .text\n"
        ".type vbt_switch_stack, %function\n"
        "vbt_switch_stack:\n"
        ".cfi_startproc\n"
        "stp x29, x30, [sp, #-16]!\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset x29, -16\n"
        ".cfi_offset x30, -8\n"
        "mov x29, sp\n"
        ".cfi_def_cfa_register x29\n"
        "mov sp, x4\n"
        "blr x3\n"
        "mov sp, x29\n"
        "ldp x29, x30, [sp], #16\n"
        ".cfi_def_cfa sp, 0\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size vbt_switch_stack, .-vbt_switch_stack\n"
        ".popsection");
#endif

/* Our calls may use a quarter of the thread's own stack; the rest stays for C code, as it was. 0:
 * unknown, and they use all of it. */
static uintptr_t end_of_share(void) {
    pthread_attr_t attributes;
    void *start = NULL;
    size_t size = 0;
    int saved = errno;
    struct vbt_thread *thread = vbt_enter_aside(); /* what libc allocates meanwhile is not the program's */
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &start, &size);
        pthread_attr_destroy(&attributes);
    }
    if (thread != NULL)
        vbt_leave(thread);
    errno = saved; /* for the main thread, libc reads a file */
    return (uintptr_t)start + size / 4 * 3;
}

void *vbt_call_on_other_stack(void *a, void *b, int c, void *(*function)(void *, void *, int)) {
    enum { GUARD = 64 * 1024, SIZE = 32 * 1024 * 1024, SHARE = SIZE / 2 };
    if (vbt_stack_end == UINTPTR_MAX) {
        vbt_stack_end = end_of_share();
        return vbt_call_with_room(a, b, c, function);
    }
    char *stack = vbt_map(SIZE);
    if (stack == NULL)
        return function(a, b, c);
    vbt_sys(SYS_mprotect, stack, GUARD, PROT_NONE);
    uintptr_t before = vbt_stack_end;
    vbt_stack_end = (uintptr_t)stack + SHARE;
    void *result = vbt_switch_stack(a, b, c, function, stack + SIZE);
    vbt_stack_end = before;
    vbt_unmap(stack, SIZE);
    return result;
}
