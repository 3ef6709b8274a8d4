/* See interpreter.h. */
#include "interpreter.h"
#include "module_finder.h"
#include "text_sources.h"

#include "preload/base/real.h"
#include "preload/hooks/hooks_python.h"
#include "preload/lifecycle.h"
#include "preload/lines/line_mode.h"
#include "preload/python/python_check.h"
#include "preload/python/python_code.h"
#include "preload/python/python_stack.h"
#include "preload/shared/options.h"
#include "preload/shared/say.h"
#include "subinterpreters.h"
#include "preload/tree/main_program.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

static bool starting;

static bool all_found(void) {
    return vbt_python.set_allocator != NULL && vbt_python.current_thread != NULL && vbt_python.this_thread != NULL &&
           vbt_python.is_initialized != NULL && vbt_python.add_pending_call != NULL && vbt_python.code_type != NULL &&
           vbt_python.unicode_type != NULL && vbt_python.bytes_type != NULL && vbt_python.tuple_type != NULL;
}

static void give_up(const char *trouble) {
    vbt_python.trouble = trouble;
    vbt_python_stack_forget();
    if (all_found())
        vbt_hooks_python_wrap(); /* with the wrappers that read no frames */
    vbt_say("Python %s: %s; allocations are attributed to native code only", vbt_python.version, trouble);
}

/* Runs once in the interpreter, as a pending call: with the GIL, before the script. */
static int self_check(void *unused) {
    (void)unused;
    struct vbt_thread *thread = vbt_self;
    if (thread == NULL || vbt_python.trouble != NULL)
        return 0;
    vbt_python_override(&thread->stack, vbt_tree.own_node);
    const char *trouble = vbt_python_compare();
    vbt_module_finder_add();
    vbt_python_override(&thread->stack, 0);
    if (trouble != NULL) {
        give_up(trouble);
        return 0;
    }
    vbt_text_sources_begin();
    vbt_subinterpreters_begin();
    vbt_line_mode_start();
    vbt_subinterpreters_began();
    return 0;
}

/* "3.11.2 (main, ...)" */
static void read_version(void *library) {
    const char *(*get_version)(void);
    *(void **)&get_version = dlsym(library, "Py_GetVersion");
    const char *version = get_version != NULL ? get_version() : "";
    size_t length = strcspn(version, " ");
    if (length >= sizeof vbt_python.version)
        length = sizeof vbt_python.version - 1;
    memcpy(vbt_python.version, version, length);
    vbt_python.version[length] = '\0';
    vbt_python.minor = strncmp(version, "3.", 2) == 0 ? atoi(version + 2) : -1;
}

/* Only 3.8 and 3.9 have no better way to recognise its frames: full_stack.h. */
static void find_evaluation_loop(void *library) {
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    void *function = dlsym(library, "_PyEval_EvalFrameDefault");
    if (function != NULL && dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) != 0 && symbol != NULL) {
        vbt_python.evaluate_start = (uintptr_t)function;
        vbt_python.evaluate_end = (uintptr_t)function + symbol->st_size;
    }
}

static void find_functions(void *library) {
    vbt_python.library = library;
    *(void **)&vbt_python.set_allocator = dlsym(library, "PyMem_SetAllocator");
    *(void **)&vbt_python.current_thread = dlsym(library, "PyThreadState_GetUnchecked"); /* 3.13 on */
    if (vbt_python.current_thread == NULL)
        *(void **)&vbt_python.current_thread = dlsym(library, "_PyThreadState_UncheckedGet");
    *(void **)&vbt_python.this_thread = dlsym(library, "PyGILState_GetThisThreadState");
    *(void **)&vbt_python.is_initialized = dlsym(library, "Py_IsInitialized");
    *(void **)&vbt_python.is_finalizing = dlsym(library, "Py_IsFinalizing"); /* 3.13 on */
    if (vbt_python.is_finalizing == NULL)
        *(void **)&vbt_python.is_finalizing = dlsym(library, "_Py_IsFinalizing");
    *(void **)&vbt_python.add_pending_call = dlsym(library, "Py_AddPendingCall");
    *(void **)&vbt_python.interpreter_id = dlsym(library, "PyInterpreterState_GetID");
    find_evaluation_loop(library);
    vbt_python.code_type = dlsym(library, "PyCode_Type");
    vbt_python.unicode_type = dlsym(library, "PyUnicode_Type");
    vbt_python.bytes_type = dlsym(library, "PyBytes_Type");
    vbt_python.tuple_type = dlsym(library, "PyTuple_Type");
}

/* While an interpreter starts: schedules the self-check once it is up. in_real: in a hook of the C
 * library's functions. Only there, the allocators are checked and wrapped again, since the
 * configuration may have replaced them: in a wrapper, they are wrapped. */
static bool still_starting(bool in_real) {
    if (!starting)
        return false;
    if (in_real)
        vbt_hooks_python_wrap();
    if (!vbt_python.is_initialized())
        return true;
    starting = false;
    vbt_subinterpreters_watch();
    vbt_python.add_pending_call(self_check, NULL);
    return false;
}

static void poll_while_starting(void) {
    uint32_t recording = VBT_RECORDING;
    starting = true;
    atomic_store(&vbt_lifecycle_still_starting, still_starting);
    atomic_compare_exchange_strong(&vbt_recording, &recording, VBT_RECORDING_POLLED);
}

/* From now on; what was captured before is no longer valid. */
static void make_stacks(enum vbt_stacks stacks) {
    vbt_stacks = stacks;
    vbt_module_stamps_expire();
}

bool vbt_python_attach(void *library) {
    if (vbt_python.minor != 0)
        return true;
    *(void **)&vbt_python.get_allocator = dlsym(library, "PyMem_GetAllocator");
    if (vbt_python.get_allocator == NULL)
        return false;
    if (vbt_in_main_program((uintptr_t)vbt_python.get_allocator))
        vbt_main_program_disown();
    if (vbt_options.native == VBT_NATIVE_ONLY)
        return true;
    if (vbt_options.native != VBT_NATIVE_FULL)
        make_stacks(VBT_STACKS_LEAF);
    read_version(library);
    find_functions(library);
    vbt_python.known = vbt_cpython_known(vbt_python.minor);
    if (vbt_python.known == NULL || !all_found()) {
        give_up("this version is not known (" VBT_PYTHON_RANGE " are)");
        return true;
    }
    vbt_python.abi = vbt_python.known->abi;
    vbt_python.current_thread(); /* allocates where libpython was loaded with dlopen: now, in a hook's call */
    if (vbt_stacks == VBT_STACKS_NATIVE)
        make_stacks(VBT_STACKS_JOINED);
    vbt_cpython_stated(dlsym(library, "_PyRuntime"), vbt_python.minor, &vbt_python.abi);
    vbt_python_stack_use(vbt_stacks == VBT_STACKS_JOINED);
    vbt_hooks_python_wrap();
    poll_while_starting();
    return true;
}

void vbt_python_may_start(const void *caller) {
    if (vbt_options.native == VBT_NATIVE_ONLY)
        return;
    if (vbt_python.minor != 0) {
        if (vbt_python.trouble == NULL && !vbt_python.is_initialized())
            poll_while_starting();
        return;
    }
    Dl_info info;
    if (dladdr(caller, &info) == 0 || info.dli_fname == NULL)
        return;
    void *library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (library != NULL && !vbt_python_attach(library))
        dlclose(library);
    vbt_real_forget_error();
}
