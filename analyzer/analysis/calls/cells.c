/* See cells.h. */
#include "cells.h"

#include "analyzer/analysis/threads.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/hash.h"
#include "analyzer/trace/process_shares.h"

#include <stdlib.h>
#include <string.h>

/* What is the same for all nodes of a cell. */
struct cell_key {
    uint32_t call, domain, leaf, user;
    uint32_t node; /* one with inherited memory; 0: any without */
};

struct known_cell {
    struct cell_key key;
    uint32_t cell;
    UT_hash_handle hh;
};

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

struct building {
    struct vbt_cells *cells;
    struct vbt_trace *trace;
    struct known_cell *known;
    struct known_cell *rows; /* of the table, each in its place */
    uint32_t *call_of;       /* by node */
    uint32_t *cell_of;       /* by node: 1 + its cell, 0: it does not count */
};

/* Levels from a call up to one at a place; UINT32_MAX: there is none. */
static uint32_t levels_to(const struct vbt_call_tree *tree, uint32_t call, const struct vbt_source_place *place) {
    for (uint32_t levels = 0; call != 0; levels++, call = tree->calls[call].parent)
        if (vbt_call_place(tree, call) == place)
            return levels;
    return UINT32_MAX;
}

static struct cell_key key_of(struct building *b, uint32_t node) {
    const struct vbt_model *m = &b->trace->model;
    const struct vbt_call_tree *tree = &b->cells->tree;
    const struct vbt_attribution *attribution = &b->trace->attribution;
    const struct vbt_model_counters c = vbt_counters_of(m, node);
    struct cell_key key = {.call = b->call_of[node], .domain = m->nodes[node].domain};
    bool inherits = !c.without_inherited && (c.inherited_blocks > 0 || c.inherited_bytes > 0);
    key.node = inherits ? node : 0;
    key.leaf = levels_to(tree, key.call, vbt_place_of_site(b->trace->places, attribution->leaf[node]));
    if (key.leaf == UINT32_MAX) /* its callers are omitted */
        key.leaf = 0;
    uint32_t user = attribution->user[node];
    key.user = user == 0 ? 0 : levels_to(tree, key.call, vbt_place_of_user(b->trace->places, user)) + 1;
    return key;
}

/* The cell of a key, created if it does not exist. */
static struct vbt_cell *cell_of(struct building *b, struct cell_key key, uint32_t *number) {
    struct vbt_cells *cells = b->cells;
    struct known_cell *found;
    HASH_FIND(hh, b->known, &key, sizeof key, found);
    if (found == NULL) {
        found = &b->rows[cells->count];
        found->key = key;
        found->cell = (uint32_t)cells->count;
        HASH_ADD(hh, b->known, key, sizeof key, found);
        cells->rows = vbt_grow(cells->rows, &cells->capacity, cells->count + 1, sizeof *cells->rows);
        cells->rows[cells->count++] = (struct vbt_cell){.call = key.call, .domain = key.domain, .leaf = key.leaf, .user = key.user};
    }
    *number = found->cell;
    return &cells->rows[found->cell];
}

/* Adds a node to its cell. What is live is put into start_*, until the changes are taken off. */
static void add_node(struct building *b, uint32_t node) {
    const struct vbt_model_counters c = vbt_counters_of(&b->trace->model, node);
    const struct cell_key key = key_of(b, node);
    uint32_t number;
    struct vbt_cell *cell = cell_of(b, key, &number);
    b->cell_of[node] = number + 1;
    cell->start_blocks = plus(cell->start_blocks, c.live_blocks);
    cell->start_bytes = plus(cell->start_bytes, c.live_bytes);
    cell->inherited_blocks += c.without_inherited ? 0 : c.inherited_blocks;
    cell->inherited_bytes += c.without_inherited ? 0 : c.inherited_bytes;
    cell->at_peak_bytes = plus(cell->at_peak_bytes, c.at_peak_bytes);
}

static void build_cells(struct building *b) {
    const struct vbt_model *m = &b->trace->model;
    b->rows = vbt_new(m->counted_nodes + 1, sizeof *b->rows);
    b->cell_of = vbt_new(m->node_count + 1, sizeof *b->cell_of);
    for (uint32_t node = 1; node <= m->node_count; node++)
        if (b->trace->counts[node])
            add_node(b, node);
    HASH_CLEAR(hh, b->known);
    free(b->rows);
}

static void add_change(struct vbt_change *to, const struct vbt_change *more) {
    to->allocs += more->allocs;
    to->frees += more->frees;
    to->allocated += more->allocated;
    to->freed += more->freed;
    to->temporary += more->temporary;
    to->kept_blocks += more->kept_blocks;
    to->kept_bytes += more->kept_bytes;
}

/* Orders changes of one step. */
static int by_cell(const void *left, const void *right) {
    const struct vbt_change *a = left, *b = right;
    return a->node < b->node ? -1 : a->node > b->node;
}

/* The changes in order of step; those of nodes that do not count are left out. Returns where each
 * step begins, for the caller to free. */
static size_t *spread_changes(struct building *b) {
    const struct vbt_changes *from = b->trace->model.changes;
    struct vbt_cells *cells = b->cells;
    bool merged = vbt_model_is_merged(&b->trace->model);
    size_t *at = vbt_new(from->steps->count + 1, sizeof *at);
    for (size_t i = 0; i < from->count; i++)
        at[from->rows[i].step + 1] += b->cell_of[from->rows[i].node] != 0;
    for (size_t step = 1; step <= from->steps->count; step++)
        at[step] += at[step - 1];
    cells->change_count = at[from->steps->count];
    cells->changes = vbt_new(cells->change_count, sizeof *cells->changes);
    for (size_t i = 0; i < from->count; i++) {
        const struct vbt_change *change = &from->rows[i];
        if (b->cell_of[change->node] == 0)
            continue;
        struct vbt_change *row = &cells->changes[at[change->step]++];
        *row = *change;
        row->node = b->cell_of[change->node] - 1;
        if (!merged)
            row->kept_blocks = row->kept_bytes = 0;
    }
    memmove(at + 1, at, from->steps->count * sizeof *at);
    at[0] = 0;
    return at;
}

/* Makes the changes of a cell in a step one. */
static void join_changes(struct vbt_cells *cells, const size_t *at, size_t steps) {
    size_t kept = 0;
    for (size_t step = 1; step < steps; step++) {
        size_t first = kept, count = at[step + 1] - at[step];
        if (count > 1)
            qsort(cells->changes + at[step], count, sizeof *cells->changes, by_cell);
        for (size_t i = at[step]; i < at[step + 1]; i++) {
            const struct vbt_change change = cells->changes[i];
            if (kept > first && cells->changes[kept - 1].node == change.node)
                add_change(&cells->changes[kept - 1], &change);
            else
                cells->changes[kept++] = change;
        }
    }
    cells->change_count = kept;
}

static void build_changes(struct building *b) {
    struct vbt_cells *cells = b->cells;
    size_t *at = spread_changes(b);
    join_changes(cells, at, b->trace->model.changes->steps->count);
    free(at);
    for (size_t i = 0; i < cells->change_count; i++) {
        const struct vbt_change *c = &cells->changes[i];
        struct vbt_cell *cell = &cells->rows[c->node];
        cell->start_blocks = plus(cell->start_blocks, (int64_t)(c->frees - c->allocs - c->kept_blocks));
        cell->start_bytes = plus(cell->start_bytes, (int64_t)(c->freed - c->allocated - c->kept_bytes));
    }
}

/* The shares of a node, from whichever table they are in. */
struct shares {
    struct vbt_thread_share *of_threads;
    struct vbt_process_share *of_processes;
};

static size_t get_shares(const struct vbt_model *m, uint32_t node, struct shares *shares) {
    return vbt_model_is_merged(m) ? vbt_process_shares(m, node, shares->of_processes)
                                  : vbt_thread_shares(m, node, shares->of_threads);
}

static const struct vbt_model_counters *share_at(const struct vbt_model *m, const struct shares *shares, size_t i,
                                                 uint32_t *whose) {
    *whose = vbt_model_is_merged(m) ? shares->of_processes[i].process : shares->of_threads[i].thread;
    return vbt_model_is_merged(m) ? &shares->of_processes[i].counts : &shares->of_threads[i].counts;
}

static bool is_empty(const struct vbt_model_counters *c) {
    return c->allocs == 0 && c->allocated == 0 && c->temporary == 0 && c->live_blocks == 0 && c->live_bytes == 0 &&
           c->at_peak_bytes == 0 && vbt_model_frees(c) == 0 && vbt_model_freed(c) == 0;
}

#define SEVERAL UINT32_MAX

/* Finds the owner of each cell. */
static void find_owners(struct building *b, struct shares *shares) {
    const struct vbt_model *m = &b->trace->model;
    for (uint32_t node = 1; node <= m->node_count; node++) {
        if (b->cell_of[node] == 0)
            continue;
        uint32_t *owner = &b->cells->rows[b->cell_of[node] - 1].owner, whose;
        for (size_t i = 0, count = get_shares(m, node, shares); i < count; i++) {
            if (is_empty(share_at(m, shares, i, &whose)))
                continue;
            *owner = *owner == 0 || *owner == whose + 1 ? whose + 1 : SEVERAL;
        }
    }
}

static void add_shares(struct building *b, uint32_t node, struct shares *shares) {
    struct vbt_cells *cells = b->cells;
    const struct vbt_model *m = &b->trace->model;
    for (size_t i = 0, count = get_shares(m, node, shares); i < count; i++) {
        uint32_t whose;
        const struct vbt_model_counters *c = share_at(m, shares, i, &whose);
        if (is_empty(c))
            continue;
        cells->shares = vbt_grow(cells->shares, &cells->share_capacity, cells->share_count + 1, sizeof *cells->shares);
        cells->shares[cells->share_count++] = (struct vbt_cell_share){.cell = b->cell_of[node] - 1,
                                                                      .whose = whose,
                                                                      .allocs = c->allocs,
                                                                      .frees = vbt_model_frees(c),
                                                                      .allocated = c->allocated,
                                                                      .freed = vbt_model_freed(c),
                                                                      .temporary = c->temporary,
                                                                      .live_blocks = c->live_blocks,
                                                                      .live_bytes = c->live_bytes,
                                                                      .at_peak_bytes = c->at_peak_bytes};
    }
}

static int by_cell_and_whose(const void *left, const void *right) {
    const struct vbt_cell_share *a = left, *b = right;
    if (a->cell != b->cell)
        return a->cell < b->cell ? -1 : 1;
    return a->whose < b->whose ? -1 : a->whose > b->whose;
}

static void join_shares(struct vbt_cells *cells) {
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

static void build_shares(struct building *b) {
    const struct vbt_model *m = &b->trace->model;
    struct vbt_cells *cells = b->cells;
    cells->owned = vbt_model_is_merged(m) ? m->process_part_count > 0 : m->thread_count > 1;
    if (!cells->owned)
        return;
    struct shares shares = {vbt_new(vbt_thread_shares_most(m), sizeof *shares.of_threads),
                            vbt_new(m->process_rows + 1, sizeof *shares.of_processes)};
    find_owners(b, &shares);
    for (uint32_t node = 1; node <= m->node_count; node++)
        if (b->cell_of[node] != 0 && cells->rows[b->cell_of[node] - 1].owner == SEVERAL)
            add_shares(b, node, &shares);
    free(shares.of_threads);
    free(shares.of_processes);
    join_shares(cells);
    for (size_t i = 0; i < cells->count; i++)
        if (cells->rows[i].owner == SEVERAL)
            cells->rows[i].owner = 0;
}

void vbt_cells_build(struct vbt_cells *cells, struct vbt_trace *trace) {
    struct building b = {.cells = cells, .trace = trace};
    *cells = (struct vbt_cells){0};
    b.call_of = vbt_call_tree_build_bare(&cells->tree, trace);
    build_cells(&b);
    build_changes(&b);
    build_shares(&b);
    free(b.call_of);
    free(b.cell_of);
}

void vbt_cells_free(struct vbt_cells *cells) {
    vbt_call_tree_free(&cells->tree);
    free(cells->rows);
    free(cells->changes);
    free(cells->shares);
    *cells = (struct vbt_cells){0};
}
