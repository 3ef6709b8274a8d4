/* The shadow: for every live block, its account and its size.
 *
 * Two levels: a table of 64 MiB regions, and for each region that ever held a block, one 8-byte
 * cell for every 16 bytes of address. Finding a cell takes two loads and no lock; nothing of the
 * program's own memory is touched. Allocators that align small blocks to 8 bytes (jemalloc,
 * tcmalloc) can put two into 16 bytes of address: blocks at 8 modulo 16 have a second plane of
 * regions. */
#ifndef VBT_SHADOW_H
#define VBT_SHADOW_H

#include "format/format.h"
#include "preload/base/sys.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VBT_SHADOW_REGION_BITS = 26,
    VBT_SHADOW_ADDRESS_BITS = 47, /* of user space, without five-level paging */
    VBT_SHADOW_CELLS = 1 << (VBT_SHADOW_REGION_BITS - 4),
    VBT_SHADOW_PLANE = 1 << (VBT_SHADOW_ADDRESS_BITS - VBT_SHADOW_REGION_BITS), /* regions of one plane */
};

/* A cell: account in 26 bits, 1 + domain in 2, two marks, size in 34. 0: no block. Without a
 * domain: a block that is not in the books, but watched. */
typedef _Atomic uint64_t vbt_cell;

#define VBT_CELL_ACCOUNTS (UINT64_C(1) << 26) /* accounts below this fit */
#define VBT_CELL_DOMAIN (UINT64_C(3) << 26)
#define VBT_CELL_WATCHED (UINT64_C(1) << 28) /* vbt_watched_block_freed is called when the block ends */
#define VBT_CELL_HUGE (UINT64_C(1) << 29)    /* its size does not fit */
#define VBT_CELL_SIZES (UINT64_C(1) << 34)   /* sizes below this fit */

static inline uint64_t vbt_cell_of_domain(enum vbt_domain domain) { return ((uint64_t)domain + 1) << 26; }

/* size: below VBT_CELL_SIZES. */
static inline uint64_t vbt_cell_pack(uint32_t account, size_t size, enum vbt_domain domain) {
    return (uint64_t)size << 30 | vbt_cell_of_domain(domain) | account;
}

static inline uint32_t vbt_cell_account(uint64_t cell) { return (uint32_t)(cell & (VBT_CELL_ACCOUNTS - 1)); }
static inline size_t vbt_cell_size(uint64_t cell) { return cell >> 30; }
static inline enum vbt_domain vbt_cell_domain(uint64_t cell) { return (enum vbt_domain)((cell >> 26 & 3) - 1); }

/* Called at the end of a block whose cell is marked VBT_CELL_WATCHED, by a pointer that the code
 * that marks cells has set. */
extern void (*vbt_watched_block_freed)(uintptr_t address);

/* False when there is no memory for the first level. */
bool vbt_shadow_init(void);

/* Those of addresses at 0 modulo 16, then those of addresses at 8. */
extern _Atomic(vbt_cell *) *vbt_shadow_regions VBT_HIDDEN;

/* Returns the memory of all cells that are empty, as far as whole pages are. No thread may be
 * writing any. */
void vbt_shadow_trim(void);

/* The region's cells, created now; NULL when there is no memory. */
vbt_cell *vbt_shadow_new_region(uintptr_t index);

/* The cell of an address. make: false finds only existing ones. NULL: no such cell, or an address
 * that has no cell. */
static inline vbt_cell *vbt_shadow_cell(const void *block, bool make) {
    uintptr_t address = (uintptr_t)block;
    uintptr_t index = address >> VBT_SHADOW_REGION_BITS;
    if (VBT_UNLIKELY(index >= VBT_SHADOW_PLANE || (address & 7) != 0))
        return NULL;
    index |= (address & 8) / 8 * VBT_SHADOW_PLANE;
    vbt_cell *cells = atomic_load_explicit(&vbt_shadow_regions[index], memory_order_acquire);
    if (VBT_UNLIKELY(cells == NULL) && (!make || (cells = vbt_shadow_new_region(index)) == NULL))
        return NULL;
    return &cells[address >> 4 & (VBT_SHADOW_CELLS - 1)];
}

/* The same for an address at 0 modulo 16 whose region exists; NULL for all others. */
VBT_INLINE vbt_cell *vbt_shadow_usual_cell(const void *block) {
    uintptr_t address = (uintptr_t)block;
    uintptr_t cell = address >> 4 | address << 60; /* an odd address becomes one that is too high: one check for both */
    uintptr_t index = cell >> (VBT_SHADOW_REGION_BITS - 4);
    if (VBT_UNLIKELY(index >= VBT_SHADOW_PLANE))
        return NULL;
    vbt_cell *cells = VBT_PEEK(vbt_cell *, vbt_shadow_regions[index]);
    return VBT_LIKELY(cells != NULL) ? &cells[cell & (VBT_SHADOW_CELLS - 1)] : NULL;
}

/* Is there a block at this address that is in the books? */
static inline bool vbt_shadow_holds(const void *block) {
    const vbt_cell *cell = vbt_shadow_cell(block, false);
    return cell != NULL && (VBT_PEEK(uint64_t, *cell) & VBT_CELL_DOMAIN) != 0;
}

/* Blocks of 16 GiB and more do not fit a cell: it is marked VBT_CELL_HUGE, and their size is kept
 * here. */
bool vbt_shadow_put_huge(const void *block, size_t size);
size_t vbt_shadow_take_huge(const void *block);

#endif
