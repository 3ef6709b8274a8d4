/* Names that threads are given. The helper reads them at its ticks, which a short thread may not
 * live to see. */
#include "hook.h"
#include "preload/thread/thread_rows.h"

#include <errno.h>

/* The kernel's id of a thread, which is part of the id of its clock; 0 if it is gone. */
static uint32_t id_of(pthread_t thread) {
    clockid_t clock;
    return pthread_getcpuclockid(thread, &clock) == 0 ? ~(uint32_t)(clock >> 3) : 0;
}

VBT_EXPORT int pthread_setname_np(pthread_t thread, const char *name) {
    vbt_real_find();
    int result = vbt_real.pthread_setname_np(thread, name);
    int saved = errno;
    uint32_t id = result == 0 ? id_of(thread) : 0;
    if (id != 0)
        vbt_thread_row_named(id, name);
    errno = saved;
    return result;
}
