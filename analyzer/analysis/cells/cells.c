/* See cells.h. */
#include "cells_join.h"

#include "analyzer/analysis/threads.h"
#include "analyzer/base/allocate.h"
#include "analyzer/trace/process_shares.h"

#include <stdlib.h>
#include <string.h>

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

struct building {
    struct vbt_cells *cells;
    struct vbt_trace *trace;
    struct vbt_cell_table table;
    uint32_t *call_of; /* by node */
    uint32_t *cell_of; /* by node: 1 + its cell, 0: it does not count */
};

/* Levels from a call up to one at a place; UINT32_MAX: there is none. */
static uint32_t levels_to(const struct vbt_call_tree *tree, uint32_t call, const struct vbt_source_place *place) {
    for (uint32_t levels = 0; call != 0; levels++, call = tree->calls[call].parent)
        if (vbt_call_place(tree, call) == place)
            return levels;
    return UINT32_MAX;
}

static struct vbt_cell_key key_of(struct building *b, uint32_t node) {
    const struct vbt_model *m = &b->trace->model;
    const struct vbt_call_tree *tree = &b->cells->tree;
    const struct vbt_attribution *attribution = &b->trace->attribution;
    const struct vbt_model_counters c = vbt_counters_of(m, node);
    struct vbt_cell_key key = {.call = b->call_of[node], .domain = m->nodes[node].domain};
    bool inherits = !c.without_inherited && (c.inherited_blocks > 0 || c.inherited_bytes > 0);
    key.apart = inherits;
    key.leaf = levels_to(tree, key.call, vbt_place_of_site(b->trace->places, attribution->leaf[node]));
    if (key.leaf == UINT32_MAX) /* its callers are omitted */
        key.leaf = 0;
    uint32_t user = attribution->user[node];
    key.user = user == 0 ? 0 : levels_to(tree, key.call, vbt_place_of_user(b->trace->places, user)) + 1;
    return key;
}

/* Adds a node to its cell. What is live is put into start_*, until the changes are taken off. */
static void add_node(struct building *b, uint32_t node) {
    const struct vbt_model_counters c = vbt_counters_of(&b->trace->model, node);
    uint32_t number = vbt_cell_put(&b->table, b->cells, key_of(b, node));
    struct vbt_cell *cell = &b->cells->rows[number];
    b->cell_of[node] = number + 1;
    cell->start_blocks = plus(cell->start_blocks, c.live_blocks);
    cell->start_bytes = plus(cell->start_bytes, c.live_bytes);
    cell->inherited_blocks += c.without_inherited ? 0 : c.inherited_blocks;
    cell->inherited_bytes += c.without_inherited ? 0 : c.inherited_bytes;
    cell->at_peak_bytes = plus(cell->at_peak_bytes, c.at_peak_bytes);
}

static void build_cells(struct building *b) {
    const struct vbt_model *m = &b->trace->model;
    vbt_cell_table_begin(&b->table, m->counted_nodes);
    b->cell_of = vbt_new(m->node_count + 1, sizeof *b->cell_of);
    for (uint32_t node = 1; node <= m->node_count; node++)
        if (b->trace->counts[node])
            add_node(b, node);
    vbt_cell_table_end(&b->table);
}

/* The changes in order of step; those of nodes that do not count are left out. */
static void spread_changes(struct building *b) {
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
    free(at);
}

static void build_changes(struct building *b) {
    struct vbt_cells *cells = b->cells;
    spread_changes(b);
    vbt_cells_join_changes(cells);
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
    vbt_cells_join_shares(cells);
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
