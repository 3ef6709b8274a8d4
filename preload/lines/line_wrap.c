/* See line_wrap.h. */
#include "line_wrap.h"

#include "line_mode.h"
#include "preload/python/python.h"

#include <dlfcn.h>
#include <string.h>

bool vbt_line_wrap(void *module, const char *name, void *function, struct vbt_py_method *ours, void **real) {
    const void *type = dlsym(vbt_python.library, "PyCFunction_Type");
    char *there = vbt_line_api.get_attribute(module, name);
    if (there == NULL) {
        vbt_line_api.clear_error();
        return false;
    }
    const struct vbt_py_function *found = (void *)(there + vbt_python.abi.var_size);
    void *replacement = NULL;
    if (type != NULL && vbt_load_pointer(there, vbt_python.abi.object_type) == type && strcmp(found->method->name, name) == 0 &&
        found->method->function != function) {
        *real = found->method->function;
        *ours = *found->method;
        ours->function = function;
        replacement = vbt_line_api.new_function(ours, found->self, found->module);
    }
    vbt_line_api.decref(there);
    bool done = replacement != NULL && vbt_line_api.set_attribute(module, name, replacement) == 0;
    if (replacement != NULL)
        vbt_line_api.decref(replacement);
    vbt_line_api.clear_error();
    return done;
}
