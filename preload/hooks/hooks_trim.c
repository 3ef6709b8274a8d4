/* malloc_trim: what it gives back to the kernel of the heap, this library gives back of the shadow.
 * Only in a process with one thread: another thread might just be writing a cell. */
#include "hook.h"
#include "preload/base/glibc.h"
#include "preload/ledger/shadow.h"

#include <malloc.h>
#include <signal.h>

VBT_EXPORT int malloc_trim(size_t pad) {
    enum { KERNEL_SIGSET_SIZE = 8 };
    vbt_real_find();
    int result = vbt_real.malloc_trim(pad);
    struct vbt_thread *thread = vbt_single_threaded() ? vbt_enter() : NULL;
    if (thread == NULL)
        return result;
    uint64_t all = ~UINT64_C(0), before;
    vbt_sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGSET_SIZE); /* a handler might allocate */
    vbt_shadow_trim();
    vbt_sys(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_SIZE);
    vbt_leave(thread);
    return result;
}
