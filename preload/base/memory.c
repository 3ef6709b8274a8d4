/* See memory.h. */
#include "memory.h"

#include <stdatomic.h>
#include <linux/mman.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

/* An arena that has grown large grows by huge pages. */
enum { ARENA_STEP = 64 * 1024, ARENA_SMALL_STEPS = 64, ALIGNMENT = 16, CACHE_LINE = 64, PAGE = 4096, HUGE_PAGE = 2 * 1024 * 1024 };

#ifndef MADV_POPULATE_WRITE /* Linux 5.14; an older kernel refuses it, which does no harm */
#define MADV_POPULATE_WRITE 23
#endif

static void *map(size_t size, int protection) {
    long at = vbt_sys(SYS_mmap, 0, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (vbt_sys_failed(at))
        return NULL;
    vbt_sys(SYS_madvise, at, size, MADV_DONTDUMP);
    vbt_sys(SYS_madvise, at, size, MADV_NOHUGEPAGE);
    return (void *)at;
}

void *vbt_map(size_t size) { return map(size, PROT_READ | PROT_WRITE); }

void *vbt_map_reserved(size_t size) { return map(size, PROT_READ); }

bool vbt_map_open(void *start, size_t size) { return !vbt_sys_failed(vbt_sys(SYS_mprotect, start, size, PROT_READ | PROT_WRITE)); }

/* A child may map its own where its parent's was, of which AddressSanitizer still knows what the
 * stack of the parent's helper held. */
static void forget_parents(void *start, size_t size) {
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(start, size);
#else
    (void)start, (void)size;
#endif
}

void *vbt_map_for_helper(size_t size) {
    void *start = vbt_map(size);
    if (start == NULL)
        return NULL;
    vbt_sys(SYS_madvise, start, size, MADV_DONTFORK);
    forget_parents(start, size);
    return start;
}

/* Whole pages, the first of which begins where a huge page can. */
static void *map_huge(size_t size) {
    char *found = vbt_map(size + HUGE_PAGE);
    if (found == NULL)
        return vbt_map(size);
    char *start = (char *)(((uintptr_t)found + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
    if (start > found)
        vbt_unmap(found, (size_t)(start - found));
    vbt_unmap(start + size, (size_t)(found + HUGE_PAGE - start)); /* at least a page: what vbt_map returns begins at one */
    vbt_sys(SYS_madvise, start, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    return start;
}

void *vbt_map_at_once(size_t size) {
    size = (size + PAGE - 1) / PAGE * PAGE;
    void *start = size < HUGE_PAGE ? vbt_map(size) : map_huge(size);
    if (start != NULL)
        vbt_sys(SYS_madvise, start, size, MADV_POPULATE_WRITE);
    return start;
}

void vbt_unmap(void *start, size_t size) { vbt_sys(SYS_munmap, start, size); }

void vbt_drop(void *start, size_t size) { vbt_sys(SYS_madvise, start, size, MADV_DONTNEED); }

static _Atomic size_t arenas_taken;

size_t vbt_arenas_taken(void) { return atomic_load_explicit(&arenas_taken, memory_order_relaxed); }

/* Has the arena mapped `size` more bytes? */
static bool has_room(struct vbt_arena *arena, size_t size) {
    if (size <= (size_t)(arena->end - arena->at))
        return true;
    size_t step = arena->steps < ARENA_SMALL_STEPS ? ARENA_STEP : HUGE_PAGE;
    char *fresh = (arena->steps == 0 ? vbt_map : vbt_map_at_once)(step);
    if (fresh == NULL)
        return false;
    if (arena->steps++ > 0)
        atomic_fetch_add_explicit(&arenas_taken, step, memory_order_relaxed);
    arena->at = fresh;
    arena->end = fresh + step;
    return true;
}

static void *take(struct vbt_arena *arena, size_t size) {
    void *result = arena->at;
    arena->at += size;
    if (arena->steps == 1) /* of the first mapping, memory is taken page by page */
        atomic_fetch_add_explicit(&arenas_taken, size, memory_order_relaxed);
    return result;
}

void *vbt_arena_alloc(struct vbt_arena *arena, size_t size) {
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (size > ARENA_STEP / 4) {
        atomic_fetch_add_explicit(&arenas_taken, size, memory_order_relaxed);
        return vbt_map(size);
    }
    return has_room(arena, size) ? take(arena, size) : NULL;
}

void *vbt_arena_alloc_lines(struct vbt_arena *arena, size_t size) {
    size_t skipped = -(uintptr_t)arena->at % CACHE_LINE;
    if (!has_room(arena, skipped + size))
        return NULL;
    take(arena, -(uintptr_t)arena->at % CACHE_LINE); /* nothing, if it was mapped just now */
    return take(arena, (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
}

/* Maps a segment, unless there is one. The first may never be full: each page of it would be copied
 * or mapped again by a fork. */
static bool map_segment(struct vbt_vector *vector, uint32_t number, size_t item_size) {
    char **segment = &vector->segments[number], *there = __atomic_load_n(segment, __ATOMIC_RELAXED);
    if (there != NULL)
        return true;
    size_t size = VBT_VECTOR_SEGMENT * item_size;
    char *fresh = (number == 0 ? vbt_map : vbt_map_at_once)(size);
    if (fresh == NULL)
        return false;
    if (!__atomic_compare_exchange_n(segment, &there, fresh, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        vbt_unmap(fresh, size);
    return true;
}

uint32_t vbt_vector_add_slowly(struct vbt_vector *vector, size_t item_size) {
    uint32_t index = vector->count, number = index / VBT_VECTOR_SEGMENT;
    if (number >= VBT_VECTOR_SEGMENTS)
        return 0;
    vector->item_size = item_size;
    if (!map_segment(vector, number, item_size))
        return 0;
    vector->count = index + 1;
    return index;
}

void vbt_vector_prepare_next(struct vbt_vector *vector, size_t item_size) {
    uint32_t next = __atomic_load_n(&vector->count, __ATOMIC_RELAXED) / VBT_VECTOR_SEGMENT + 1;
    if (next < VBT_VECTOR_SEGMENTS)
        map_segment(vector, next, item_size);
}

void vbt_vector_empty(struct vbt_vector *vector) {
    for (uint32_t i = 0; i < VBT_VECTOR_SEGMENTS && vector->segments[i] != NULL; i++) {
        vbt_unmap(vector->segments[i], VBT_VECTOR_SEGMENT * vector->item_size);
        vector->segments[i] = NULL;
    }
    vector->count = 0;
}
