/* See shadow.h. */
#include "shadow.h"

#include "preload/base/lock.h"
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

static void trim_region(vbt_cell *cells) {
    enum { PAGES = VBT_SHADOW_CELLS * sizeof(vbt_cell) / PAGE };
    static unsigned char resident[PAGES];
    char *start = (char *)cells;
    if (vbt_sys(SYS_mincore, start, (size_t)PAGES * PAGE, resident) != 0)
        return;
    for (size_t i = 0, first = 0; i <= PAGES; i++) { /* first: of the empty pages before this one */
        if (i < PAGES && (resident[i] & 1) != 0 && is_empty((vbt_cell *)(start + i * PAGE)))
            continue;
        if (i > first)
            vbt_drop(start + first * PAGE, (i - first) * PAGE);
        first = i + 1;
    }
}

void vbt_shadow_trim(void) {
    for (uint32_t i = 0; i < atomic_load(&known.count) && i < REGIONS_KNOWN; i++) {
        vbt_cell *cells = atomic_load(&known.cells[i]);
        if (cells != NULL)
            trim_region(cells);
    }
}

vbt_cell *vbt_shadow_new_region(uintptr_t index) {
    vbt_cell *fresh = vbt_map(VBT_SHADOW_CELLS * sizeof *fresh);
    vbt_cell *there = NULL;
    if (fresh == NULL)
        return NULL;
    if (atomic_compare_exchange_strong(&vbt_shadow_regions[index], &there, fresh)) {
        note_region(fresh);
        return fresh;
    }
    vbt_unmap(fresh, VBT_SHADOW_CELLS * sizeof *fresh);
    return there;
}

/* A machine has room for few blocks of this size. */
enum { HUGE_BLOCKS = 1024 };

static struct {
    struct vbt_lock lock;
    const void *block[HUGE_BLOCKS];
    size_t size[HUGE_BLOCKS];
} huge;

bool vbt_shadow_put_huge(const void *block, size_t size) {
    int slot = -1;
    vbt_lock(&huge.lock);
    for (int i = HUGE_BLOCKS - 1; i >= 0; i--)
        if (huge.block[i] == block /* whose end was not seen */ ||
            (huge.block[i] == NULL && (slot < 0 || huge.block[slot] != block)))
            slot = i;
    if (slot >= 0) {
        huge.block[slot] = block;
        huge.size[slot] = size;
    }
    vbt_unlock(&huge.lock);
    return slot >= 0;
}

size_t vbt_shadow_take_huge(const void *block) {
    size_t size = 0;
    vbt_lock(&huge.lock);
    for (int i = 0; i < HUGE_BLOCKS && size == 0; i++) {
        if (huge.block[i] == block) {
            size = huge.size[i];
            huge.block[i] = NULL;
        }
    }
    vbt_unlock(&huge.lock);
    return size;
}
