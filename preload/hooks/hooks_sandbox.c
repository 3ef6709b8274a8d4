/* prctl and syscall, which may enter a sandbox. Under a seccomp filter, an unexpected system call
 * can end the process: the trace is completed before, and nothing is recorded from then on. Both
 * may also give up rights, or name a thread. */
#include "hook.h"
#include "preload/thread/thread_rows.h"

#include <linux/seccomp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>

/* A filter that is NULL, or that is only tried out, is not a sandbox. */
static bool is_sandbox(long request, unsigned long mode, unsigned long filter) {
    if (request == PR_SET_SECCOMP)
        return mode == SECCOMP_MODE_STRICT || (mode == SECCOMP_MODE_FILTER && filter != 0);
    return mode == SECCOMP_SET_MODE_STRICT || (mode == SECCOMP_SET_MODE_FILTER && filter != 0);
}

static bool gives_up_rights(long option) { return option == PR_SET_NO_NEW_PRIVS || option == PR_CAPBSET_DROP; }

static bool is_of_rights(long number) {
    static const long numbers[] = {SYS_setuid,   SYS_setreuid,  SYS_setresuid, SYS_setfsuid,  SYS_setgid,
                                   SYS_setregid, SYS_setresgid, SYS_setfsgid,  SYS_setgroups, SYS_capset};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

VBT_EXPORT int prctl(int option, ...) {
    unsigned long given[4];
    va_list list;
    va_start(list, option);
    for (int i = 0; i < 4; i++)
        given[i] = va_arg(list, unsigned long); /* as the C library does: the kernel ignores arguments that were not given */
    va_end(list);
    if (VBT_UNLIKELY(vbt_real.prctl == NULL))
        vbt_real_find();
    bool ends = option == PR_SET_SECCOMP && is_sandbox(option, given[0], given[1]);
    if (ends)
        vbt_lifecycle_finish("seccomp");
    int result = vbt_real.prctl(option, given[0], given[1], given[2], given[3]);
    if (result >= 0 && gives_up_rights(option))
        vbt_lifecycle_gave_up_rights();
    if (result == 0 && option == PR_SET_NAME)
        vbt_thread_row_named(0, NULL);
    if (ends && result != 0)
        vbt_lifecycle_resume();
    return result;
}

VBT_EXPORT long syscall(long number, ...) {
    long given[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        given[i] = va_arg(list, long);
    va_end(list);
    if (VBT_UNLIKELY(vbt_real.syscall == NULL))
        vbt_real_find();
    bool ends = (number == SYS_seccomp && is_sandbox(number, (unsigned long)given[0], (unsigned long)given[2])) ||
                (number == SYS_prctl && given[0] == PR_SET_SECCOMP &&
                 is_sandbox(PR_SET_SECCOMP, (unsigned long)given[1], (unsigned long)given[2]));
    bool leaves = number == SYS_chroot || number == SYS_pivot_root || number == SYS_unshare || number == SYS_setns;
    if (ends)
        vbt_lifecycle_finish("seccomp");
    if (leaves)
        vbt_lifecycle_before_leaving(number == SYS_pivot_root);
    long result = vbt_real.syscall(number, given[0], given[1], given[2], given[3], given[4], given[5]);
    if (result >= 0 && (is_of_rights(number) || (number == SYS_prctl && gives_up_rights(given[0]))))
        vbt_lifecycle_gave_up_rights();
    if (leaves)
        vbt_lifecycle_left();
    if (result == 0 && number == SYS_prctl && given[0] == PR_SET_NAME)
        vbt_thread_row_named(0, NULL);
    if (ends && result < 0)
        vbt_lifecycle_resume();
    return result;
}
