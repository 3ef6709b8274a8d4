/* The library's own memory, straight from the kernel: a hook must never allocate from the allocator
 * that it watches. */
#ifndef VBT_MEMORY_H
#define VBT_MEMORY_H

#include "sys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed, page-aligned address space that costs memory only where it is touched; kept out of core
 * dumps and of transparent huge pages. NULL when the kernel refuses. */
void *vbt_map(size_t size);

/* The same, for memory that will be used in full right away: one system call instead of a page
 * fault for each page, and huge pages where it is as large as one and the kernel has some. Without
 * them, random lookups in a table would miss the TLB. */
void *vbt_map_at_once(size_t size);

/* The same as vbt_map, but it can only be read, as zeros, until vbt_map_open makes whole pages of
 * it writable; false when the kernel refuses. Until then it is no memory to a kernel that does not
 * overcommit. */
void *vbt_map_reserved(size_t size);
bool vbt_map_open(void *start, size_t size);

/* As vbt_map, for what only the helper uses: a forked child does not have it, and has to forget the
 * address. */
void *vbt_map_for_helper(size_t size);

void vbt_unmap(void *start, size_t size);

/* Returns the memory and keeps the address space, whose whole pages read as zero from now on. */
void vbt_drop(void *start, size_t size);

/* A bump allocator for things that live as long as the process. Not locked: one owner each. */
struct vbt_arena {
    char *at;
    char *end;
    uint32_t steps; /* mappings so far */
};

/* Zeroed, 16-byte aligned; NULL when the kernel refuses. */
void *vbt_arena_alloc(struct vbt_arena *arena, size_t size);

/* The same, from the beginning of a cache line on; size: at most 16 KiB. */
void *vbt_arena_alloc_lines(struct vbt_arena *arena, size_t size);

/* Bytes of memory that all arenas have taken. */
size_t vbt_arenas_taken(void);

/* An array of zeroed items of equal size that grows and never moves: readers need no lock for an
 * item whose index they were given. */
#define VBT_VECTOR_SEGMENT 4096
#define VBT_VECTOR_SEGMENTS 16384

/* Starts as zeros: a variable that is initialized would be mapped from the library's file, and each
 * fork would copy the mapping page by page. */
struct vbt_vector {
    size_t item_size; /* of all items that were added */
    uint32_t count;
    char *segments[VBT_VECTOR_SEGMENTS];
};

/* vbt_vector_add where a segment begins, and vbt_vector_prepare where the next one is near. */
uint32_t vbt_vector_add_slowly(struct vbt_vector *vector, size_t item_size);
void vbt_vector_prepare_next(struct vbt_vector *vector, size_t item_size);

/* Adds an item and returns its index, or 0 when there is no memory (index 0 is given out first, and
 * is left unused). item_size: always the same. One owner. */
static inline uint32_t vbt_vector_add(struct vbt_vector *vector, size_t item_size) {
    uint32_t index = vector->count;
    if (VBT_UNLIKELY(index % VBT_VECTOR_SEGMENT == 0) || VBT_UNLIKELY(vector->segments[index / VBT_VECTOR_SEGMENT] == NULL))
        return vbt_vector_add_slowly(vector, item_size);
    vector->count = index + 1;
    return index;
}

/* Maps what the next items will need if that is soon: to be called before the owner's lock is
 * taken, so that no other thread waits for the kernel's pages. Anyone may, at any time. */
enum { VBT_VECTOR_SOON = VBT_VECTOR_SEGMENT / 16 };
static inline void vbt_vector_prepare(struct vbt_vector *vector, size_t item_size) {
    if (VBT_UNLIKELY(__atomic_load_n(&vector->count, __ATOMIC_RELAXED) % VBT_VECTOR_SEGMENT >=
                     VBT_VECTOR_SEGMENT - VBT_VECTOR_SOON))
        vbt_vector_prepare_next(vector, item_size);
}

/* Removes all items and returns their memory. */
void vbt_vector_empty(struct vbt_vector *vector);

/* The item of an index. Naming the type saves the look at item_size. */
#define VBT_VECTOR_ITEM(vector, type, index)                                                                                       \
    ((type *)(vector)->segments[(index) / VBT_VECTOR_SEGMENT] + (index) % VBT_VECTOR_SEGMENT)

static inline void *vbt_vector_at(const struct vbt_vector *vector, uint32_t index) {
    return vector->segments[index / VBT_VECTOR_SEGMENT] + (size_t)(index % VBT_VECTOR_SEGMENT) * vector->item_size;
}

#endif
