/* The malloc family. C++'s new and delete, strdup and the like arrive here through malloc and
 * free. */
#include "hook.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>

/* Books a block where there is more to do than usual, or where its place has no counters. */
static __attribute__((noinline)) void *booked_at(struct vbt_thread *thread, struct vbt_place *place, void *block, size_t size) {
    vbt_ledger_alloc(&thread->ledger, VBT_DOMAIN_HEAP, vbt_place_renewed(&thread->ledger, place), block, size);
    vbt_leave(thread);
    return block;
}

/* Books a block, leaves, and returns it. */
VBT_INLINE void *book(struct vbt_thread *thread, struct vbt_place *place, void *block, size_t size) {
    if (VBT_UNLIKELY(place->counters == NULL) ||
        VBT_UNLIKELY(!vbt_ledger_alloc_usual(&thread->ledger, VBT_DOMAIN_HEAP, *place, block, size)))
        return booked_at(thread, place, block, size);
    vbt_leave(thread);
    return block;
}

/* Books what the real function returned (NULL if it failed), leaves, and returns it. */
VBT_INLINE void *booked(struct vbt_thread *thread, void *block, size_t size, struct vbt_registers caller) {
    if (VBT_UNLIKELY(block == NULL)) {
        vbt_leave(thread);
        return NULL;
    }
    vbt_stand(thread, VBT_IN_LEDGER);
    return book(thread, vbt_heap_place(thread, caller), block, size);
}

/* malloc, calloc and free call the C library's function without having entered, and enter only to
 * book: it calls no hook. Another allocator's may, and so may looking up either: for those calls,
 * the thread is marked as being in a real function. */

static void *malloc_marked(size_t size);
static void *calloc_marked(size_t count, size_t size);
static void free_marked(void *block);

typedef void *(*malloc_function)(size_t);
typedef void *(*calloc_function)(size_t, size_t);
typedef void (*free_function)(void *);

static struct {
    _Atomic(malloc_function) malloc;
    _Atomic(calloc_function) calloc;
    _Atomic(free_function) free;
} quick = {malloc_marked, calloc_marked, free_marked};

/* NULL: the thread is in something already; what that means for the request is decided when it is
 * booked. */
static struct vbt_thread *mark(void) {
    struct vbt_thread *thread = vbt_self;
    if (thread != NULL && atomic_load_explicit(&thread->standing, memory_order_relaxed) != VBT_IDLE)
        return NULL;
    return vbt_enter_as(VBT_IN_REAL, 0);
}

static void unmark(struct vbt_thread *thread) {
    if (thread != NULL)
        vbt_leave(thread);
    if (vbt_real_is_plain()) { /* a thread that sees this late still takes the path above */
        atomic_store_explicit(&quick.malloc, vbt_real.malloc, memory_order_relaxed);
        atomic_store_explicit(&quick.calloc, vbt_real.calloc, memory_order_relaxed);
        atomic_store_explicit(&quick.free, vbt_real.free, memory_order_relaxed);
    }
}

static void *malloc_marked(size_t size) {
    struct vbt_thread *thread = mark();
    void *block = vbt_real.malloc(size);
    unmark(thread);
    return block;
}

static void *calloc_marked(size_t count, size_t size) {
    struct vbt_thread *thread = mark();
    void *block = vbt_real.calloc(count, size);
    unmark(thread);
    return block;
}

static void free_marked(void *block) {
    struct vbt_thread *thread = mark();
    vbt_real.free(block);
    unmark(thread);
}

/* What booked_usually does not do itself, it calls in tail position: so it has no registers to
 * save. */

/* Is the thread in a call that another hook records, such as one of Python's allocators? Those ask
 * for much memory here. */
VBT_INLINE bool is_in_call(void) {
    const struct vbt_thread *thread = vbt_self;
    return thread != NULL && VBT_PEEK(uint32_t, thread->standing) == VBT_IN_CALL;
}

static __attribute__((noinline)) void *booked_unless_inside(void *block, size_t size, uintptr_t sp, uintptr_t pc, uintptr_t fp) {
    if (VBT_LIKELY(is_in_call()))
        return block;
    struct vbt_thread *thread = vbt_enter_slowly(VBT_IN_REAL, pc);
    return thread != NULL ? booked(thread, block, size, (struct vbt_registers){.sp = sp, .pc = pc, .fp = fp}) : block;
}

static __attribute__((noinline)) void *booked_elsewhere(void *block, size_t size, uintptr_t sp, uintptr_t pc, uintptr_t fp) {
    struct vbt_thread *thread = vbt_self;
    return book(thread, vbt_heap_place_else(thread, sp, pc, fp), block, size);
}

/* Books what the real function returned (NULL if it failed), and returns it. The thread has not
 * entered. */
VBT_INLINE void *booked_usually(void *block, size_t size, struct vbt_registers caller) {
    if (VBT_UNLIKELY(block == NULL))
        return NULL;
    struct vbt_thread *thread = vbt_enter_usual(VBT_IN_LEDGER);
    if (VBT_UNLIKELY(thread == NULL))
        return booked_unless_inside(block, size, caller.sp, caller.pc, caller.fp);
    if (VBT_UNLIKELY(!vbt_native_repeats(&thread->full.native, caller.sp, caller.pc, caller.fp)))
        return booked_elsewhere(block, size, caller.sp, caller.pc, caller.fp);
    if (VBT_UNLIKELY(!vbt_ledger_alloc_usual(&thread->ledger, VBT_DOMAIN_HEAP, thread->full.latest, block, size)))
        return booked_at(thread, &thread->full.latest, block, size);
    vbt_leave(thread);
    return block;
}

VBT_EXPORT void *malloc(size_t size) {
    void *block = VBT_PEEK(malloc_function, quick.malloc)(size);
    return booked_usually(block, size, VBT_CALLER_REGISTERS);
}

VBT_EXPORT void *calloc(size_t count, size_t size) {
    void *block = VBT_PEEK(calloc_function, quick.calloc)(count, size);
    return booked_usually(block, count * size, VBT_CALLER_REGISTERS);
}

/* The end of a block, in all cases. thread: has entered; NULL: has not. */
static __attribute__((noinline)) void release_slowly(struct vbt_thread *thread, void *block, uintptr_t caller) {
    bool real = block != NULL && !vbt_real_in_pool(block);
    if (VBT_LIKELY(thread == NULL && real && is_in_call())) {
        vbt_real.free(block);
        return;
    }
    if (thread == NULL && real && (thread = vbt_enter_as(VBT_IN_REAL, caller)) == NULL)
        thread = vbt_enter_paused_for(block);
    if (thread != NULL && real)
        vbt_book_end(thread, VBT_DOMAIN_HEAP, block);
    if (real)
        vbt_real.free(block);
    if (thread != NULL)
        vbt_leave(thread);
}

/* A block of the boot pool has no cell, so it takes the slow path. */
VBT_INLINE void release(void *block, uintptr_t caller) {
    struct vbt_thread *thread = vbt_enter_usual(VBT_IN_LEDGER);
    uint64_t cell;
    if (VBT_UNLIKELY(thread == NULL))
        return release_slowly(NULL, block, caller);
    if (VBT_UNLIKELY(!vbt_ledger_free_usual(&thread->ledger, VBT_DOMAIN_HEAP, block, &cell)))
        return release_slowly(thread, block, caller);
    vbt_leave(thread);
    VBT_PEEK(free_function, quick.free)(block);
}

VBT_EXPORT void free(void *block) { release(block, VBT_CALLER); }

/* Gone from glibc's headers, still called by old programs. */
VBT_EXPORT void cfree(void *block) { release(block, VBT_CALLER); }

/* C23, 7.24.3: free with the size as a hint. */
VBT_EXPORT void free_sized(void *block, size_t size) {
    (void)size;
    release(block, VBT_CALLER);
}

VBT_EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size) {
    (void)alignment;
    (void)size;
    release(block, VBT_CALLER);
}

/* A block of the boot pool cannot be resized in place: its contents move to a real one. */
static void *leave_pool(void *block, size_t size, struct vbt_registers caller) {
    struct vbt_thread *thread = vbt_enter_as(VBT_IN_REAL, caller.pc);
    void *fresh = vbt_real.malloc(size);
    if (fresh != NULL) {
        size_t old = vbt_real_pool_size(block);
        memcpy(fresh, block, old < size ? old : size);
    }
    return thread != NULL ? booked(thread, fresh, size, caller) : fresh;
}

/* While nothing is recorded: the old block is removed if it is known; the new one is not
 * recorded. */
static __attribute__((noinline)) void *resize_unrecorded(void *block, size_t size) {
    struct vbt_thread *thread = block != NULL ? vbt_enter_paused_for(block) : NULL;
    if (thread == NULL)
        return vbt_real.realloc(block, size);
    struct vbt_retired retired = vbt_book_end(thread, VBT_DOMAIN_HEAP, block);
    void *fresh = vbt_real.realloc(block, size);
    if (fresh == NULL && size != 0)
        vbt_book_end_undone(thread, block, retired);
    vbt_leave(thread);
    return fresh;
}

VBT_INLINE void *resize(void *block, size_t size, struct vbt_registers caller) {
    if (block != NULL && VBT_UNLIKELY(vbt_real_in_pool(block)))
        return leave_pool(block, size, caller);
    struct vbt_thread *thread = vbt_enter_usual(VBT_IN_REAL);
    if (VBT_UNLIKELY(thread == NULL)) {
        if (is_in_call())
            return vbt_real.realloc(block, size);
        if ((thread = vbt_enter_slowly(VBT_IN_REAL, caller.pc)) == NULL)
            return resize_unrecorded(block, size);
    }
    struct vbt_retired retired = {0, false};
    if (block != NULL)
        retired = vbt_book_end_usually(thread, VBT_DOMAIN_HEAP, block);
    void *fresh = vbt_real.realloc(block, size);
    if (fresh == NULL && size != 0 && block != NULL)
        vbt_book_end_undone(thread, block, retired);
    return booked(thread, fresh, size, caller);
}

VBT_EXPORT void *realloc(void *block, size_t size) { return resize(block, size, VBT_CALLER_REGISTERS); }

typedef void *(*realloc_function)(void *, size_t);

static realloc_function foreign_realloc(void);

VBT_EXPORT void *reallocarray(void *block, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    realloc_function foreign = foreign_realloc();
    if (VBT_UNLIKELY(foreign != NULL))
        return foreign(block, bytes);
    return resize(block, bytes, VBT_CALLER_REGISTERS);
}

VBT_EXPORT int posix_memalign(void **out, size_t alignment, size_t size) {
    struct vbt_thread *thread = vbt_enter_as(VBT_IN_REAL, VBT_CALLER);
    int result = vbt_real.posix_memalign(out, alignment, size);
    if (VBT_LIKELY(thread != NULL))
        booked(thread, result == 0 ? *out : NULL, size, VBT_CALLER_REGISTERS);
    return result;
}

VBT_EXPORT void *aligned_alloc(size_t alignment, size_t size) {
    struct vbt_thread *thread = vbt_enter_as(VBT_IN_REAL, VBT_CALLER);
    void *block = vbt_real.aligned_alloc(alignment, size);
    return VBT_LIKELY(thread != NULL) ? booked(thread, block, size, VBT_CALLER_REGISTERS) : block;
}

VBT_EXPORT void *memalign(size_t alignment, size_t size) {
    struct vbt_thread *thread = vbt_enter_as(VBT_IN_REAL, VBT_CALLER);
    void *block = vbt_real.memalign(alignment, size);
    return VBT_LIKELY(thread != NULL) ? booked(thread, block, size, VBT_CALLER_REGISTERS) : block;
}

VBT_EXPORT void *valloc(size_t size) {
    struct vbt_thread *thread = vbt_enter_as(VBT_IN_REAL, VBT_CALLER);
    void *block = vbt_real.valloc(size);
    return VBT_LIKELY(thread != NULL) ? booked(thread, block, size, VBT_CALLER_REGISTERS) : block;
}

VBT_EXPORT void *pvalloc(size_t size) {
    struct vbt_thread *thread = vbt_enter_as(VBT_IN_REAL, VBT_CALLER);
    void *block = vbt_real.pvalloc(size);
    return VBT_LIKELY(thread != NULL) ? booked(thread, block, size, VBT_CALLER_REGISTERS) : block;
}

/* This library's, whatever the program defines under those names. */
extern __typeof__(malloc) our_malloc __attribute__((alias("malloc"), visibility("hidden")));
extern __typeof__(realloc) our_realloc __attribute__((alias("realloc"), visibility("hidden"), nothrow, leaf));

/* Does a function that the program finds under such a name lead to ours? A program linked at a
 * fixed address that uses malloc as a function pointer defines an undefined symbol with the
 * address of its PLT entry, which leads here, too. */
static bool leads_to(const void *found, const void *ours) {
    Dl_info object;
    const ElfW(Sym) *symbol = NULL;
    return found == ours ||
           (dladdr1(found, &object, (void **)&symbol, RTLD_DL_SYMENT) != 0 && symbol != NULL && symbol->st_shndx == SHN_UNDEF);
}

bool vbt_heap_is_hooked(void) {
    void *ours;
    __typeof__(malloc) *function = our_malloc;
    memcpy(&ours, &function, sizeof ours);
    return leads_to(dlsym(RTLD_DEFAULT, "malloc"), ours);
}

/* The realloc of an allocator before ours that has no reallocarray, or NULL. The C library's
 * reallocarray calls the realloc that the whole process uses, and such an allocator relies on
 * that. */
static realloc_function foreign_realloc(void) {
    enum { UNKNOWN, OURS, FOREIGN };
    static _Atomic int whose;
    static _Atomic(realloc_function) foreign;
    int known = atomic_load_explicit(&whose, memory_order_acquire);
    if (VBT_UNLIKELY(known == UNKNOWN)) {
        void *ours, *found = dlsym(RTLD_DEFAULT, "realloc");
        realloc_function function = our_realloc;
        memcpy(&ours, &function, sizeof ours);
        memcpy(&function, &found, sizeof function);
        known = leads_to(found, ours) ? OURS : FOREIGN;
        atomic_store(&foreign, known == FOREIGN ? function : NULL);
        atomic_store_explicit(&whose, known, memory_order_release);
    }
    return atomic_load_explicit(&foreign, memory_order_relaxed);
}
