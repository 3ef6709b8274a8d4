/* Python's own allocators: PyMem_Malloc and PyObject_Malloc and their kin, wrapped through the interpreter's public
 * interface.
 *
 * One request is one event, whether pymalloc, mimalloc or malloc serves it: what the wrapped allocator asks of malloc
 * meanwhile is passed on unrecorded, because the thread already stands in a call. The wrappers of a version have its
 * walk over the frames inlined, with the offsets as constants. */
#include "hooks_python.h"

#include "hook.h"
#include "where/python_walk.h"

/* What the wrappers stand before; the interpreter hands the address back as their context. */
static struct vbt_py_allocator wrapped[VBT_PY_OBJ + 1];

typedef struct vbt_frame *(*find_leaf)(struct vbt_python_stack *);

/* Books what the wrapped allocator returned, leaves, and passes it on. leaf finds the calling thread's Python stack. */
VBT_INLINE void *booked(struct vbt_thread *thread, void *block, size_t size, uintptr_t caller, find_leaf leaf) {
    if (VBT_LIKELY(block != NULL)) {
        vbt_stand(thread, VBT_IN_LEDGER);
        struct vbt_place place = vbt_python_request_place(thread, leaf(&thread->stack), caller);
        vbt_book(thread, VBT_DOMAIN_PYTHON, place, block, size);
    } else {
        vbt_leave(thread);
    }
    return block;
}

VBT_INLINE void *wrapped_malloc(void *context, size_t size, uintptr_t caller, find_leaf leaf) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = vbt_enter();
    void *block = real->malloc(real->context, size);
    return VBT_LIKELY(thread != NULL) ? booked(thread, block, size, caller, leaf) : block;
}

VBT_INLINE void *wrapped_calloc(void *context, size_t count, size_t size, uintptr_t caller, find_leaf leaf) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = vbt_enter();
    void *block = real->calloc(real->context, count, size);
    return VBT_LIKELY(thread != NULL) ? booked(thread, block, count * size, caller, leaf) : block;
}

/* Python's realloc never frees: size 0 means 1, and NULL that it failed. */
VBT_INLINE void *wrapped_realloc(void *context, void *old, size_t size, uintptr_t caller, find_leaf leaf) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = vbt_enter();
    if (VBT_UNLIKELY(thread == NULL))
        return real->realloc(real->context, old, size);
    struct vbt_retired retired = {0, false};
    if (old != NULL)
        retired = vbt_book_end(thread, VBT_DOMAIN_PYTHON, old);
    void *block = real->realloc(real->context, old, size);
    if (VBT_UNLIKELY(block == NULL && old != NULL))
        vbt_book_end_undone(thread, old, retired);
    return booked(thread, block, size, caller, leaf);
}

static void wrapped_free(void *context, void *block) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = block != NULL ? vbt_enter() : NULL;
    if (VBT_LIKELY(thread != NULL))
        vbt_book_end(thread, VBT_DOMAIN_PYTHON, block);
    real->free(real->context, block);
    if (VBT_LIKELY(thread != NULL))
        vbt_leave(thread);
}

/* The three functions of one version, around the walk `leaf_of_<name>`. */
#define WRAPPERS(name)                                                                                                             \
    static void *malloc_##name(void *context, size_t size) { return wrapped_malloc(context, size, VBT_CALLER, leaf_of_##name); }   \
    static void *calloc_##name(void *context, size_t count, size_t size) {                                                         \
        return wrapped_calloc(context, count, size, VBT_CALLER, leaf_of_##name);                                                   \
    }                                                                                                                              \
    static void *realloc_##name(void *context, void *old, size_t size) {                                                           \
        return wrapped_realloc(context, old, size, VBT_CALLER, leaf_of_##name);                                                    \
    }

#define VERSION(minor)                                                                                                             \
    VBT_INLINE struct vbt_frame *leaf_of_##minor(struct vbt_python_stack *stack) {                                                 \
        return vbt_walk(stack, &vbt_python_abis[minor], vbt_python_other_##minor);                                                 \
    }                                                                                                                              \
    WRAPPERS(minor)

VBT_FOR_EACH_ABI(VERSION)

/* Whatever vbt_python_leaf is: before the first frames were seen, and where the offsets are not those of the table. */
VBT_INLINE struct vbt_frame *leaf_of_any(struct vbt_python_stack *stack) { return vbt_python_leaf(stack); }

WRAPPERS(any)

#define TABLE_ENTRY(minor) [minor] = {NULL, malloc_##minor, calloc_##minor, realloc_##minor, wrapped_free},

/* The wrappers that fit the interpreter as it is known by now. */
static const struct vbt_py_allocator *fitting(void) {
    static const struct vbt_py_allocator any = {NULL, malloc_any, calloc_any, realloc_any, wrapped_free};
    static const struct vbt_py_allocator by_version[] = {VBT_FOR_EACH_ABI(TABLE_ENTRY)};
    if (!vbt_python_stack_in_use() || !vbt_python_abi_is_known())
        return &any;
    return &by_version[vbt_python.minor == 9 ? 8 : vbt_python.minor];
}

void vbt_hooks_python_wrap(void) {
    const struct vbt_py_allocator *wrappers = fitting();
    for (int domain = VBT_PY_MEM; domain <= VBT_PY_OBJ; domain++) {
        struct vbt_py_allocator now;
        vbt_python.get_allocator(domain, &now);
        if (now.malloc == wrappers->malloc)
            continue;
        if (now.free != wrapped_free) /* else: our own, of another kind */
            wrapped[domain] = now;
        struct vbt_py_allocator ours = *wrappers;
        ours.context = &wrapped[domain];
        vbt_python.set_allocator(domain, &ours);
    }
}
