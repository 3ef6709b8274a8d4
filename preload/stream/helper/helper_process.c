/* See helper_process.h. */
#include "helper_process.h"

#include "preload/base/memory.h"
#include "preload/base/sys.h"
#include "preload/process/process.h"
#include "preload/shared/run_names.h"
#include "preload/shared/say.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { STACK_SIZE = 512 * 1024, GO_BETWEEN_STACK_SIZE = 16 * 1024, TLS_SIZE = 64 * 1024, KERNEL_SIGSET_SIZE = 8 };

static VBT_CHANGED_BY_FORK struct {
    char *stack, *go_between_stack, *tls;
    int (*run)(void *);
    _Atomic uint32_t *id;
    int made; /* the result of the second clone */
    char name[16];
    bool is_child;
} process;

/* Is this the first PID namespace? By the kernel's number for it. */
static bool has_real_init(void) {
    enum { FIRST_PID_NAMESPACE = 0xEFFFFFFCu };
    struct stat namespace;
    return vbt_sys(SYS_newfstatat, -1, "/proc/self/ns/pid", &namespace, 0) == 0 && namespace.st_ino == FIRST_PID_NAMESPACE;
}

static bool adopts_orphans(void) {
    int adopts = 0;
    vbt_sys(SYS_prctl, PR_GET_CHILD_SUBREAPER, &adopts);
    return adopts != 0 || vbt_sys(SYS_getpid) == 1;
}

/* A copy of the program's descriptor table would keep its pipes open for a moment. Before Linux
 * 5.9, there is no close_range. */
static void leave_descriptors(void) {
    enum { OLD_KERNEL_LIMIT = 65536 };
    if (vbt_sys(SYS_close_range, 0, ~0U, CLOSE_RANGE_UNSHARE) == 0)
        return;
    vbt_sys(SYS_unshare, CLONE_FILES);
    for (int fd = 0; fd < OLD_KERNEL_LIMIT; fd++)
        vbt_sys(SYS_close, fd);
}

static int begin(void *unused) {
    leave_descriptors();
    vbt_sys(SYS_setsid); /* a signal to the program's group is not meant for the helper */
    vbt_sys(SYS_chdir, "/");
    vbt_sys(SYS_prctl, PR_SET_NAME, process.name);
    return process.run(unused);
}

/* A thread pointer that works for libc's errno and the compiler's stack guard: zeroed memory on
 * both sides of it, and the pointer to itself that x86-64's ABI requires. */
static void *thread_pointer(void) {
    char *pointer = process.tls + TLS_SIZE / 2;
    memcpy(pointer, &pointer, sizeof pointer);
    memcpy(pointer + 16, &pointer, sizeof pointer);
    return pointer;
}

static int make(void) {
    int flags = CLONE_VM | CLONE_FILES | CLONE_UNTRACED | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    int made = clone(begin, process.stack + STACK_SIZE, flags, NULL, process.id, thread_pointer(), process.id);
    return made > 0 ? 0 : -errno;
}

/* The helper's parent, which ends at once to make the helper an orphan. */
static int go_between(void *unused) {
    (void)unused;
    vbt_sys(SYS_prctl, PR_SET_NAME, process.name); /* the helper has it from the first moment on */
    process.made = make();
    vbt_sys(SYS_exit, 0);
    return 0;
}

/* Would a child be the only one, is this thread the only one, and is no SIGCHLD pending? */
static bool is_alone(void) {
    struct stat threads;
    uint64_t pending = 0;
    siginfo_t child;
    vbt_sys(SYS_rt_sigpending, &pending, KERNEL_SIGSET_SIZE);
    return vbt_sys(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &threads, 0) == 0 && threads.st_nlink == 3 &&
           vbt_sys(SYS_waitid, P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT | __WALL, NULL) == -ECHILD &&
           (pending >> (SIGCHLD - 1) & 1) == 0;
}

/* As the kernel has it; larger than any machine needs. */
struct kernel_action {
    uintptr_t handler;
    unsigned long rest[7];
};

/* Waiting for the intermediate process would book its resident set, which is the program's, as that
 * of a child (getrusage). If nothing can notice, the kernel removes it unasked: SIGCHLD is ignored
 * meanwhile. */
static int make_orphan(void) {
    static struct kernel_action ignore = {.handler = (uintptr_t)SIG_IGN}, before;
    bool unasked = is_alone() && vbt_sys(SYS_rt_sigaction, SIGCHLD, &ignore, &before, KERNEL_SIGSET_SIZE) == 0;
    int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_UNTRACED;
    int parent = clone(go_between, process.go_between_stack + GO_BETWEEN_STACK_SIZE, flags | (unasked ? SIGCHLD : 0), NULL);
    int error = errno;
    if (unasked)
        vbt_sys(SYS_rt_sigaction, SIGCHLD, &before, NULL, KERNEL_SIGSET_SIZE);
    else if (parent > 0)
        vbt_sys(SYS_wait4, parent, NULL, __WCLONE, NULL);
    return parent < 0 ? -error : process.made;
}

bool vbt_helper_process_reserve(void) {
    if (process.stack == NULL)
        process.stack = vbt_map_for_helper(STACK_SIZE);
    if (process.go_between_stack == NULL)
        process.go_between_stack = vbt_map_for_helper(GO_BETWEEN_STACK_SIZE);
    if (process.tls == NULL)
        process.tls = vbt_map_for_helper(TLS_SIZE);
    return process.stack != NULL && process.go_between_stack != NULL && process.tls != NULL;
}

int vbt_helper_process_make(int (*run)(void *), _Atomic uint32_t *id) {
    if (!vbt_helper_process_reserve())
        return -ENOMEM;
    uint64_t all = ~UINT64_C(0), before;
    int saved = errno;
    process.run = run;
    process.id = id;
    vbt_format(process.name, sizeof process.name, VBT_HELPER_NAME "%d", vbt_pid);
    process.is_child = adopts_orphans() || !has_real_init();
    vbt_sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGSET_SIZE);
    int result = process.is_child ? make() : make_orphan();
    vbt_sys(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_SIZE);
    errno = saved;
    return result;
}

void vbt_helper_process_reap(uint32_t id) {
    if (process.is_child)
        vbt_sys(SYS_wait4, id, NULL, __WCLONE, NULL);
}

void vbt_helper_process_after_fork(void) { process.stack = process.go_between_stack = process.tls = NULL; }
