/* Python's own allocators: PyMem_Malloc and PyObject_Malloc and their kin, wrapped through the
 * interpreter's public interface.
 *
 * One request is one event, whether pymalloc, mimalloc or malloc serves it: what the wrapped
 * allocator requests from malloc meanwhile is not recorded, because the thread is already in a
 * call. The wrappers of a version have its walk over the frames inlined, with the offsets as
 * constants. */
#include "hooks_python.h"

#include "hook.h"
#include "preload/native/native_memory.h"
#include "preload/python/python_thread_name.h"
#include "preload/python/python_walk.h"
#include "preload/thread/thread_rows.h"

#include <string.h>

/* The allocators that are wrapped. The interpreter passes the address back as `context`. */
static struct vbt_py_allocator wrapped[VBT_PY_OBJ + 1];

/* The thread holds the GIL, and its stack has just been walked. */
static __attribute__((noinline)) void ask_name(struct vbt_thread *thread) {
    char name[VBT_THREAD_LONG_NAME];
    thread->stack.is_named = true;
    if (vbt_python_thread_name(&thread->stack, name, sizeof name))
        vbt_thread_row_called(thread->row, name);
}

/* The general path: what a wrapper does in all cases. Of the functions below, those named after a
 * version of Python handle the usual case, and call these for the rest, in tail position. */

/* Books what the wrapped allocator returned (NULL if it failed), leaves, and returns it. */
static __attribute__((noinline)) void *booked_at(struct vbt_thread *thread, struct vbt_place place, void *block, size_t size) {
    if (block != NULL)
        vbt_ledger_alloc(&thread->ledger, VBT_DOMAIN_PYTHON, place, block, size);
    vbt_leave(thread);
    return block;
}

static __attribute__((noinline)) void *booked(struct vbt_thread *thread, void *block, size_t size, uintptr_t caller) {
    if (block != NULL) {
        vbt_stand(thread, VBT_IN_LEDGER);
        struct vbt_place place = vbt_python_request_place(thread, caller);
        if (VBT_UNLIKELY(!thread->stack.is_named) && thread->stack.depth > 0)
            ask_name(thread);
        return booked_at(thread, place, block, size);
    }
    vbt_leave(thread);
    return NULL;
}

static __attribute__((noinline)) void *malloc_anyhow(const struct vbt_py_allocator *real, size_t size, uintptr_t caller) {
    struct vbt_thread *thread = vbt_enter();
    void *block = real->malloc(real->context, size);
    return thread != NULL ? booked(thread, block, size, caller) : block;
}

static __attribute__((noinline)) void *calloc_anyhow(const struct vbt_py_allocator *real, size_t count, size_t size,
                                                     uintptr_t caller) {
    struct vbt_thread *thread = vbt_enter();
    void *block = real->calloc(real->context, count, size);
    return thread != NULL ? booked(thread, block, count * size, caller) : block;
}

/* thread: has entered; NULL: has not. */
static __attribute__((noinline)) void free_anyhow(const struct vbt_py_allocator *real, void *block, struct vbt_thread *thread) {
    if (thread == NULL && block != NULL && (thread = vbt_enter()) == NULL)
        thread = vbt_enter_paused_for(block);
    if (thread != NULL && block != NULL)
        vbt_book_end(thread, VBT_DOMAIN_PYTHON, block);
    real->free(real->context, block);
    if (thread != NULL)
        vbt_leave(thread);
}

static void *malloc_any(void *context, size_t size) { return malloc_anyhow(context, size, VBT_CALLER); }

static void *calloc_any(void *context, size_t count, size_t size) { return calloc_anyhow(context, count, size, VBT_CALLER); }

/* The same for a process whose whole native stacks are captured. */

VBT_INLINE void *booked_full(struct vbt_thread *thread, void *block, size_t size, struct vbt_registers caller) {
    if (VBT_UNLIKELY(block == NULL)) {
        vbt_leave(thread);
        return NULL;
    }
    vbt_stand(thread, VBT_IN_LEDGER);
    struct vbt_place *place = vbt_full_place(&thread->full, &thread->stack, &caller, VBT_DOMAIN_PYTHON);
    if (VBT_UNLIKELY(!thread->stack.is_named) && thread->stack.depth > 0)
        ask_name(thread);
    if (VBT_UNLIKELY(place->counters == NULL) ||
        VBT_UNLIKELY(!vbt_ledger_alloc_usual(&thread->ledger, VBT_DOMAIN_PYTHON, *place, block, size)))
        return booked_at(thread, vbt_place_renewed(&thread->ledger, place), block, size);
    vbt_leave(thread);
    return block;
}

static void *malloc_full(void *context, size_t size) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = vbt_enter();
    void *block = real->malloc(real->context, size);
    return thread != NULL ? booked_full(thread, block, size, VBT_CALLER_REGISTERS) : block;
}

static void *calloc_full(void *context, size_t count, size_t size) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = vbt_enter();
    void *block = real->calloc(real->context, count, size);
    return thread != NULL ? booked_full(thread, block, count * size, VBT_CALLER_REGISTERS) : block;
}

/* While nothing is recorded: the old block is removed if it is known; the new one is not
 * recorded. */
static __attribute__((noinline)) void *realloc_unrecorded(const struct vbt_py_allocator *real, void *old, size_t size) {
    struct vbt_thread *thread = old != NULL ? vbt_enter_paused_for(old) : NULL;
    if (thread == NULL)
        return real->realloc(real->context, old, size);
    struct vbt_retired retired = vbt_book_end(thread, VBT_DOMAIN_PYTHON, old);
    void *block = real->realloc(real->context, old, size);
    if (block == NULL)
        vbt_book_end_undone(thread, old, retired);
    vbt_leave(thread);
    return block;
}

/* Python's realloc never frees: size 0 means 1, and NULL that it failed. Returns what the wrapped
 * allocator did; the new block is still to be booked. */
VBT_INLINE void *resized(struct vbt_thread *thread, const struct vbt_py_allocator *real, void *old, size_t size) {
    struct vbt_retired retired = {0, false};
    if (old != NULL)
        retired = vbt_book_end_usually(thread, VBT_DOMAIN_PYTHON, old);
    void *block = real->realloc(real->context, old, size);
    if (VBT_UNLIKELY(block == NULL && old != NULL))
        vbt_book_end_undone(thread, old, retired);
    return block;
}

static void *wrapped_realloc(void *context, void *old, size_t size) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = vbt_enter();
    if (VBT_UNLIKELY(thread == NULL))
        return realloc_unrecorded(real, old, size);
    void *block = resized(thread, real, old, size);
    if (VBT_UNLIKELY(vbt_stacks != VBT_STACKS_LEAF))
        return booked_full(thread, block, size, VBT_CALLER_REGISTERS);
    return booked(thread, block, size, VBT_CALLER);
}

static void wrapped_free(void *context, void *block) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = vbt_enter_usual(VBT_IN_LEDGER);
    uint64_t cell;
    if (VBT_UNLIKELY(thread == NULL) || VBT_UNLIKELY(!vbt_ledger_free_usual(&thread->ledger, VBT_DOMAIN_PYTHON, block, &cell)))
        return free_anyhow(real, block, thread);
    vbt_stand(thread, VBT_IN_CALL);
    real->free(real->context, block);
    vbt_leave(thread);
}

typedef const struct vbt_step *(*find_step)(const struct vbt_python_stack *);

/* Where the stack is not the one that was seen last. */
VBT_INLINE void *booked_after_walk(struct vbt_thread *thread, void *block, size_t size, uintptr_t caller,
                                   const struct vbt_python_abi *abi) {
    const struct vbt_step *step = VBT_LIKELY(block != NULL) ? vbt_walk_step(&thread->stack, abi) : NULL;
    if (VBT_UNLIKELY(step == NULL) || VBT_UNLIKELY(!thread->stack.is_named))
        return booked(thread, block, size, caller);
    if (VBT_UNLIKELY(!vbt_ledger_alloc_usual(&thread->ledger, VBT_DOMAIN_PYTHON, step->place, block, size)))
        return booked_at(thread, vbt_step_place(thread, step), block, size);
    vbt_leave(thread);
    return block;
}

typedef void *(*book_otherwise)(struct vbt_thread *, void *, size_t, uintptr_t);

VBT_INLINE void *booked_usually(struct vbt_thread *thread, void *block, size_t size, find_step known_step,
                                book_otherwise otherwise) {
    vbt_stand(thread, VBT_IN_LEDGER);
    const struct vbt_step *step = known_step(&thread->stack);
    if (VBT_UNLIKELY(step == NULL) || VBT_UNLIKELY(block == NULL))
        return otherwise(thread, block, size, VBT_CALLER);
    if (VBT_UNLIKELY(!vbt_ledger_alloc_usual(&thread->ledger, VBT_DOMAIN_PYTHON, step->place, block, size)))
        return booked_at(thread, vbt_step_place(thread, step), block, size);
    vbt_leave(thread);
    return block;
}

#define VERSION(minor)                                                                                                             \
    VBT_INLINE const struct vbt_step *known_step_##minor(const struct vbt_python_stack *stack) {                                   \
        return vbt_walk_known(stack, &vbt_cpythons[minor].abi);                                                                    \
    }                                                                                                                              \
    static __attribute__((noinline)) void *booked_##minor(struct vbt_thread *thread, void *block, size_t size, uintptr_t caller) { \
        return booked_after_walk(thread, block, size, caller, &vbt_cpythons[minor].abi);                                           \
    }                                                                                                                              \
    static void *malloc_##minor(void *context, size_t size) {                                                                      \
        const struct vbt_py_allocator *real = context;                                                                             \
        struct vbt_thread *thread = vbt_enter_usual(VBT_IN_CALL);                                                                  \
        if (VBT_UNLIKELY(thread == NULL))                                                                                          \
            return malloc_anyhow(real, size, VBT_CALLER);                                                                          \
        return booked_usually(thread, real->malloc(real->context, size), size, known_step_##minor, booked_##minor);                \
    }                                                                                                                              \
    static void *calloc_##minor(void *context, size_t count, size_t size) {                                                        \
        const struct vbt_py_allocator *real = context;                                                                             \
        struct vbt_thread *thread = vbt_enter_usual(VBT_IN_CALL);                                                                  \
        if (VBT_UNLIKELY(thread == NULL))                                                                                          \
            return calloc_anyhow(real, count, size, VBT_CALLER);                                                                   \
        void *block = real->calloc(real->context, count, size);                                                                    \
        return booked_usually(thread, block, count * size, known_step_##minor, booked_##minor);                                    \
    }                                                                                                                              \
    static void *realloc_##minor(void *context, void *old, size_t size) {                                                          \
        struct vbt_thread *thread = vbt_enter_usual(VBT_IN_CALL);                                                                  \
        if (VBT_UNLIKELY(thread == NULL))                                                                                          \
            return wrapped_realloc(context, old, size);                                                                            \
        return booked_usually(thread, resized(thread, context, old, size), size, known_step_##minor, booked_##minor);              \
    }

VBT_FOR_EACH_WALKER(VERSION)

/* The same for a process whose stacks are verified. */

static void *booked_verified(struct vbt_thread *thread, void *block, size_t size, uintptr_t caller) {
#define STEP_ENTRY(minor) [minor] = known_step_##minor,
    static const find_step known_steps[] = {VBT_FOR_EACH_WALKER(STEP_ENTRY)};
#undef STEP_ENTRY
    struct vbt_native_stack *counts = &thread->full.native;
    if (block == NULL || ++counts->unverified < vbt_native_verify_every)
        return booked(thread, block, size, caller);
    counts->unverified = 0;
    vbt_stand(thread, VBT_IN_LEDGER);
    const struct vbt_step *step = known_steps[vbt_python.known->walked_as](&thread->stack);
    uint32_t known = step != NULL ? step->place.node : 0;
    const struct vbt_frame *leaf = vbt_python_leaf(&thread->stack);
    if (leaf != NULL && thread->stack.depth > 0) {
        counts->compared++;
        counts->different += !vbt_python_chain_is_right(&thread->stack) || (known != 0 && known != leaf->node);
    }
    return booked(thread, block, size, caller);
}

static void *malloc_verified(void *context, size_t size) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = vbt_enter();
    void *block = real->malloc(real->context, size);
    return thread != NULL ? booked_verified(thread, block, size, VBT_CALLER) : block;
}

static void *calloc_verified(void *context, size_t count, size_t size) {
    const struct vbt_py_allocator *real = context;
    struct vbt_thread *thread = vbt_enter();
    void *block = real->calloc(real->context, count, size);
    return thread != NULL ? booked_verified(thread, block, count * size, VBT_CALLER) : block;
}

#define TABLE_ENTRY(minor) [minor] = {NULL, malloc_##minor, calloc_##minor, realloc_##minor, wrapped_free},

/* The wrappers that fit the interpreter, as far as it is known. */
static const struct vbt_py_allocator *fitting(void) {
    static const struct vbt_py_allocator any = {NULL, malloc_any, calloc_any, wrapped_realloc, wrapped_free};
    static const struct vbt_py_allocator full = {NULL, malloc_full, calloc_full, wrapped_realloc, wrapped_free};
    static const struct vbt_py_allocator verified = {NULL, malloc_verified, calloc_verified, wrapped_realloc, wrapped_free};
    static const struct vbt_py_allocator by_version[] = {VBT_FOR_EACH_WALKER(TABLE_ENTRY)};
    if (vbt_stacks != VBT_STACKS_LEAF)
        return &full;
    if (!vbt_python_stack_in_use() || !vbt_python_abi_is_known())
        return &any;
    if (vbt_native_verify_every != 0)
        return &verified;
    return &by_version[vbt_python.known->walked_as];
}

/* Another wrapper, such as tracemalloc's or that of Python's debug hooks, already wraps these: its
 * context is or contains a copy of what it wraps. Wrapping it again would make a cycle. */
static bool leads_to_us(const struct vbt_py_allocator *wrapper) {
    enum { WORDS = 6 };
    void *const *word = wrapper->context;
    if (word == NULL || (uintptr_t)word % sizeof *word != 0)
        return false;
    for (int i = 0; i < WORDS && vbt_is_readable((uintptr_t)&word[i]); i++)
        if (word[i] == (void *)(uintptr_t)wrapped_free)
            return true;
    return false;
}

void vbt_hooks_python_wrap(void) {
    static struct vbt_py_allocator before_us[VBT_PY_OBJ + 1]; /* that were found to wrap these wrappers */
    const struct vbt_py_allocator *wrappers = fitting();
    for (int domain = VBT_PY_MEM; domain <= VBT_PY_OBJ; domain++) {
        struct vbt_py_allocator now;
        vbt_python.get_allocator(domain, &now);
        if (now.malloc == wrappers->malloc || memcmp(&now, &before_us[domain], sizeof now) == 0)
            continue;
        if (now.free != wrapped_free && leads_to_us(&now)) {
            before_us[domain] = now;
            continue;
        }
        if (now.free != wrapped_free) /* else: one of these wrappers, of another kind */
            wrapped[domain] = now;
        struct vbt_py_allocator ours = *wrappers;
        ours.context = &wrapped[domain];
        vbt_python.set_allocator(domain, &ours);
    }
}
