/* Call stacks that only the runtime can reach: what the interpreter, the C library and the C++
 * library keep for themselves until the process ends. `vbtrace leaks` shows each group in one line,
 * so that the program's own leaks stand out. */
#ifndef VBT_RUNTIME_GROUPS_H
#define VBT_RUNTIME_GROUPS_H

#include "call_tree.h"

enum vbt_runtime_group {
    VBT_RUNTIME_NONE, /* the program's own */
    VBT_RUNTIME_IMPORTS,
    VBT_RUNTIME_INTERPRETER,
    VBT_RUNTIME_C_LIBRARY,
    VBT_RUNTIME_CXX,
    VBT_RUNTIME_VBTRACE,
    VBT_RUNTIME_GROUPS
};

/* "Python imports", ... */
extern const char *const vbt_runtime_group_names[VBT_RUNTIME_GROUPS];

/* The rules, as paragraphs for --help. */
#define VBT_RUNTIME_GROUPS_HELP                                                                                                    \
    "Stacks that only the runtime can reach are grouped, one line each:\n"                                                         \
    "  Python imports      the import machinery is on the stack, with none of the user's own code further in\n"                    \
    "  Python interpreter  no Python code, and nothing but the interpreter and the C library, is on the stack\n"                   \
    "  C library           nothing else is on the whole native stack (start-up, the loader), or the innermost calls are in the "   \
    "C library and keep what they allocate: buffers of stdio, locales, time zones, dlopen, exit handlers, threads\n"               \
    "  C++ runtime         nothing but the C++ and the C library is on the whole native stack: its emergency pool\n"               \
    "  vbtrace             vbtrace itself"

/* For each call, the vbt_runtime_group of the stack that ends there. The caller frees the array. */
uint8_t *vbt_runtime_groups(const struct vbt_call_tree *tree, const struct vbt_model *model);

#endif
