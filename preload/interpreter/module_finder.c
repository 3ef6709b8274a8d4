/* See module_finder.h. */
#include "module_finder.h"

#include "preload/base/start.h"
#include "preload/python/python.h"
#include "preload/python/python_code.h"
#include "preload/shared/run_names.h"

#include <dlfcn.h>

/* module_finder.py, from beside this file. */
__asm__(".pushsection .rodata\n"
        "vbt_module_finder_py: .incbin \"" VBT_MODULE_FINDER_PY "\"\n.byte 0\n"
        ".popsection");
extern const char vbt_module_finder_py[] __attribute__((visibility("hidden")));

static struct {
    void *(*compile)(const char *text, const char *file, int start);
    void *(*run)(void *code, void *globals, void *locals);
    void *(*new_dict)(void);
    void *(*decode)(const char *text);
    void *(*get_builtins)(void); /* borrowed */
    int (*set_item)(void *dict, const char *key, void *value);
    void (*decref)(void *);
    void (*clear_error)(void);
} api;

static bool find_api(void) {
    static const struct {
        const char *name;
        void *place;
    } wanted[] = {
        {"Py_CompileString", &api.compile},
        {"PyEval_EvalCode", &api.run},
        {"PyDict_New", &api.new_dict},
        {"PyUnicode_DecodeFSDefault", &api.decode},
        {"PyEval_GetBuiltins", &api.get_builtins},
        {"PyDict_SetItemString", &api.set_item},
        {"Py_DecRef", &api.decref},
        {"PyErr_Clear", &api.clear_error},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if ((*(void **)wanted[i].place = dlsym(vbt_python.library, wanted[i].name)) == NULL)
            return false;
    return true;
}

static void drop(void *object) {
    if (object != NULL)
        api.decref(object);
}

void vbt_module_finder_add(void) {
    const char *place = vbt_variable(VBT_MODULE_VARIABLE);
    if (place == NULL || !find_api())
        return;
    void *names = api.new_dict(), *folder = api.decode(place);
    void *code = api.compile(vbt_module_finder_py, VBT_OWN_CODE, VBT_PY_FILE_INPUT), *result = NULL;
    if (names != NULL && folder != NULL && code != NULL && api.set_item(names, "place", folder) == 0 &&
        api.set_item(names, "__builtins__", api.get_builtins()) == 0)
        result = api.run(code, names, names);
    if (result == NULL)
        api.clear_error();
    drop(result);
    drop(code);
    drop(folder);
    drop(names);
}
