/* The handlers that libraries register for fork. Before a fork they run from the latest to the
 * first, and each may allocate, map, read the clock or wait for a thread that does, such as an
 * allocator's, which takes its own locks. This library's handlers take the locks that all this
 * needs, so they must run last: they are registered before all others. */
#include "hook.h"

VBT_EXPORT int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library) {
    vbt_lifecycle_handle_forks();
    return vbt_real.__register_atfork(prepare, parent, child, library);
}

/* Programs contain their own copy, which calls the function above. Only callers that look this up
 * at run time, as tcmalloc does, get libc's, whose handlers belong to no library. */
VBT_EXPORT int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
    vbt_lifecycle_handle_forks();
    return vbt_real.__register_atfork(prepare, parent, child, NULL);
}
