/* System calls that leave errno alone.
 *
 * Everything the library asks of the kernel from inside a hook goes through vbt_sys: the program's
 * errno stays as it is, and no wrapper of libc runs (none takes a lock, none is a cancellation
 * point, none is one of the library's own hooks). */
#ifndef VBT_SYS_H
#define VBT_SYS_H

#include <sys/syscall.h>

/* Their numbers are the same on all architectures; older headers lack them. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

#define VBT_LIKELY(x) __builtin_expect(!!(x), 1)
#define VBT_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* An atomic word as it is now, in no order: what atomic_load_explicit with memory_order_relaxed
 * means. A plain load of an aligned word is atomic on x86-64 and aarch64. Checked with GCC 12 and
 * clang 14: they make an operand of it, where the function costs one or two instructions more. */
#define VBT_PEEK(type, word) (*(type const *)&(word))

/* On the declaration of a variable: it is the library's own, and is addressed relative to the code.
 * Without this, a shared library first looks up in a table whether another one defines it. */
#define VBT_HIDDEN __attribute__((visibility("hidden")))

/* On the definition of a small variable that a fork changes: all of them share a few pages. The
 * parent and the child each copy every page that they write to afterwards. */
#define VBT_CHANGED_BY_FORK __attribute__((section("vbt_fork")))

/* For what every event goes through: a call there costs more than a copy. */
#define VBT_INLINE static inline __attribute__((always_inline))

/* The kernel's own result: the value, or minus the error number. */
static inline long vbt_sys6(long number, long a, long b, long c, long d, long e, long f) {
#if defined __x86_64__
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined __aarch64__
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#else
#error "vbtrace runs on x86-64 and aarch64"
#endif
}

#define VBT_SYS_PICK(_0, _1, _2, _3, _4, _5, _6, name, ...) name
#define VBT_SYS0(n) vbt_sys6(n, 0, 0, 0, 0, 0, 0)
#define VBT_SYS1(n, a) vbt_sys6(n, (long)(a), 0, 0, 0, 0, 0)
#define VBT_SYS2(n, a, b) vbt_sys6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define VBT_SYS3(n, a, b, c) vbt_sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define VBT_SYS4(n, a, b, c, d) vbt_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define VBT_SYS5(n, a, b, c, d, e) vbt_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define VBT_SYS6(n, a, b, c, d, e, f) vbt_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* vbt_sys(SYS_write, fd, bytes, size) */
#define vbt_sys(...) VBT_SYS_PICK(__VA_ARGS__, VBT_SYS6, VBT_SYS5, VBT_SYS4, VBT_SYS3, VBT_SYS2, VBT_SYS1, VBT_SYS0)(__VA_ARGS__)

/* True for a result that is an error. */
static inline int vbt_sys_failed(long result) { return (unsigned long)result > -4096UL; }

#endif
