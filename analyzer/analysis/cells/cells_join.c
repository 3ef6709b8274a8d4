/* See cells_join.h. */
#include "cells_join.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/hash.h"

#include <stdlib.h>

struct vbt_known_cell {
    struct vbt_cell_key key;
    uint32_t cell;
    UT_hash_handle hh;
};

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

void vbt_cell_table_begin(struct vbt_cell_table *table, size_t most) {
    *table = (struct vbt_cell_table){.rows = vbt_new(most + 1, sizeof *table->rows)};
}

void vbt_cell_table_end(struct vbt_cell_table *table) {
    HASH_CLEAR(hh, table->known);
    free(table->rows);
}

uint32_t vbt_cell_put(struct vbt_cell_table *table, struct vbt_cells *cells, struct vbt_cell_key key) {
    struct vbt_known_cell *found = NULL;
    if (!key.apart)
        HASH_FIND(hh, table->known, &key, sizeof key, found);
    if (found != NULL)
        return found->cell;
    found = &table->rows[cells->count];
    found->key = key;
    found->cell = (uint32_t)cells->count;
    if (!key.apart)
        HASH_ADD(hh, table->known, key, sizeof key, found);
    cells->rows = vbt_grow(cells->rows, &cells->capacity, cells->count + 1, sizeof *cells->rows);
    cells->rows[cells->count++] = (struct vbt_cell){.call = key.call, .domain = key.domain, .leaf = key.leaf, .user = key.user};
    return found->cell;
}

/* Orders changes of one step. */
static int by_cell(const void *left, const void *right) {
    const struct vbt_change *a = left, *b = right;
    return a->node < b->node ? -1 : a->node > b->node;
}

void vbt_cells_join_changes(struct vbt_cells *cells) {
    size_t kept = 0;
    for (size_t begin = 0, end; begin < cells->change_count; begin = end) {
        size_t first = kept;
        for (end = begin; end < cells->change_count && cells->changes[end].step == cells->changes[begin].step;)
            end++;
        qsort(cells->changes + begin, end - begin, sizeof *cells->changes, by_cell);
        for (size_t i = begin; i < end; i++) {
            const struct vbt_change change = cells->changes[i];
            if (kept > first && cells->changes[kept - 1].node == change.node)
                vbt_change_add(&cells->changes[kept - 1], &change);
            else
                cells->changes[kept++] = change;
        }
    }
    cells->change_count = kept;
}

static int by_cell_and_whose(const void *left, const void *right) {
    const struct vbt_cell_share *a = left, *b = right;
    if (a->cell != b->cell)
        return a->cell < b->cell ? -1 : 1;
    return a->whose < b->whose ? -1 : a->whose > b->whose;
}

void vbt_cells_join_shares(struct vbt_cells *cells) {
    size_t kept = 0;
    if (cells->share_count > 0)
        qsort(cells->shares, cells->share_count, sizeof *cells->shares, by_cell_and_whose);
    for (size_t i = 0; i < cells->share_count; i++) {
        const struct vbt_cell_share share = cells->shares[i];
        if (kept == 0 || by_cell_and_whose(&cells->shares[kept - 1], &share) != 0) {
            cells->shares[kept++] = share;
            continue;
        }
        struct vbt_cell_share *to = &cells->shares[kept - 1];
        to->allocs += share.allocs;
        to->frees += share.frees;
        to->allocated += share.allocated;
        to->freed += share.freed;
        to->temporary += share.temporary;
        to->live_blocks = plus(to->live_blocks, share.live_blocks);
        to->live_bytes = plus(to->live_bytes, share.live_bytes);
        to->at_peak_bytes = plus(to->at_peak_bytes, share.at_peak_bytes);
    }
    cells->share_count = kept;
}
