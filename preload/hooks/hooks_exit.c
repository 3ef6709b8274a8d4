/* The handlers that programs and libraries register for exit run from the latest to the first, and
 * what they allocate and free is the program's. So is what libc frees when they have run, the lists
 * that held them. This library's handler ends the trace, so it must run last: it is registered
 * before all others, also those of libraries whose constructors run before this one's. */
#include "hook.h"

/* atexit, C++'s static objects. */
VBT_EXPORT int __cxa_atexit(void (*function)(void *), void *argument, void *library) {
    vbt_lifecycle_handle_exits();
    return vbt_real.__cxa_atexit(function, argument, library);
}

VBT_EXPORT int on_exit(void (*function)(int, void *), void *argument) {
    vbt_lifecycle_handle_exits();
    return vbt_real.on_exit(function, argument);
}

/* at_quick_exit. */
VBT_EXPORT int __cxa_at_quick_exit(void (*function)(void *), void *library) {
    vbt_lifecycle_handle_exits();
    return vbt_real.__cxa_at_quick_exit(function, library);
}
