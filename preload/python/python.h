/* The interpreter in this process: its version, and those of its functions and types that we
 * use. */
#ifndef VBT_PYTHON_H
#define VBT_PYTHON_H

#include "preload/base/sys.h"
#include "cpython.h"

#include <stdatomic.h>
#include <stddef.h>

struct vbt_python {
    int minor; /* of 3.minor; 0: no interpreter */
    char version[32];
    const struct vbt_cpython *known; /* the row for this version; NULL where there is none */
    struct vbt_python_abi abi;       /* of this build: of the row, or as the interpreter states it */
    const char *trouble;             /* why Python code is not attributed, for the report; NULL: it is */
    void *library;                   /* handle for symbols */
    void (*get_allocator)(int domain, struct vbt_py_allocator *);
    void (*set_allocator)(int domain, struct vbt_py_allocator *);
    void *(*current_thread)(void); /* the running thread's state, or NULL where this thread does not hold the GIL */
    void *(*this_thread)(void);    /* the state that belongs to this thread, whether it runs or not */
    int (*is_initialized)(void);
    int (*is_finalizing)(void); /* NULL: it is not known */
    int (*add_pending_call)(int (*function)(void *), void *argument);
    int64_t (*interpreter_id)(void *interpreter); /* NULL: not found */
    const void *code_type, *unicode_type, *bytes_type, *tuple_type;
    /* The evaluation loop's function, for versions whose frames are known by nothing else. */
    uintptr_t evaluate_start, evaluate_end;
};

extern struct vbt_python vbt_python VBT_HIDDEN;

/* Called when code of the user's own runs whose file (a string's id) was not known. NULL: nothing
 * depends on it. */
extern void (*vbt_python_file_seen)(uint32_t file) VBT_HIDDEN;

/* For further interpreters of the process, see interpreter/subinterpreters.h; all NULL where
 * nothing depends on them. */
struct vbt_python_others {
    void (*code_seen)(void);   /* called when code runs that was not known */
    void *const *list_lock;    /* where the semaphore is that guards the interpreter's list of interpreters */
    void (*list_locked)(void); /* called when the calling thread has taken it */
};

extern struct vbt_python_others vbt_python_others VBT_HIDDEN;

static inline uintptr_t vbt_load_word(const void *base, int offset) { return *(const uintptr_t *)((const char *)base + offset); }

static inline int32_t vbt_load_int(const void *base, int offset) { return *(const int32_t *)((const char *)base + offset); }

static inline const void *vbt_load_pointer(const void *base, int offset) { return (const void *)vbt_load_word(base, offset); }

/* The interpreter that the calling thread runs, which must hold its GIL; NULL if it runs none. */
static inline void *vbt_python_interpreter(void) {
    const char *state = vbt_python.current_thread();
    return state != NULL ? (void *)vbt_load_pointer(state, VBT_PY_TSTATE_INTERPRETER) : NULL;
}

static inline int64_t vbt_python_interpreter_id(void *interpreter) {
    return vbt_python.interpreter_id != NULL ? vbt_python.interpreter_id(interpreter) : 0;
}

#endif
