/* The shadow: for every live block, its account and its size, in a cell of 8 bytes.
 *
 * Where a block's cell is. Addresses are divided into grains of a size that is a power of two, and
 * a grain's cell belongs to the block that begins in it and reaches its last 16 bytes. Live blocks
 * do not overlap, so there is one at most. Whether a block reaches so far is certain from its size,
 * if that is large enough:
 *
 *     requested bytes   grain   cells take, of the heap
 *     up to 48             32   25%     up to 16 bytes only if the address is at 16 modulo 32;
 *                                       those at 0 are in a table of their own ("tiny")
 *     49 to 496            64   12.5%
 *     497 to 4,080        512   1.6%
 *     from 4,081        4,096   0.2%
 *
 * A free knows only the address, and looks at the cell of each grain around it in turn. A cell has
 * the low bits of its block's address, so it is known to be the block's: an address that was never
 * allocated is not mistaken for the block beside it. The usual grain is the first or the second;
 * each one more costs some seven instructions, and a branch that is easy to foresee where a place
 * in the program frees blocks of one kind.
 *
 * So one cell has one writer at a time, as one block has: no lock, no compare-and-swap, nothing to
 * move when small blocks come where large ones were, and nothing that a signal handler or a fork
 * could find half done. Weighed against it:
 *
 * - A cell for every 16 bytes of address: 50%, and a page of cells for each page of scattered
 *   blocks.
 * - Parts of the shadow with a grain each, split when two blocks meet in one cell. Two threads may
 *   allocate there at the same moment, so each store would have to be a compare-and-swap (5 ns),
 *   and a split would wait for threads that may not run (a collector's signal handler stops them).
 * - A hash table: 16 bytes for a cell with its address, at half load 32 for each block.
 *
 * What it costs more: where blocks of many sizes lie side by side in each 8 KiB, pages of several
 * grains are in use for the same addresses.
 *
 * Regions of 64 MiB have a table each, which is made when the first block there is. All of that is
 * kept twice: allocators that align small blocks to 8 bytes (jemalloc, tcmalloc) can put two into
 * 16 bytes of address, so for blocks at 8 modulo 16 all grains begin 8 bytes higher. Nothing of the
 * program's own memory is touched. */
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
    VBT_SHADOW_ADDRESS_BITS = 47,                                               /* of user space, without five-level paging */
    VBT_SHADOW_PLANE = 1 << (VBT_SHADOW_ADDRESS_BITS - VBT_SHADOW_REGION_BITS), /* regions for addresses at 0 modulo 16 */
};

/* A region's cells are numbered like the nodes of a binary tree, from the root: a cell's number is
 * that of the two with half its grain, divided by 2. So all sizes of a grain could be used; these
 * are. Of the smallest, each region has one table for the usual and one for the tiny. */
enum {
    VBT_GRAIN_32 = 5, /* bits of the addresses in one */
    VBT_GRAIN_64 = 6,
    VBT_GRAIN_512 = 9,
    VBT_GRAIN_4096 = 12,
    VBT_TINY_CELLS = 1 << (VBT_SHADOW_REGION_BITS - VBT_GRAIN_32),
    VBT_REGION_CELLS = 2 * VBT_TINY_CELLS,
};

/* The sizes from which on a block has the grain. */
enum { VBT_SIZE_32 = 17, VBT_SIZE_64 = 49, VBT_SIZE_512 = 497, VBT_SIZE_4096 = 4081 };

/* A cell: 1 + domain in 2 bits, two marks, bits 4 to 15 of the address in place, size in 22,
 * account in 26. 0: no block. Without a domain: a block that is not in the books, but watched. */
typedef _Atomic uint64_t vbt_cell;

enum { VBT_CELL_SIZE_BITS = 22, VBT_CELL_ACCOUNT_BITS = 26 };

#define VBT_CELL_DOMAIN UINT64_C(3)
#define VBT_CELL_WATCHED (UINT64_C(1) << 2)                      /* vbt_watched_block_freed is called when the block ends */
#define VBT_CELL_HUGE (UINT64_C(1) << 3)                         /* its size does not fit */
#define VBT_CELL_ADDRESS UINT64_C(0xfff0)                        /* the bits that it has of its block's address */
#define VBT_CELL_SIZES (UINT64_C(1) << VBT_CELL_SIZE_BITS)       /* sizes below this fit */
#define VBT_CELL_ACCOUNTS (UINT64_C(1) << VBT_CELL_ACCOUNT_BITS) /* accounts below this fit */

static inline uint64_t vbt_cell_of_domain(enum vbt_domain domain) { return (uint64_t)domain + 1; }

/* What a cell holds for a block in any case. */
static inline uint64_t vbt_cell_at(const void *block) { return (uintptr_t)block & VBT_CELL_ADDRESS; }

/* account, size: such that they fit. Usual: the address is a multiple of 16. */
VBT_INLINE uint64_t vbt_cell_pack_usual(const void *block, uint32_t account, size_t size, enum vbt_domain domain) {
    uint16_t low = (uint16_t)((uintptr_t)block + vbt_cell_of_domain(domain));
    return (uint64_t)account << (64 - VBT_CELL_ACCOUNT_BITS) | (uint64_t)size << 16 | low;
}

static inline uint64_t vbt_cell_pack(const void *block, uint32_t account, size_t size, enum vbt_domain domain) {
    return vbt_cell_pack_usual((const char *)block - (uintptr_t)block % 16, account, size, domain);
}

static inline uint32_t vbt_cell_account(uint64_t cell) { return (uint32_t)(cell >> (64 - VBT_CELL_ACCOUNT_BITS)); }
static inline size_t vbt_cell_size(uint64_t cell) { return cell >> 16 & (VBT_CELL_SIZES - 1); }
static inline enum vbt_domain vbt_cell_domain(uint64_t cell) { return (enum vbt_domain)((cell & VBT_CELL_DOMAIN) - 1); }

/* The same cell for another account. */
static inline uint64_t vbt_cell_of_account(uint64_t cell, uint32_t account) {
    enum { SHIFT = 64 - VBT_CELL_ACCOUNT_BITS };
    return (cell & ((UINT64_C(1) << SHIFT) - 1)) | (uint64_t)account << SHIFT;
}

/* Called at the end of a block whose cell is marked VBT_CELL_WATCHED, by a pointer that the code
 * that marks cells has set. */
extern void (*vbt_watched_block_freed)(uintptr_t address);

/* False when there is no memory for the first level. */
bool vbt_shadow_init(void);

/* The cells of each region: those of addresses at 0 modulo 16, then those of addresses at 8. */
extern _Atomic(vbt_cell *) *vbt_shadow_regions VBT_HIDDEN;

/* The number of the cell of the smallest grain at an address; of another one: vbt_cell_above. */
VBT_INLINE uintptr_t vbt_cell_number(uintptr_t address_by_16) {
    return (address_by_16 >> (VBT_GRAIN_32 - 4) & (VBT_TINY_CELLS - 1)) | VBT_TINY_CELLS;
}

VBT_INLINE uintptr_t vbt_cell_above(uintptr_t number, unsigned grain) { return number >> (grain - VBT_GRAIN_32); }

/* The first cells of a region have other uses: number 0 is the address of its table for the tiny,
 * and those of the grain whose size is the first that does not fit a cell are the sizes of such
 * blocks. */
enum { VBT_CELL_OF_TINY = 0 };

/* Returns the memory of all cells that are empty, as far as whole pages are. No thread may be
 * writing any. */
void vbt_shadow_trim(void);

/* The same for the cells of addresses that the program is about to give back to the kernel, or has
 * just given back, if they are at least VBT_SHADOW_TRIM bytes: fewer have no page of cells. Other
 * threads may write other cells, but not these: what a block that began in these addresses
 * meanwhile holds would be lost without vbtrace, too. */
enum { VBT_SHADOW_TRIM = 16 * 1024 };
void vbt_shadow_trim_range(uintptr_t start, uintptr_t end);

/* The cell of the block at this address, which may be known only as watched; NULL if there is
 * none. */
vbt_cell *vbt_shadow_find(const void *block);

/* The cell for a block of this size at an address where no block is; what it held until now is of a
 * block whose end was not seen. NULL: there is no memory for it, or blocks at such an address have
 * no cell. */
vbt_cell *vbt_shadow_place(const void *block, size_t size);

/* The cells of the region of an address, for addresses at 0 modulo 16 whose region exists; NULL for
 * all others. */
VBT_INLINE vbt_cell *vbt_shadow_usual_region(const void *block, uintptr_t *number) {
    uintptr_t address = (uintptr_t)block;
    uintptr_t by_16 = address >> 4 | address << 60; /* an odd address becomes one that is too high: one check for both */
    uintptr_t index = by_16 >> (VBT_SHADOW_REGION_BITS - 4);
    *number = vbt_cell_number(by_16);
    return VBT_LIKELY(index < VBT_SHADOW_PLANE) ? VBT_PEEK(vbt_cell *, vbt_shadow_regions[index]) : NULL;
}

VBT_INLINE vbt_cell *vbt_shadow_usual_tiny(vbt_cell *cells, uintptr_t number) {
    vbt_cell *tiny = (vbt_cell *)VBT_PEEK(uint64_t, cells[VBT_CELL_OF_TINY]);
    return VBT_LIKELY(tiny != NULL) ? &tiny[number - VBT_TINY_CELLS] : NULL;
}

/* b if the condition is true, else a, without a branch: blocks of either kind come in no order. */
VBT_INLINE uintptr_t vbt_shadow_either(bool condition, uintptr_t a, uintptr_t b) {
    a = __builtin_expect_with_probability(condition, 1, 0.5) ? b : a;
    __asm__("" : "+r"(a)); /* what follows is not done twice, for a and for b */
    return a;
}

/* vbt_shadow_place for usual addresses and sizes whose cell exists; NULL for all others. */
VBT_INLINE vbt_cell *vbt_shadow_usual_place(const void *block, size_t size, enum vbt_domain domain) {
    uintptr_t number;
    vbt_cell *cells = vbt_shadow_usual_region(block, &number);
    if (VBT_UNLIKELY(cells == NULL))
        return NULL;
    if (domain == VBT_DOMAIN_PYTHON && VBT_LIKELY(size - VBT_SIZE_32 < VBT_SIZE_64 - VBT_SIZE_32))
        return &cells[number];
    if (VBT_LIKELY(size - VBT_SIZE_32 < VBT_SIZE_512 - VBT_SIZE_32))
        return &cells[vbt_shadow_either(size >= VBT_SIZE_64, number, vbt_cell_above(number, VBT_GRAIN_64))];
    if (size < VBT_SIZE_32)
        return ((uintptr_t)block & 16) != 0 ? &cells[number] : vbt_shadow_usual_tiny(cells, number);
    return size < VBT_SIZE_4096 ? &cells[vbt_cell_above(number, VBT_GRAIN_512)] : NULL;
}

/* Is this the cell of a block of the domain at this address, a multiple of 16, that has no mark? */
VBT_INLINE bool vbt_shadow_is_usual(const vbt_cell *slot, const void *block, enum vbt_domain domain) {
    return (uint16_t)VBT_PEEK(uint64_t, *slot) == (uint16_t)((uintptr_t)block + vbt_cell_of_domain(domain));
}

/* vbt_shadow_find for usual addresses, below the largest grain, of blocks of a domain whose cell
 * has no mark; NULL for all others. */
VBT_INLINE vbt_cell *vbt_shadow_usual_find(const void *block, enum vbt_domain domain) {
    uintptr_t number;
    vbt_cell *cells = vbt_shadow_usual_region(block, &number);
    if (VBT_UNLIKELY(cells == NULL))
        return NULL;
    uintptr_t at_64 = vbt_cell_above(number, VBT_GRAIN_64);
    vbt_cell *slot = &cells[number];
    if (domain == VBT_DOMAIN_PYTHON && VBT_LIKELY(vbt_shadow_is_usual(slot, block, domain)))
        return slot;
    if (domain != VBT_DOMAIN_PYTHON)
        at_64 = vbt_shadow_either(!vbt_shadow_is_usual(&cells[at_64], block, domain), at_64, number);
    slot = &cells[at_64];
    if (VBT_LIKELY(vbt_shadow_is_usual(slot, block, domain)))
        return slot;
    slot = &cells[vbt_cell_above(number, VBT_GRAIN_512)];
    if (vbt_shadow_is_usual(slot, block, domain))
        return slot;
    if (((uintptr_t)block & 16) != 0 || (slot = vbt_shadow_usual_tiny(cells, number)) == NULL)
        return NULL;
    return vbt_shadow_is_usual(slot, block, domain) ? slot : NULL;
}

/* Where the last block ends that begins in these addresses; 0 if none does. A block whose size does
 * not fit a cell counts as one of VBT_CELL_SIZES. last: finds the last cell that is not 0 in a
 * range, NULL if there is none. */
uintptr_t vbt_shadow_last_end(uintptr_t start, uintptr_t end, const vbt_cell *(*last)(const vbt_cell *from, const vbt_cell *to));

/* Is there a block at this address that is in the books? */
static inline bool vbt_shadow_holds(const void *block) {
    const vbt_cell *cell = vbt_shadow_find(block);
    return cell != NULL && (VBT_PEEK(uint64_t, *cell) & VBT_CELL_DOMAIN) != 0;
}

/* The size of a block that does not fit its cell, for which vbt_shadow_place was asked before.
 * Take: the block has ended. */
void vbt_shadow_put_huge(const void *block, size_t size);
size_t vbt_shadow_take_huge(const void *block);

#endif
