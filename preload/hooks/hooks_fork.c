/* The handlers that libraries register for fork. Before a fork they run from the latest to the first, and each may allocate, map, read
 * the clock or wait for a thread that does, as an allocator's does that takes its own locks: ours, which take the locks that all this
 * needs, must run last. So they are registered before anybody's. */
#include "hook.h"

VBT_EXPORT int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library) {
    vbt_lifecycle_handle_forks();
    return vbt_real.__register_atfork(prepare, parent, child, library);
}

/* Programs have it in themselves and come by above; only who leaves it to be found, as tcmalloc does, is given libc's, for which handlers
 * belong to no library. */
VBT_EXPORT int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
    vbt_lifecycle_handle_forks();
    return vbt_real.__register_atfork(prepare, parent, child, NULL);
}
