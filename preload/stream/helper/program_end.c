/* See program_end.h. */
#include "program_end.h"

#include "preload/base/proc.h"
#include "preload/base/sys.h"
#include "preload/process/process.h"
#include "preload/shared/say.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* The kernel clears this word when the first thread leaves the memory, by its end or an exec, as
 * long as another process shares that memory (set_tid_address(2)): the helper does. NULL if the
 * kernel does not say where the word is. */
static VBT_CHANGED_BY_FORK _Atomic uint32_t *first_thread;
static long program = -1; /* a pidfd */
static bool has_waitv = true;

void vbt_program_end_init(void) {
    void *address = NULL;
    first_thread = NULL;
    if (vbt_sys(SYS_gettid) == vbt_sys(SYS_getpid) && vbt_sys(SYS_prctl, PR_GET_TID_ADDRESS, &address) == 0)
        first_thread = address;
}

void vbt_program_end_open(void) { program = vbt_sys(SYS_pidfd_open, vbt_pid, 0); }

void vbt_program_end_close(void) {
    if (program >= 0)
        vbt_sys(SYS_close, program);
    program = -1;
}

static bool first_thread_runs(void) { return first_thread != NULL && atomic_load(first_thread) != 0; }

/* As struct futex_waitv of Linux 5.16. */
struct wait_for {
    uint64_t value, address;
    uint32_t flags, reserved;
};

void vbt_program_end_sleep(_Atomic uint32_t *word, uint32_t was, int64_t nanoseconds) {
    enum { SIZE_32 = 2 };
    struct timespec timeout = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    uint32_t thread = first_thread != NULL ? atomic_load(first_thread) : 0;
    if (has_waitv && thread != 0) {
        struct wait_for words[] = {
            {was, (uintptr_t)word, SIZE_32 | FUTEX_PRIVATE_FLAG, 0},
            {thread, (uintptr_t)first_thread, SIZE_32, 0}, /* the kernel's wake is not private */
        };
        struct timespec end;
        vbt_sys(SYS_clock_gettime, CLOCK_MONOTONIC, &end);
        int64_t nanos = end.tv_nsec + timeout.tv_nsec;
        end.tv_sec += timeout.tv_sec + nanos / 1000000000;
        end.tv_nsec = nanos % 1000000000;
        long result = vbt_sys(SYS_futex_waitv, words, 2, 0, &end, CLOCK_MONOTONIC);
        if (result != -ENOSYS && result != -EPERM && result != -EINVAL)
            return;
        has_waitv = false;
    }
    vbt_sys(SYS_futex, word, FUTEX_WAIT_PRIVATE, was, &timeout, 0, 0);
}

static bool has_ended(void) {
    struct pollfd wanted = {.fd = (int)program, .events = POLLIN};
    struct timespec now = {0, 0};
    if (program >= 0)
        return vbt_sys(SYS_ppoll, &wanted, 1, &now, NULL, 0) == 1;
    return program == -ESRCH || vbt_sys(SYS_kill, vbt_pid, 0) == -ESRCH;
}

/* Fields of /proc/PID/stat, as proc(5) numbers them: flags of the task, its status as wait returns
 * it. */
enum { FIELD_FLAGS = 9, FIELD_STATUS = 52 };

/* False if the process is gone. */
static bool stat_number(int field, uint64_t *out) {
    char path[64];
    vbt_format(path, sizeof path, "/proc/%d/stat", vbt_pid);
    const char *at = strrchr(vbt_proc_text(path, NULL), ')'); /* the name before it may contain any character */
    for (int i = 2; at != NULL && i < field; i++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return false;
    *out = vbt_number_after_blank(&at);
    return true;
}

/* Of a process whose parent has already collected its status, from Linux 6.15 on: struct pidfd_info
 * of linux/pidfd.h. False if the kernel does not give it. */
static bool status_of_reaped(uint64_t *status) {
    enum { INFO_EXIT = 1 << 3 };
    struct info {
        uint64_t mask, cgroup;
        uint32_t ids[11];
        int32_t exit_code;
    } info = {.mask = INFO_EXIT};
    for (int tries = 0; program >= 0 && tries < 20; tries++) {
        if (vbt_sys(SYS_ioctl, program, _IOWR(0xFF, 11, struct info), &info) != 0)
            return false;
        if ((info.mask & INFO_EXIT) != 0) {
            *status = (uint32_t)info.exit_code;
            return true;
        }
        const struct timespec pause = {0, 1000 * 1000}; /* it is being collected just now */
        vbt_sys(SYS_nanosleep, &pause, NULL);
        info.mask = INFO_EXIT;
    }
    return false;
}

static const char *how(void) {
    static char text[32];
    uint64_t status;
    if (!stat_number(FIELD_STATUS, &status) && !status_of_reaped(&status))
        return "unseen";
    if ((status & 0x7f) == 0)
        return "exit_group";
    vbt_format(text, sizeof text, "signal %d", (int)(status & 0x7f));
    return text;
}

/* The first thread no longer uses the memory, and the process lives: either that thread ended, and
 * others continue, or the process executed another program. */
static bool has_replaced_itself(void) {
    enum { EXITING = 0x4 }; /* the kernel's PF_EXITING, set from the first moment of an exit on */
    uint64_t flags;
    if (!stat_number(FIELD_FLAGS, &flags) || (flags & EXITING) != 0)
        return false;
    return vbt_sys(SYS_kcmp, vbt_sys(SYS_getpid), vbt_pid, KCMP_VM, 0, 0) > 0;
}

const char *vbt_program_end(void) {
    if (has_ended())
        return how();
    return first_thread != NULL && !first_thread_runs() && has_replaced_itself() ? "exec" : NULL;
}
