/* See shadow.h. */
#include "shadow.h"

#include "preload/base/memory.h"

enum { PAGE = 4096 };

_Atomic(vbt_cell *) *vbt_shadow_regions;
void (*vbt_watched_block_freed)(uintptr_t address);

bool vbt_shadow_init(void) {
    vbt_shadow_regions = vbt_map(2 * VBT_SHADOW_PLANE * sizeof *vbt_shadow_regions);
    return vbt_shadow_regions != NULL;
}

/* The first regions; a program with more has more memory than most machines. */
enum { REGIONS_KNOWN = 8192 };

static struct {
    _Atomic uint32_t count;
    _Atomic(vbt_cell *) cells[REGIONS_KNOWN];
} known;

static void note_region(vbt_cell *cells) {
    uint32_t number = atomic_fetch_add(&known.count, 1);
    if (number < REGIONS_KNOWN)
        atomic_store(&known.cells[number], cells);
}

static bool is_empty(const vbt_cell *page) {
    uint64_t any = 0;
    for (unsigned i = 0; i < PAGE / sizeof *page; i++)
        any |= atomic_load_explicit(&page[i], memory_order_relaxed);
    return any == 0;
}

/* The empty pages of up to PAGES_AT_ONCE. */
enum { PAGES_AT_ONCE = 256 };

static void trim_pages(char *start, size_t pages) {
    unsigned char resident[PAGES_AT_ONCE];
    if (vbt_sys(SYS_mincore, start, pages * PAGE, resident) != 0)
        return;
    for (size_t i = 0, first = 0; i <= pages; i++) { /* first: of the empty pages before this one */
        if (i < pages && (resident[i] & 1) != 0 && is_empty((vbt_cell *)(start + i * PAGE)))
            continue;
        if (i > first)
            vbt_drop(start + first * PAGE, (i - first) * PAGE);
        first = i + 1;
    }
}

static void trim_cells(const vbt_cell *cells, size_t count) {
    size_t pages = count * sizeof *cells / PAGE;
    for (size_t i = 0; cells != NULL && i < pages; i += PAGES_AT_ONCE)
        trim_pages((char *)cells + i * PAGE, pages - i < PAGES_AT_ONCE ? pages - i : PAGES_AT_ONCE);
}

static vbt_cell *tiny_of(const vbt_cell *cells) {
    return (vbt_cell *)atomic_load_explicit(&cells[VBT_CELL_OF_TINY], memory_order_acquire);
}

void vbt_shadow_trim(void) {
    for (uint32_t i = 0; i < atomic_load(&known.count) && i < REGIONS_KNOWN; i++) {
        vbt_cell *cells = atomic_load(&known.cells[i]);
        if (cells == NULL)
            continue;
        trim_cells(cells, VBT_REGION_CELLS);
        trim_cells(tiny_of(cells), VBT_TINY_CELLS);
    }
}

/* Where a block is, as the cells see it. */
struct spot {
    _Atomic(vbt_cell *) *region; /* NULL: no block at such an address has a cell */
    uintptr_t number;            /* of the smallest cell */
    bool is_even;                /* that of the smallest cell begins there */
    uint64_t address;            /* as in the cell */
};

static struct spot spot_of(const void *block) {
    uintptr_t address = (uintptr_t)block, odd = address / 8 % 2, index = address >> VBT_SHADOW_REGION_BITS;
    bool is_good = address % 8 == 0 && index < VBT_SHADOW_PLANE;
    _Atomic(vbt_cell *) *region = is_good ? &vbt_shadow_regions[index + odd * VBT_SHADOW_PLANE] : NULL;
    return (struct spot){region, vbt_cell_number(address / 16), address / 16 % 2 == 0, vbt_cell_at(block)};
}

static vbt_cell *cells_of(struct spot spot) {
    return spot.region != NULL ? atomic_load_explicit(spot.region, memory_order_acquire) : NULL;
}

/* The region's cells, made now if there are none yet; NULL when there is no memory. */
static vbt_cell *make_cells(struct spot spot) {
    vbt_cell *there = cells_of(spot), *fresh;
    if (spot.region == NULL || there != NULL || (fresh = vbt_map(VBT_REGION_CELLS * sizeof *fresh)) == NULL)
        return there;
    if (atomic_compare_exchange_strong(spot.region, &there, fresh)) {
        note_region(fresh);
        return fresh;
    }
    vbt_unmap(fresh, VBT_REGION_CELLS * sizeof *fresh);
    return there;
}

/* The same for its table for the tiny. */
static vbt_cell *make_tiny(vbt_cell *cells) {
    vbt_cell *there = tiny_of(cells), *fresh;
    uint64_t none = 0;
    if (there != NULL || (fresh = vbt_map(VBT_TINY_CELLS * sizeof *fresh)) == NULL)
        return there;
    if (atomic_compare_exchange_strong(&cells[VBT_CELL_OF_TINY], &none, (uintptr_t)fresh))
        return fresh;
    vbt_unmap(fresh, VBT_TINY_CELLS * sizeof *fresh);
    return tiny_of(cells);
}

static vbt_cell *in_tiny(vbt_cell *tiny, uintptr_t number) { return tiny != NULL ? &tiny[number - VBT_TINY_CELLS] : NULL; }

static inline bool is_of(const vbt_cell *slot, struct spot spot) {
    uint64_t cell = atomic_load_explicit(slot, memory_order_relaxed);
    return (cell & VBT_CELL_ADDRESS) == spot.address && cell != 0;
}

/* Each realloc comes here: no loop. */
vbt_cell *vbt_shadow_find(const void *block) {
    struct spot spot = spot_of(block);
    vbt_cell *cells = cells_of(spot), *slot;
    if (cells == NULL)
        return NULL;
    if (is_of(slot = &cells[vbt_cell_above(spot.number, VBT_GRAIN_64)], spot) || is_of(slot = &cells[spot.number], spot) ||
        is_of(slot = &cells[vbt_cell_above(spot.number, VBT_GRAIN_512)], spot) ||
        is_of(slot = &cells[vbt_cell_above(spot.number, VBT_GRAIN_4096)], spot))
        return slot;
    slot = spot.is_even ? in_tiny(tiny_of(cells), spot.number) : NULL;
    return slot != NULL && is_of(slot, spot) ? slot : NULL;
}

vbt_cell *vbt_shadow_place(const void *block, size_t size) {
    struct spot spot = spot_of(block);
    vbt_cell *cells = make_cells(spot);
    if (cells == NULL)
        return NULL;
    if (size < VBT_SIZE_32 && spot.is_even)
        return in_tiny(make_tiny(cells), spot.number);
    unsigned grain = size < VBT_SIZE_64     ? VBT_GRAIN_32
                     : size < VBT_SIZE_512  ? VBT_GRAIN_64
                     : size < VBT_SIZE_4096 ? VBT_GRAIN_512
                                            : VBT_GRAIN_4096;
    return &cells[vbt_cell_above(spot.number, grain)];
}

/* NULL: the block has no region. */
static vbt_cell *size_of_huge(const void *block) {
    struct spot spot = spot_of(block);
    vbt_cell *cells = cells_of(spot);
    return cells != NULL ? &cells[vbt_cell_above(spot.number, VBT_CELL_SIZE_BITS)] : NULL;
}

void vbt_shadow_put_huge(const void *block, size_t size) {
    vbt_cell *huge = size_of_huge(block);
    if (huge != NULL)
        atomic_store_explicit(huge, size, memory_order_relaxed);
}

size_t vbt_shadow_take_huge(const void *block) {
    vbt_cell *huge = size_of_huge(block);
    return huge != NULL ? atomic_exchange_explicit(huge, 0, memory_order_relaxed) : 0;
}

/* Cells that lie together: those of a grain, in a region. */
struct cell_row {
    const vbt_cell *cells; /* NULL: none */
    unsigned bits;         /* of the grain */
    uintptr_t start, odd;  /* of the region; 8 for blocks at 8 modulo 16, else 0 */
};

/* Those of a region; `index`: in vbt_shadow_regions, of addresses at 0 modulo 16. */
enum { ROWS = 5 };

static bool rows_of(uintptr_t index, bool odd, struct cell_row rows[ROWS]) {
    uintptr_t start = index << VBT_SHADOW_REGION_BITS;
    vbt_cell *cells = atomic_load_explicit(&vbt_shadow_regions[index + odd * (uintptr_t)VBT_SHADOW_PLANE], memory_order_acquire);
    if (cells == NULL)
        return false;
    rows[0] = (struct cell_row){cells + vbt_cell_above(VBT_TINY_CELLS, VBT_GRAIN_64), VBT_GRAIN_64, start, odd * 8U};
    rows[1] = (struct cell_row){cells + vbt_cell_above(VBT_TINY_CELLS, VBT_GRAIN_32), VBT_GRAIN_32, start, odd * 8U};
    rows[2] = (struct cell_row){tiny_of(cells), VBT_GRAIN_32, start, odd * 8U};
    rows[3] = (struct cell_row){cells + vbt_cell_above(VBT_TINY_CELLS, VBT_GRAIN_512), VBT_GRAIN_512, start, odd * 8U};
    rows[4] = (struct cell_row){cells + vbt_cell_above(VBT_TINY_CELLS, VBT_GRAIN_4096), VBT_GRAIN_4096, start, odd * 8U};
    return true;
}

/* The whole pages of these cells that are for addresses in this range only. */
static void trim_row(struct cell_row row, uintptr_t start, uintptr_t end) {
    uintptr_t page = (uintptr_t)(PAGE / sizeof(vbt_cell)) << row.bits; /* the addresses of one */
    uintptr_t region_end = row.start + ((uintptr_t)1 << VBT_SHADOW_REGION_BITS);
    uintptr_t low = start > row.start ? (start + page - 1) & ~(page - 1) : row.start;
    uintptr_t high = end < region_end ? end & ~(page - 1) : region_end;
    if (row.cells != NULL && low < high)
        trim_cells(row.cells + ((low - row.start) >> row.bits), (high - low) >> row.bits);
}

void vbt_shadow_trim_range(uintptr_t start, uintptr_t end) {
    struct cell_row rows[ROWS];
    uintptr_t last = (uintptr_t)1 << VBT_SHADOW_ADDRESS_BITS;
    end = end < last ? end : last;
    if (vbt_shadow_regions == NULL || end <= start || end - start < VBT_SHADOW_TRIM)
        return;
    for (uintptr_t index = start >> VBT_SHADOW_REGION_BITS; index <= (end - 1) >> VBT_SHADOW_REGION_BITS; index++) {
        for (int odd = 0; odd < 2; odd++)
            for (int i = 0, count = rows_of(index, odd != 0, rows) ? ROWS : 0; i < count; i++)
                trim_row(rows[i], start, end);
    }
}

typedef const vbt_cell *last_cell(const vbt_cell *from, const vbt_cell *to);

static uintptr_t last_end_in_row(struct cell_row row, uintptr_t start, uintptr_t end, last_cell *last) {
    uintptr_t grain = (uintptr_t)1 << row.bits, region_end = row.start + ((uintptr_t)1 << VBT_SHADOW_REGION_BITS);
    uintptr_t low = start > row.start ? start : row.start, high = end < region_end ? end : region_end;
    if (row.cells == NULL || low >= high)
        return 0;
    const vbt_cell *from = row.cells + ((low - row.start) >> row.bits), *to = row.cells + ((high - 1 - row.start) >> row.bits) + 1;
    while ((to = last(from, to)) != NULL) {
        uint64_t cell = atomic_load_explicit(to, memory_order_relaxed);
        uintptr_t block = row.start + ((uintptr_t)(to - row.cells) << row.bits) + (cell & VBT_CELL_ADDRESS & (grain - 1)) + row.odd;
        if (cell != 0 && block < start)
            break;
        if (cell != 0 && block < end)
            return block + (cell & VBT_CELL_HUGE ? VBT_CELL_SIZES : vbt_cell_size(cell));
    }
    return 0;
}

static uintptr_t last_end_in_region(uintptr_t index, bool odd, uintptr_t start, uintptr_t end, last_cell *last) {
    struct cell_row rows[ROWS];
    uintptr_t latest = 0;
    if (!rows_of(index, odd, rows))
        return 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uintptr_t found = last_end_in_row(rows[i], start, end, last);
        latest = found > latest ? found : latest;
    }
    return latest;
}

uintptr_t vbt_shadow_last_end(uintptr_t start, uintptr_t end, last_cell *last) {
    for (uintptr_t index = ((end - 1) >> VBT_SHADOW_REGION_BITS) + 1; index-- > start >> VBT_SHADOW_REGION_BITS;) {
        uintptr_t even = index < VBT_SHADOW_PLANE ? last_end_in_region(index, false, start, end, last) : 0;
        uintptr_t odd = index < VBT_SHADOW_PLANE ? last_end_in_region(index, true, start, end, last) : 0;
        if (even + odd != 0)
            return even > odd ? even : odd;
    }
    return 0;
}
