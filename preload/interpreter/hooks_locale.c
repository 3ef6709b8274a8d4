/* setlocale: every interpreter calls it early in Py_Initialize, which reveals one that was loaded
 * with dlopen. */
#include "interpreter.h"
#include "preload/hooks/hook.h"
#include "preload/tree/main_program.h"

#include <locale.h>

VBT_EXPORT char *setlocale(int category, const char *locale) {
    if (VBT_UNLIKELY(vbt_real.setlocale == NULL))
        vbt_real_find();
    if (!vbt_in_main_program(VBT_CALLER) || vbt_python.minor != 0) {
        struct vbt_thread *thread = vbt_enter();
        if (thread != NULL) {
            vbt_python_may_start(__builtin_return_address(0));
            vbt_leave(thread);
        }
    }
    return vbt_real.setlocale(category, locale);
}
