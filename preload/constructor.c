/* What happens when the library has been loaded.
 *
 * The library wakes at the first allocation or here, whichever comes first (lifecycle.c). Only here
 * does it look for the interpreter and for what it cannot see, since looking up missing symbols
 * allocates, and decide whether the process is traced at all. */
#include "preload/hooks/hook.h"
#include "preload/interpreter/interpreter.h"
#include "preload/native/native_oracle.h"
#include "preload/process/process.h"
#include "preload/process/run_notes.h"
#include "preload/process/sanitizer.h"
#include "preload/process/wanted.h"
#include "preload/shared/options.h"
#include "preload/shared/say.h"

#include <dlfcn.h>

/* What the lookups allocate is not the program's, and neither is the error that they leave.
 * *own_malloc: the program's malloc is not this library's. */
static void look_around(bool *own_malloc) {
    struct vbt_thread *thread = vbt_enter();
    vbt_python_attach(RTLD_DEFAULT);
    *own_malloc = !vbt_heap_is_hooked();
    if (*own_malloc)
        vbt_note("The program has its own malloc: what goes through it is not recorded.");
    if (vbt_real_has_operators())
        vbt_note("The allocator's library has C++'s operators new and delete, too: what goes through those is not recorded.");
    const char *trouble = vbt_stacks != VBT_STACKS_LEAF ? vbt_oracle_open() : NULL;
    vbt_real_forget_error();
    if (trouble == NULL && vbt_options.verify != 0) {
        vbt_native_verify_every = vbt_options.verify;
        vbt_module_stamps_expire();
    } else if (vbt_options.verify != 0) {
        vbt_say("VBTRACE_VERIFY: %s; stacks are not compared", trouble);
    }
    if (thread != NULL)
        vbt_leave(thread);
}

__attribute__((constructor)) static void construct(void) {
    if (!vbt_lifecycle_wake())
        return;
    bool own_malloc;
    look_around(&own_malloc);
    bool sanitized = own_malloc && vbt_sanitizer_in_program();
    if (sanitized)
        vbt_say("%s: is built with a sanitizer, which replaces malloc as vbtrace does; running untraced", vbt_program_path());
    if (sanitized || !vbt_process_is_wanted(vbt_python.minor != 0))
        vbt_lifecycle_decline();
    else
        vbt_lifecycle_begin();
}
