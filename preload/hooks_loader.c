/* dlclose: from here on other code may lie at the library's addresses. dlopen is not hooked: it asks who called it. */
#include "hook.h"
#include "where/modules.h"

VBT_EXPORT int dlclose(void *handle) {
    if (VBT_UNLIKELY(vbt_real.dlclose == NULL))
        vbt_real_find();
    vbt_modules_close_begin();
    int result = vbt_real.dlclose(handle);
    vbt_modules_close_end();
    return result;
}
