/* See shadow.h. */
#include "shadow.h"

#include "preload/base/lock.h"
#include "preload/base/memory.h"

_Atomic(vbt_cell *) *vbt_shadow_regions;
void (*vbt_watched_block_freed)(uintptr_t address);

bool vbt_shadow_init(void) {
    vbt_shadow_regions = vbt_map(2 * VBT_SHADOW_PLANE * sizeof *vbt_shadow_regions);
    return vbt_shadow_regions != NULL;
}

vbt_cell *vbt_shadow_new_region(uintptr_t index) {
    vbt_cell *fresh = vbt_map(VBT_SHADOW_CELLS * sizeof *fresh);
    vbt_cell *there = NULL;
    if (fresh == NULL || atomic_compare_exchange_strong(&vbt_shadow_regions[index], &there, fresh))
        return fresh;
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
