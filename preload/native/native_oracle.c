/* See native_oracle.h. */
#include "native_oracle.h"

#include "preload/base/glibc.h"
#include "preload/base/sys.h"

#include <signal.h>
#include <stdatomic.h>
#include <time.h>

__thread volatile bool vbt_oracle_walks __attribute__((tls_model("initial-exec")));

static VBT_CHANGED_BY_FORK _Atomic uint32_t walking; /* threads */
static VBT_CHANGED_BY_FORK _Atomic uint32_t forking; /* threads */
static VBT_CHANGED_BY_FORK bool threaded;            /* when the process was last forked */

static void wait_a_little(void) {
    const struct timespec pause = {0, 100 * 1000};
    vbt_sys(SYS_nanosleep, &pause, NULL);
}

void vbt_oracle_before_fork(void) {
    enum { TRIES = 20000 };
    threaded = !vbt_single_threaded();
    atomic_fetch_add(&forking, 1);
    for (int tries = 0; atomic_load(&walking) != 0 && tries < TRIES; tries++)
        wait_a_little();
}

void vbt_oracle_after_fork(void) { atomic_fetch_sub(&forking, 1); }

#if __has_include(<libunwind.h>)

#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <errno.h>
#include <libunwind.h>

#define QUOTED(name) #name
#define NAME(name) QUOTED(name)

static struct {
    typeof(unw_init_local) *init_local;
    typeof(unw_step) *step;
    typeof(unw_get_reg) *get_reg;
    typeof(unw_is_signal_frame) *is_signal_frame;
    typeof(unw_get_proc_info) *get_proc_info;
#if defined __x86_64__
    int (*getcontext)(unw_tdep_context_t *);
#endif
} unwind;

static bool find(void *library) {
    *(void **)&unwind.step = dlsym(library, NAME(unw_step));
    *(void **)&unwind.get_reg = dlsym(library, NAME(unw_get_reg));
    *(void **)&unwind.is_signal_frame = dlsym(library, NAME(unw_is_signal_frame));
    *(void **)&unwind.get_proc_info = dlsym(library, NAME(unw_get_proc_info));
#if defined __x86_64__
    *(void **)&unwind.getcontext = dlsym(library, NAME(UNW_ARCH_OBJ(getcontext)));
    if (unwind.getcontext == NULL)
        return false;
#endif
    void *init_local = dlsym(library, NAME(unw_init_local));
    if (unwind.step == NULL || unwind.get_reg == NULL || unwind.is_signal_frame == NULL || unwind.get_proc_info == NULL ||
        init_local == NULL)
        return false;
    *(void **)&unwind.init_local = init_local; /* last: it says that the others are there */
    return true;
}

const char *vbt_oracle_open(void) {
    if (unwind.init_local != NULL)
        return NULL;
    void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        dlerror();
        return "libunwind.so.8 is not installed";
    }
    return find(library) ? NULL : "libunwind.so.8 lacks a function";
}

/* What libunwind calls a signal frame: the function that was interrupted, or the code by which the
 * handler returned to it. */
#if defined __x86_64__
enum { IS_SAID_OF_INTERRUPTED = 1 };
#else
enum { IS_SAID_OF_INTERRUPTED = 0 };
#endif

static uintptr_t get(unw_cursor_t *cursor, unw_regnum_t which) {
    unw_word_t value = 0;
    unwind.get_reg(cursor, which, &value);
    return value;
}

static uint32_t walk(unw_cursor_t *cursor, const struct vbt_registers *from, struct vbt_oracle_frame *out, uint32_t size) {
    uint32_t count = 0;
    bool is_signal[2] = {false, false}; /* this frame, the one inside of it */
    while (count < size && unwind.step(cursor) > 0) {
        struct vbt_oracle_frame frame = {get(cursor, UNW_REG_IP), get(cursor, UNW_REG_SP)};
        bool repeats = count > 0 && frame.sp == out[count - 1].sp && frame.pc == out[count - 1].pc;
        if (frame.pc == 0 || repeats) /* on aarch64 an outermost function seems to call itself */
            break;
        is_signal[1] = is_signal[0];
        is_signal[0] = unwind.is_signal_frame(cursor) > 0;
        frame.pc += is_signal[IS_SAID_OF_INTERRUPTED ? 0 : 1];
        if (count > 0 || (frame.sp == from->sp && frame.pc == from->pc))
            out[count++] = frame;
    }
    return count;
}

enum { KERNEL_SIGSET_SIZE = 8 };

/* Signals are blocked, too: a handler might fork, or never return. Returns the mask from before. */
static uint64_t begin_walk(void) {
    uint64_t all = ~UINT64_C(0), before = 0;
    vbt_sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGSET_SIZE);
    for (;;) {
        atomic_fetch_add(&walking, 1);
        if (atomic_load(&forking) == 0)
            return before;
        atomic_fetch_sub(&walking, 1);
        while (atomic_load(&forking) != 0)
            wait_a_little();
    }
}

static void end_walk(uint64_t signals) {
    atomic_fetch_sub(&walking, 1);
    vbt_sys(SYS_rt_sigprocmask, SIG_SETMASK, &signals, NULL, KERNEL_SIGSET_SIZE);
}

void vbt_oracle_after_fork_in_child(void) {
    if (atomic_exchange(&walking, 0) != 0 || threaded || !vbt_single_threaded())
        unwind.init_local = NULL;
    atomic_store(&forking, 0);
}

/* Code without a description has one that covers a byte, or none. */
static bool is_described(unw_cursor_t *cursor) {
    unw_proc_info_t info;
    return unwind.get_proc_info(cursor, &info) == 0 && info.end_ip - info.start_ip > 1;
}

/* described: of the last frame that was found; NULL: not asked. */
static uint32_t walk_from(const struct vbt_registers *from, struct vbt_oracle_frame *out, uint32_t size, bool *described) {
    if (unwind.init_local == NULL)
        return 0;
    int saved = errno;
    uint64_t signals = begin_walk();
    vbt_oracle_walks = true;
    unw_context_t context;
    unw_cursor_t cursor;
#if defined __x86_64__
    unwind.getcontext(&context);
#else
    unw_tdep_getcontext(&context);
#endif
    uint32_t count = unwind.init_local(&cursor, &context) == 0 ? walk(&cursor, from, out, size) : 0;
    if (described != NULL)
        *described = count == size && is_described(&cursor);
    vbt_oracle_walks = false;
    end_walk(signals);
    errno = saved;
    return count;
}

uint32_t vbt_oracle_walk(const struct vbt_registers *from, struct vbt_oracle_frame *out, uint32_t size) {
    return walk_from(from, out, size, NULL);
}

bool vbt_oracle_describes(const struct vbt_registers *from, struct vbt_oracle_frame *out, uint32_t number) {
    bool described = false;
    walk_from(from, out, number, &described);
    return described;
}

#else

const char *vbt_oracle_open(void) { return "vbtrace was built without libunwind's header"; }

void vbt_oracle_after_fork_in_child(void) {}

uint32_t vbt_oracle_walk(const struct vbt_registers *from, struct vbt_oracle_frame *out, uint32_t size) {
    (void)from, (void)out, (void)size;
    return 0;
}

bool vbt_oracle_describes(const struct vbt_registers *from, struct vbt_oracle_frame *out, uint32_t number) {
    (void)from, (void)out, (void)number;
    return false;
}

#endif
