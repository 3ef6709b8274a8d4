/* See real.h.
 *
 * The heap functions start as stand-ins that look up the real ones at the first call, so that no
 * hook has to test for it. While the lookup runs, what dlsym itself requests (error strings) comes
 * from the pool; a block of the pool is never reused. */
#include "real.h"

#include "glibc.h"
#include "sys.h"
#include "format/count.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

enum { POOL_SIZE = 64 * 1024, POOL_ALIGNMENT = 16 };

static char pool[POOL_SIZE] __attribute__((aligned(POOL_ALIGNMENT)));
static _Atomic size_t pool_used;

static void *pool_alloc(size_t size) {
    size_t whole = (size + 2 * POOL_ALIGNMENT - 1) & ~(size_t)(POOL_ALIGNMENT - 1); /* with room for the size before it */
    size_t at = atomic_fetch_add(&pool_used, whole);
    if (size > POOL_SIZE || at + whole > POOL_SIZE) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(pool + at, &size, sizeof size);
    return pool + at + POOL_ALIGNMENT;
}

int vbt_real_in_pool(const void *block) { return (const char *)block >= pool && (const char *)block < pool + POOL_SIZE; }

size_t vbt_real_pool_size(const void *block) {
    size_t size;
    memcpy(&size, (const char *)block - POOL_ALIGNMENT, sizeof size);
    return size;
}

/* True in the thread that is in vbt_real_find now; others that come first wait for it. Volatile,
 * since dlsym is declared to call nothing in this file, and does. */
static __thread volatile int finding __attribute__((tls_model("initial-exec")));

static void *first_malloc(size_t size) {
    if (finding)
        return pool_alloc(size);
    vbt_real_find();
    return vbt_real.malloc(size);
}

static void *first_calloc(size_t count, size_t size) {
    size_t bytes;
    if (finding)
        return __builtin_mul_overflow(count, size, &bytes) ? NULL : pool_alloc(bytes);
    vbt_real_find();
    return vbt_real.calloc(count, size);
}

static void *first_realloc(void *block, size_t size) {
    if (finding) {
        void *fresh = pool_alloc(size);
        if (fresh != NULL && block != NULL) {
            size_t old = vbt_real_pool_size(block);
            memcpy(fresh, block, old < size ? old : size);
        }
        return fresh;
    }
    vbt_real_find();
    return vbt_real.realloc(block, size);
}

static void first_free(void *block) {
    if (finding || block == NULL)
        return;
    vbt_real_find();
    vbt_real.free(block);
}

struct vbt_real vbt_real = {
    .malloc = first_malloc,
    .calloc = first_calloc,
    .realloc = first_realloc,
    .free = first_free,
};

#define NAME(result, name, parameters) #name,

static const char *const names[] = {VBT_REAL_FUNCTIONS(NAME)};

/* Where a library is mapped. */
struct range {
    uintptr_t start, end;
};

static struct range ours, allocators; /* the latter: empty if malloc is the C library's */

/* The library that an address belongs to; everything where that cannot be found out, as before
 * glibc 2.35. */
static struct range library_of(const void *address) {
    struct dl_find_object found;
    if (_dl_find_object == NULL || _dl_find_object((void *)(uintptr_t)address, &found) != 0)
        return (struct range){0, UINTPTR_MAX};
    return (struct range){(uintptr_t)found.dlfo_map_start, (uintptr_t)found.dlfo_map_end};
}

bool vbt_real_clock_is_foreign;

static bool is_in(struct range range, uintptr_t address) { return address >= range.start && address < range.end; }

static void note_libraries(void) {
    void *malloc_at, *exit_at, *clock_at;
    memcpy(&clock_at, &vbt_real.clock_gettime, sizeof clock_at);
    memcpy(&malloc_at, &vbt_real.malloc, sizeof malloc_at);
    memcpy(&exit_at, &vbt_real._exit, sizeof exit_at);
    struct range libc = library_of(exit_at);
    ours = library_of(&vbt_real);
    allocators = library_of(malloc_at);
    if (allocators.start == libc.start && libc.start != 0)
        allocators = (struct range){0, 0};
    vbt_real_clock_is_foreign = !is_in(libc, (uintptr_t)clock_at);
}

bool vbt_real_has_operators(void) {
    void *operator_new = dlsym(RTLD_DEFAULT, "_Znwm");
    return operator_new != NULL && allocators.end != UINTPTR_MAX && is_in(allocators, (uintptr_t)operator_new);
}

bool vbt_real_calls_back(uintptr_t caller) { return is_in(allocators, caller) || is_in(ours, caller); }

static _Atomic int state; /* of the lookup: 0 to do, 1 in progress, 2 done */

bool vbt_real_is_plain(void) { return atomic_load(&state) == 2 && allocators.end == 0; }

void vbt_real_find(void) {
    int expected = 0;
    if (!atomic_compare_exchange_strong(&state, &expected, 1)) {
        while (!finding && atomic_load(&state) != 2)
            vbt_sys(SYS_sched_yield);
        return;
    }
    finding = 1;
    void *found[VBT_COUNT(names)];
    for (size_t i = 0; i < VBT_COUNT(names); i++)
        found[i] = dlsym(RTLD_NEXT, names[i]);
    _Static_assert(sizeof found == sizeof vbt_real, "a name for each function");
    memcpy(&vbt_real, found, sizeof vbt_real);
    note_libraries();
    finding = 0;
    atomic_store(&state, 2);
}

void vbt_real_forget_error(void) {
    dlerror();
    dlerror();
}
