/* See python_check.h. */
#include "python_check.h"

#include "preload/base/sys.h"
#include "python.h"
#include "python_code.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/uio.h>

bool vbt_python_read(const void *from, void *to, size_t size) {
    struct iovec local = {to, size};
    struct iovec remote = {(void *)from, size};
    return vbt_sys(SYS_process_vm_readv, vbt_sys(SYS_getpid), &local, 1, &remote, 1, 0) == (long)size;
}

static bool word_at(const char *base, int offset, uintptr_t *out) { return vbt_python_read(base + offset, out, sizeof *out); }

/* The innermost frame of a thread's state, NULL if it has none. *good: it could be read. A thread
 * state is large enough for any offset; what it points to may be anything until the offsets are
 * known to fit. */
static const char *raw_top(const char *state, bool *good) {
    static _Atomic uintptr_t readable; /* the cframe that was read last: the same each time while an interpreter starts */
    const struct vbt_python_abi *abi = &vbt_python.abi;
    uintptr_t frame = state != NULL ? vbt_load_word(state, abi->tstate_frame) : 0;
    *good = true;
    if (abi->kind != VBT_FRAME_CFRAME || frame == 0)
        return (const char *)frame;
    if (frame == atomic_load_explicit(&readable, memory_order_relaxed))
        return vbt_load_pointer((const char *)frame, abi->cframe_current);
    uintptr_t cframe = frame;
    *good = word_at((const char *)cframe, abi->cframe_current, &frame);
    if (*good)
        atomic_store_explicit(&readable, cframe, memory_order_relaxed);
    return (const char *)frame;
}

static bool is_entry(const char *frame) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    return abi->entry_owner != 0 && *(const int8_t *)(frame + abi->frame_owner) >= abi->entry_owner;
}

bool vbt_python_look(bool *seen) {
    enum { ENOUGH = 64 };
    const struct vbt_python_abi *abi = &vbt_python.abi;
    const char *state = abi->entry_owner != 0 ? vbt_python.current_thread() : NULL;
    bool good;
    const char *frame = raw_top(state != NULL ? state : vbt_python.this_thread(), &good);
    *seen = frame != NULL;
    for (int i = 0; good && frame != NULL && i < ENOUGH; i++) {
        uintptr_t owner, code, type, before;
        good = word_at(frame, abi->frame_owner & ~7, &owner) && word_at(frame, abi->frame_code, &code) &&
               word_at(frame, abi->frame_previous, &before);
        if (good && !is_entry(frame))
            good = word_at((const char *)(code & ~(uintptr_t)7), abi->object_type, &type) &&
                   (const void *)type == vbt_python.code_type;
        frame = good ? (const char *)before : NULL;
    }
    return good;
}

/* The interpreter's functions that the comparison calls. */
static struct {
    void *(*get_frame)(void);
    void *(*get_attribute)(void *, const char *);
    long (*as_long)(void *);
    const char *(*as_text)(void *);
    void (*decref)(void *);
    void (*clear_error)(void);
    void *(*error_occurred)(void);
    void *none;
} api;

static bool find_api(void) {
    *(void **)&api.get_frame = dlsym(vbt_python.library, "PyEval_GetFrame");
    *(void **)&api.get_attribute = dlsym(vbt_python.library, "PyObject_GetAttrString");
    *(void **)&api.as_long = dlsym(vbt_python.library, "PyLong_AsLong");
    *(void **)&api.as_text = dlsym(vbt_python.library, "PyUnicode_AsUTF8");
    *(void **)&api.decref = dlsym(vbt_python.library, "Py_DecRef");
    *(void **)&api.clear_error = dlsym(vbt_python.library, "PyErr_Clear");
    *(void **)&api.error_occurred = dlsym(vbt_python.library, "PyErr_Occurred");
    api.none = dlsym(vbt_python.library, "_Py_NoneStruct");
    return api.get_frame != NULL && api.get_attribute != NULL && api.as_long != NULL && api.as_text != NULL && api.decref != NULL &&
           api.clear_error != NULL && api.error_occurred != NULL && api.none != NULL;
}

static long number_of(void *object, const char *name) {
    void *value = api.get_attribute(object, name);
    long number = value != NULL && value != api.none ? api.as_long(value) : -1;
    if (value != NULL)
        api.decref(value);
    return number;
}

static bool text_is(void *object, const char *name, const char *expected) {
    void *value = api.get_attribute(object, name);
    const char *text = value != NULL ? api.as_text(value) : NULL;
    bool same = text != NULL && strcmp(text, expected) == 0;
    if (text == NULL && value != NULL)
        same = true; /* a name that is not UTF-8 cannot be compared this way */
    if (value != NULL)
        api.decref(value);
    api.clear_error();
    return same;
}

static int32_t raw_lasti(const char *frame, const char *code) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    if (abi->kind == VBT_FRAME_OBJECT)
        return vbt_load_int(frame, abi->frame_instruction) * abi->lasti_unit;
    return vbt_python_lasti(frame, code, vbt_load_word(frame, abi->frame_instruction), 0);
}

/* Compares a frame as the interpreter describes it with the same frame as we read it. */
static const char *compare_frame(void *theirs, const char *ours) {
    enum { TEXT = 1024 };
    char file[TEXT], name[TEXT];
    int32_t first_line, line;
    const char *code = (const char *)(vbt_load_word(ours, vbt_python.abi.frame_code) & ~(uintptr_t)7);
    if (!vbt_python_describe(code, raw_lasti(ours, code), file, name, TEXT, &first_line, &line))
        return "a frame without code";
    void *their_code = api.get_attribute(theirs, "f_code");
    const char *trouble = NULL;
    if (their_code != code)
        trouble = "another code object";
    else if (number_of(theirs, "f_lineno") != line)
        trouble = "another line";
    else if (number_of(their_code, "co_firstlineno") != first_line)
        trouble = "another first line";
    else if (strlen(file) < TEXT - 8 && !text_is(their_code, "co_filename", file))
        trouble = "another file name";
    else if (strlen(name) < TEXT - 8 && !text_is(their_code, vbt_python.known->code_name, name))
        trouble = "another function name";
    if (their_code != NULL)
        api.decref(their_code);
    return trouble;
}

/* The next frame of Python code: skips the evaluation loop's frames and the interpreter's shim
 * around __init__. */
static const char *skip_own(const char *frame) {
    for (; frame != NULL; frame = vbt_load_pointer(frame, vbt_python.abi.frame_previous)) {
        if (is_entry(frame))
            continue;
        uintptr_t key = vbt_load_word(frame, vbt_python.abi.kind == VBT_FRAME_OBJECT ? vbt_python.abi.frame_code
                                                                                     : vbt_python.abi.frame_instruction);
        if (vbt_python.abi.kind == VBT_FRAME_OBJECT || vbt_python_site(frame, key, 0) != vbt_transparent_site)
            break;
    }
    return frame;
}

const char *vbt_python_compare(void) {
    if (!find_api() || api.error_occurred() != NULL)
        return NULL; /* nothing to compare with */
    bool good;
    const char *ours = skip_own(raw_top(vbt_python.current_thread(), &good));
    void *theirs = api.get_frame(); /* borrowed; its callers are owned */
    bool owned = false;
    const char *trouble = good ? NULL : "unreadable frames";
    while (trouble == NULL && theirs != NULL && theirs != api.none) {
        trouble = ours == NULL ? "fewer frames" : compare_frame(theirs, ours);
        void *before = api.get_attribute(theirs, "f_back");
        if (owned)
            api.decref(theirs);
        theirs = before;
        owned = true;
        ours = ours != NULL ? skip_own(vbt_load_pointer(ours, vbt_python.abi.frame_previous)) : NULL;
    }
    if (trouble == NULL && ours != NULL)
        trouble = "more frames";
    if (owned && theirs != NULL)
        api.decref(theirs);
    api.clear_error();
    return trouble;
}
