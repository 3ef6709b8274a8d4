/* See helper.h. */
#include "helper.h"

#include "preload/base/lock.h"
#include "preload/base/memory.h"
#include "preload/base/start.h"
#include "preload/base/sys.h"
#include "stream.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { STACK_SIZE = 512 * 1024, TLS_SIZE = 64 * 1024, KERNEL_SIGSET_SIZE = 8 };

enum { NOTHING, LOOK, STOP };

/* Stands for the thread's id until the kernel has written that. */
enum { NOBODY = 1 };

static struct {
    struct vbt_lock changing; /* one start or stop at a time */
    _Atomic uint32_t tid;     /* 0: no thread; cleared and woken by the kernel when it ends */
    _Atomic uint32_t call;    /* what it is asked to do; it sleeps on this word */
    _Atomic bool dozes;
    _Atomic bool kept;
    int64_t first_tick;
    const char *reason;
    bool finish;
    _Atomic bool impossible;
    char *stack;
    char *tls;
} helper;

/* Valgrind ends a program that makes such a thread. It puts a library of its own before the program's. */
void vbt_helper_init(void) {
    for (char **entry = vbt_environment(); *entry != NULL; entry++)
        if (strncmp(*entry, "LD_PRELOAD=", 11) == 0 && strstr(*entry, "/vgpreload_core") != NULL)
            atomic_store(&helper.impossible, true);
}

bool vbt_helper_runs(void) { return atomic_load(&helper.tid) != 0; }

bool vbt_helper_is_impossible(void) { return atomic_load(&helper.impossible); }

bool vbt_helper_sleep(int64_t nanoseconds, const char **reason, bool *finish) {
    struct timespec timeout = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    uint32_t call = atomic_load(&helper.call);
    if (call == NOTHING)
        vbt_sys(SYS_futex, &helper.call, FUTEX_WAIT_PRIVATE, NOTHING, &timeout, 0, 0);
    call = LOOK;
    atomic_compare_exchange_strong(&helper.call, &call, NOTHING);
    if (atomic_load(&helper.call) != STOP)
        return false;
    *reason = helper.reason;
    *finish = helper.finish;
    return true;
}

void vbt_helper_doze(void) { atomic_store(&helper.dozes, true); }

bool vbt_helper_dozes(void) { return atomic_load(&helper.dozes); }

void vbt_helper_rouse(void) {
    uint32_t nothing = NOTHING;
    if (!atomic_load(&helper.dozes) || !atomic_exchange(&helper.dozes, false))
        return;
    if (atomic_compare_exchange_strong(&helper.call, &nothing, LOOK))
        vbt_sys(SYS_futex, &helper.call, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

/* The new descriptor table came with copies of the program's descriptors: a pipe held open here would never end. */
static void close_copies(void) {
    enum { OLD_KERNEL_LIMIT = 65536 }; /* before 5.9 there is no close_range */
    if (vbt_sys(SYS_close_range, 0, ~0U, 0) != -ENOSYS)
        return;
    for (int fd = 0; fd < OLD_KERNEL_LIMIT; fd++)
        vbt_sys(SYS_close, fd);
}

static int run(void *unused) {
    (void)unused;
    close_copies();
    vbt_stream_run(helper.first_tick);
    return 0;
}

/* A thread pointer that libc's errno and the compiler's stack guard can live with: zeroed memory on both sides of it,
 * and the pointer to itself that x86-64's ABI asks for. */
static void *thread_pointer(void) {
    char *pointer = helper.tls + TLS_SIZE / 2;
    memcpy(pointer, &pointer, sizeof pointer);
    memcpy(pointer + 16, &pointer, sizeof pointer);
    return pointer;
}

static bool start(void) {
    if (atomic_load(&helper.impossible))
        return false;
    if (helper.stack == NULL && (helper.stack = vbt_map(STACK_SIZE)) == NULL)
        return false;
    if (helper.tls == NULL && (helper.tls = vbt_map(TLS_SIZE)) == NULL)
        return false;
    uint64_t all = ~UINT64_C(0);
    uint64_t before;
    vbt_sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGSET_SIZE);
    int flags = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    int saved = errno;
    int tid = clone(run, helper.stack + STACK_SIZE, flags, NULL, &helper.tid, thread_pointer(), &helper.tid);
    if (tid < 0 && errno != EAGAIN && errno != ENOMEM)
        atomic_store(&helper.impossible, true); /* an emulator or a filter of system calls: it is no matter of time */
    errno = saved;
    vbt_sys(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_SIZE);
    return tid > 0;
}

bool vbt_helper_start(int64_t first_tick) {
    if (!vbt_trylock(&helper.changing))
        return false;
    bool runs = vbt_helper_runs();
    if (!runs) {
        atomic_store(&helper.tid, NOBODY);
        helper.first_tick = first_tick;
        runs = start();
        if (!runs)
            atomic_store(&helper.tid, 0);
    }
    vbt_unlock(&helper.changing);
    return runs;
}

void vbt_helper_stop(const char *reason, bool finish) {
    vbt_lock(&helper.changing);
    helper.reason = reason;
    helper.finish = finish;
    atomic_store(&helper.call, STOP);
    if (vbt_helper_runs()) {
        vbt_sys(SYS_futex, &helper.call, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
    } else {
        atomic_store(&helper.tid, NOBODY);
        if (!start()) {
            atomic_store(&helper.tid, 0);
            vbt_stream_run(0);
        }
    }
    uint32_t tid, last = 0;
    while ((tid = atomic_load(&helper.tid)) != 0) {
        last = tid;
        vbt_sys(SYS_futex, &helper.tid, FUTEX_WAIT, tid, 0, 0, 0); /* not private: the kernel's wake is not */
    }
    /* It has left the memory, but may still be one of the process's threads for an instant. */
    const struct timespec pause = {0, 20 * 1000};
    while (last != 0 && vbt_sys(SYS_tgkill, vbt_sys(SYS_getpid), last, 0) == 0)
        vbt_sys(SYS_nanosleep, &pause, NULL);
    atomic_store(&helper.call, NOTHING);
    atomic_store(&helper.dozes, false);
    atomic_store(&helper.kept, false);
    vbt_unlock(&helper.changing);
}

void vbt_helper_keep(void) { atomic_store(&helper.kept, vbt_helper_runs()); }

bool vbt_helper_is_kept(void) { return atomic_load(&helper.kept); }

void vbt_helper_after_fork(void) {
    helper.changing = (struct vbt_lock){0};
    atomic_store(&helper.tid, 0);
    atomic_store(&helper.call, NOTHING);
    atomic_store(&helper.dozes, false);
    atomic_store(&helper.kept, false);
}
