/* See runtime_groups.h. The traits of a stack follow from those of its parent and one more frame,
 * so one pass over the calls is enough. */
#include "runtime_groups.h"

#include "analyzer/base/allocate.h"
#include "preload/shared/base_name.h"

#include <stdlib.h>
#include <string.h>

const char *const vbt_runtime_group_names[VBT_RUNTIME_GROUPS] = {
    [VBT_RUNTIME_NONE] = "",
    [VBT_RUNTIME_IMPORTS] = "Python imports",
    [VBT_RUNTIME_INTERPRETER] = "Python interpreter",
    [VBT_RUNTIME_C_LIBRARY] = "C library",
    [VBT_RUNTIME_CXX] = "C++ runtime",
    [VBT_RUNTIME_VBTRACE] = "vbtrace",
};

/* What a frame can be. */
enum {
    PYTHON = 1,
    USER = 2,   /* the user's own Python code */
    IMPORT = 4, /* the import machinery */
    INTERPRETER = 8,
    C_LIBRARY = 16,
    CXX = 32,
    KEEPS = 64, /* a function of the C library that keeps what it allocates */
    VBTRACE = 128,
    START = 256, /* the program's entry point, which all stacks have */
};

static bool begins_with_one_of(const char *text, const char *const *beginnings) {
    for (; *beginnings != NULL; beginnings++)
        if (strncmp(text, *beginnings, strlen(*beginnings)) == 0)
            return true;
    return false;
}

static unsigned native_bits(const struct vbt_source_place *place) {
    static const char *const c_library[] = {"libc.so",  "libc-2",     "ld-linux", "ld-2",      "libm.so",
                                            "libdl.so", "libpthread", "librt.so", "libresolv", NULL};
    static const char *const cxx[] = {"libstdc++", "libc++", "libgcc_s", NULL};
    static const char *const interpreter[] = {"python", "libpython", NULL};
    static const char *const keeps[] = {"_IO_file_doallocate",
                                        "_IO_doallocbuf",
                                        "setlocale",
                                        "newlocale",
                                        "_nl_",
                                        "read_alias_file",
                                        "new_composite_name",
                                        "__gconv",
                                        "tzset",
                                        "__tz",
                                        "_dl_",
                                        "dl_open",
                                        "dlopen",
                                        "dlsym",
                                        "dlerror",
                                        "__cxa_atexit",
                                        "atexit",
                                        "on_exit",
                                        "__new_exitfn",
                                        "pthread_create",
                                        "setenv",
                                        "pthread_once",
                                        "putenv",
                                        "pthread_atfork",
                                        "__register_atfork",
                                        "__libc_",
                                        "__nss_",
                                        NULL};
    const char *module = vbt_base_name(place->module);
    if (strcmp(place->function, "_start") == 0)
        return START;
    if (begins_with_one_of(module, c_library))
        return C_LIBRARY | (begins_with_one_of(place->function, keeps) ? KEEPS : 0);
    if (begins_with_one_of(module, cxx))
        return CXX;
    return begins_with_one_of(module, interpreter) ? INTERPRETER : 0;
}

static unsigned bits_of(const struct vbt_source_place *place) {
    if (place->kind == VBT_PLACE_SPECIAL)
        return strcmp(place->function, "[vbtrace]") == 0 ? VBTRACE : 0;
    if (place->kind == VBT_PLACE_NATIVE)
        return native_bits(place);
    bool import = vbt_place_imports(place);
    return PYTHON | (place->user ? USER : 0) | (import ? IMPORT : 0);
}

/* What matters about a stack. */
struct stack_traits {
    uint16_t any;          /* what any of its frames is */
    bool only_runtime : 1; /* every frame belongs to the interpreter or a runtime library */
    bool importing : 1;    /* the import machinery is on it, with no user code further in */
    bool keeps : 1;        /* the innermost calls are in the C library, and one keeps what it allocates */
};

static struct stack_traits with(struct stack_traits outer, unsigned bits) {
    return (struct stack_traits){
        .any = (uint16_t)(outer.any | bits),
        .only_runtime = outer.only_runtime && (bits & (INTERPRETER | C_LIBRARY | CXX | START)) != 0,
        .importing = (bits & IMPORT) != 0 || (outer.importing && (bits & USER) == 0),
        .keeps = (bits & C_LIBRARY) != 0 && (outer.keeps || (bits & KEEPS) != 0),
    };
}

static enum vbt_runtime_group group_of(struct stack_traits stack, bool whole_stacks) {
    if ((stack.any & VBTRACE) != 0)
        return VBT_RUNTIME_VBTRACE;
    if (stack.importing)
        return VBT_RUNTIME_IMPORTS;
    if (stack.keeps)
        return VBT_RUNTIME_C_LIBRARY;
    if (!stack.only_runtime)
        return VBT_RUNTIME_NONE;
    if ((stack.any & INTERPRETER) != 0)
        return (stack.any & CXX) == 0 ? VBT_RUNTIME_INTERPRETER : VBT_RUNTIME_NONE;
    /* If a stack was cut down to its innermost call, it is unknown on whose behalf the library was
     * called. */
    if (!whole_stacks)
        return VBT_RUNTIME_NONE;
    return (stack.any & CXX) != 0 ? VBT_RUNTIME_CXX : VBT_RUNTIME_C_LIBRARY;
}

uint8_t *vbt_runtime_groups(const struct vbt_call_tree *tree, const struct vbt_model *model) {
    const char *native = vbt_model_process(model, "native");
    bool whole_stacks = native != NULL && strcmp(native, "full") == 0;
    uint16_t *bits = vbt_new(tree->place_count, sizeof *bits);
    for (size_t i = 1; i < tree->place_count; i++)
        bits[i] = (uint16_t)bits_of(tree->places[i]);
    struct stack_traits *known = vbt_new(tree->count, sizeof *known);
    uint8_t *groups = vbt_new(tree->count, sizeof *groups);
    known[0].only_runtime = true;
    for (size_t i = 1; i < tree->count; i++) {
        const struct vbt_call *call = &tree->calls[i];
        known[i] = call->group ? known[call->parent] : with(known[call->parent], bits[call->place]);
        groups[i] = (uint8_t)group_of(known[i], whole_stacks);
    }
    free(bits);
    free(known);
    return groups;
}
