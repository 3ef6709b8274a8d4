/* The shadow: for every block that is live, which node allocated it and how large it is.
 *
 * Two levels: a table of 64 MiB regions, and for each region that ever held a block one 8-byte cell for every 16
 * bytes of address. Finding a cell takes two loads and no lock; nothing of the program's own memory is touched.
 * Allocators that align small blocks to 8 bytes (jemalloc, tcmalloc) can put two into 16 bytes of address: blocks at
 * 8 modulo 16 have a second plane of regions to themselves. */
#ifndef VBT_SHADOW_H
#define VBT_SHADOW_H

#include "../sys.h"
#include "format/format.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VBT_SHADOW_REGION_BITS = 26,
    VBT_SHADOW_ADDRESS_BITS = 47, /* of user space, without five-level paging */
    VBT_SHADOW_CELLS = 1 << (VBT_SHADOW_REGION_BITS - 4),
    VBT_SHADOW_REGIONS = 2 << (VBT_SHADOW_ADDRESS_BITS - VBT_SHADOW_REGION_BITS),
};

/* A cell: node in 26 bits, size in 36, domain in 1, and 1 bit for blocks whose end is watched for. 0: no block. */
typedef _Atomic uint64_t vbt_cell;

#define VBT_CELL_SIZE_MAX ((UINT64_C(1) << 36) - 1)
#define VBT_CELL_WATCHED (UINT64_C(1) << 63)

static inline uint64_t vbt_cell_pack(uint32_t node, size_t size, enum vbt_domain domain) {
    return (uint64_t)node | (uint64_t)size << 26 | (uint64_t)domain << 62;
}

static inline uint32_t vbt_cell_node(uint64_t cell) { return (uint32_t)(cell & (VBT_MAX_NODES - 1)); }
static inline size_t vbt_cell_size(uint64_t cell) { return cell >> 26 & VBT_CELL_SIZE_MAX; }
static inline enum vbt_domain vbt_cell_domain(uint64_t cell) { return (enum vbt_domain)(cell >> 62 & 1); }

/* False when there is no memory for the first level. */
bool vbt_shadow_init(void);

extern _Atomic(vbt_cell *) *vbt_shadow_regions;

/* The region's cells, made now; NULL when there is no memory. */
vbt_cell *vbt_shadow_new_region(uintptr_t index);

/* The cell of an address. make: false finds only what is there. NULL: no such cell, or an address that no cell stands
 * for. */
static inline vbt_cell *vbt_shadow_cell(const void *block, bool make) {
    uintptr_t address = (uintptr_t)block;
    uintptr_t index = (address >> VBT_SHADOW_REGION_BITS) * 2 | (address >> 3 & 1);
    if (VBT_UNLIKELY(index >= VBT_SHADOW_REGIONS || (address & 7) != 0))
        return NULL;
    vbt_cell *cells = atomic_load_explicit(&vbt_shadow_regions[index], memory_order_acquire);
    if (VBT_UNLIKELY(cells == NULL) && (!make || (cells = vbt_shadow_new_region(index)) == NULL))
        return NULL;
    return &cells[address >> 4 & (VBT_SHADOW_CELLS - 1)];
}

/* Blocks of 64 GiB and more do not fit a cell: their cell says VBT_CELL_SIZE_MAX and their true size is kept here. */
bool vbt_shadow_put_huge(const void *block, size_t size);
size_t vbt_shadow_take_huge(const void *block);

#endif
