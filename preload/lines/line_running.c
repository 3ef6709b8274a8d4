/* See line_running.h. */
#include "line_running.h"

#include "line_mode.h"
#include "preload/base/memory.h"
#include "preload/python/python_walk.h"

#include <dlfcn.h>

enum { MOST = 1 << 14 };

struct codes {
    uint32_t count;
    void *code[MOST];
};

static bool has(const struct codes *codes, const void *code) {
    for (uint32_t i = 0; i < codes->count; i++)
        if (codes->code[i] == code)
            return true;
    return false;
}

static void add_all(struct codes *codes, const char *frame) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    for (; frame != NULL; frame = previous(frame, abi)) {
        char *code = (char *)(vbt_load_word(frame, abi->frame_code) & ~(uintptr_t)7);
        if (is_entry(frame, abi) || vbt_load_pointer(code, abi->object_type) != vbt_python.code_type)
            continue;
        if (codes->count < MOST && !has(codes, code))
            codes->code[codes->count++] = code;
    }
}

void vbt_line_running(void (*each)(void *code, void *context), void *context) {
    void *(*first)(void *), *(*next)(void *);
    *(void **)&first = dlsym(vbt_python.library, "PyInterpreterState_ThreadHead");
    *(void **)&next = dlsym(vbt_python.library, "PyThreadState_Next");
    struct codes *codes = first != NULL && next != NULL ? vbt_map(sizeof *codes) : NULL;
    if (codes == NULL)
        return;
    for (char *state = first(vbt_python_interpreter()); state != NULL; state = next(state))
        add_all(codes, top_frame(state, &vbt_python.abi));
    for (uint32_t i = 0; i < codes->count; i++)
        vbt_line_api.incref(codes->code[i]);
    for (uint32_t i = 0; i < codes->count; i++) {
        each(codes->code[i], context);
        vbt_line_api.decref(codes->code[i]);
    }
    vbt_unmap(codes, sizeof *codes);
}
