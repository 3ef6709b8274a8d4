/* Python's own allocators: PyMem_Malloc and PyObject_Malloc and their kin, wrapped through the interpreter's public interface.
 *
 * One request is one event, whether pymalloc, mimalloc or malloc serves it: what the wrapped allocator asks of malloc meanwhile is
 * passed on unrecorded, because the thread already stands in a call. */
#include "hooks_python.h"

#include "hook.h"

/* What the wrappers stand before; the interpreter hands the address back as their context. */
static struct vbt_py_allocator wrapped[VBT_PY_OBJ + 1];

static void *wrapped_malloc(void *context, size_t size) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = vbt_enter();
    void *block = real->malloc(real->context, size);
    if (VBT_LIKELY(thread != NULL))
        vbt_book_alloc(thread, VBT_DOMAIN_PYTHON, block, size, VBT_CALLER);
    return block;
}

static void *wrapped_calloc(void *context, size_t count, size_t size) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = vbt_enter();
    void *block = real->calloc(real->context, count, size);
    if (VBT_LIKELY(thread != NULL))
        vbt_book_alloc(thread, VBT_DOMAIN_PYTHON, block, count * size, VBT_CALLER);
    return block;
}

static void *wrapped_realloc(void *context, void *old, size_t size) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = vbt_enter();
    if (VBT_UNLIKELY(thread == NULL))
        return real->realloc(real->context, old, size);
    uint64_t cell = 0;
    bool was_last = false;
    if (old != NULL) {
        vbt_stand(thread, VBT_IN_LEDGER);
        was_last = thread->ledger.last_block == old;
        cell = vbt_ledger_free(&thread->ledger, VBT_DOMAIN_PYTHON, old);
        vbt_stand(thread, VBT_IN_CALL);
    }
    void *block = real->realloc(real->context, old, size);
    if (block == NULL && old != NULL) { /* Python's realloc never frees: size 0 means 1 */
        vbt_stand(thread, VBT_IN_LEDGER);
        vbt_ledger_unfree(&thread->ledger, old, cell, was_last);
    }
    vbt_book_alloc(thread, VBT_DOMAIN_PYTHON, block, size, VBT_CALLER);
    return block;
}

static void wrapped_free(void *context, void *block) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = block != NULL ? vbt_enter() : NULL;
    if (VBT_LIKELY(thread != NULL)) {
        vbt_stand(thread, VBT_IN_LEDGER);
        vbt_ledger_free(&thread->ledger, VBT_DOMAIN_PYTHON, block);
        vbt_stand(thread, VBT_IN_CALL);
    }
    real->free(real->context, block);
    if (VBT_LIKELY(thread != NULL))
        vbt_leave(thread);
}

void vbt_hooks_python_wrap(void) {
    for (int domain = VBT_PY_MEM; domain <= VBT_PY_OBJ; domain++) {
        struct vbt_py_allocator now;
        vbt_python.get_allocator(domain, &now);
        if (now.malloc == wrapped_malloc)
            continue;
        wrapped[domain] = now;
        struct vbt_py_allocator ours = {&wrapped[domain], wrapped_malloc, wrapped_calloc, wrapped_realloc, wrapped_free};
        vbt_python.set_allocator(domain, &ours);
    }
}
