/* sigaction: an interpreter that shuts down gives its handlers of signals back, after it has run
 * the functions that were registered with atexit, and before it frees anything that it keeps. That
 * is the moment of `vbtrace leaks --before-exit`. */
#include "preload/hooks/hook.h"
#include "preload/process/process.h"
#include "preload/stream/helper/helper.h"

#include <errno.h>
#include <signal.h>

/* The helper, if there is one, is of this process. */
static void keep_state(void) {
    int saved = errno;
    if (vbt_helper_runs() && vbt_sys(SYS_getpid) == vbt_pid)
        vbt_helper_keep();
    errno = saved;
}

/* At its first call while it shuts down; a program may start it again, and end it again. */
static void notice_shutdown(void) {
    static _Atomic bool noticed;
    if (vbt_python.is_finalizing == NULL)
        return;
    if (!vbt_python.is_finalizing())
        atomic_store(&noticed, false);
    else if (!atomic_exchange(&noticed, true))
        keep_state();
}

VBT_EXPORT int sigaction(int number, const struct sigaction *action, struct sigaction *old) {
    if (VBT_UNLIKELY(vbt_real.sigaction == NULL))
        vbt_real_find();
    notice_shutdown();
    return vbt_real.sigaction(number, action, old);
}
