/* dlclose: from here on other code may lie at the library's addresses. dlopen: of a library that looks for malloc elsewhere, the trace
 * says so. */
#include "hook.h"
#include "preload/process/run_notes.h"
#include "preload/tree/modules.h"

#include <dlfcn.h>

/* The real function asks who called it, to search in that library's places, and looks at the return address. So it must take this
 * one's place on the stack, as the last call of a function does when the compiler optimizes. */
__attribute__((optimize("O2"))) VBT_EXPORT void *dlopen(const char *path, int mode) {
    if (VBT_UNLIKELY(vbt_real.dlopen == NULL))
        vbt_real_find();
    if (VBT_UNLIKELY((mode & RTLD_DEEPBIND) != 0))
        vbt_note("A library was loaded with RTLD_DEEPBIND: it finds the C library's malloc and free before vbtrace's, and what it "
                 "allocates and frees is not seen.");
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
