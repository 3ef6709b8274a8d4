/* dlclose: after it, other code may be at the library's addresses. dlopen: if a library looks for
 * malloc elsewhere first, the trace says so. */
#include "hook.h"
#include "preload/process/run_notes.h"
#include "preload/tree/modules.h"

#include <dlfcn.h>

/* The real function finds its caller by the return address, to search that library's paths. So it
 * must be a tail call, which the compiler makes of it when it optimizes. */
__attribute__((optimize("O2"))) VBT_EXPORT void *dlopen(const char *path, int mode) {
    if (VBT_UNLIKELY(vbt_real.dlopen == NULL))
        vbt_real_find();
    if (VBT_UNLIKELY((mode & RTLD_DEEPBIND) != 0))
        vbt_note("A library was loaded with RTLD_DEEPBIND: it calls the C library's malloc and free directly, so what it allocates "
                 "and frees is not recorded.");
    return vbt_real.dlopen(path, mode);
}

VBT_EXPORT int dlclose(void *handle) {
    if (VBT_UNLIKELY(vbt_real.dlclose == NULL))
        vbt_real_find();
    vbt_modules_close_begin();
    int result = vbt_real.dlclose(handle);
    vbt_modules_close_end();
    return result;
}
