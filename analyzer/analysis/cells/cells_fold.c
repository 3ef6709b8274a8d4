/* See cells_fold.h. */
#include "cells_fold.h"

#include "cells_join.h"
#include "analyzer/analysis/calls/call_children.h"
#include "analyzer/base/allocate.h"
#include "analyzer/trace/model.h"

#include <stdlib.h>
#include <string.h>

/* What calls are ranked by. */
enum { BYTES, ALLOCS, AT_PEAK, LIVE, MAPPED, RANKED };

enum { WORTH_IT = 8 }; /* calls below one that are folded together, at least */

struct folding {
    struct vbt_cells *from, *to;
    double (*sums)[RANKED]; /* by call, with all that it called */
    uint32_t *number_of;    /* by call: in the new tree; 0: it is not kept (that of the root is 0, too) */
    uint32_t smaller;       /* the place of VBT_SMALLER_CALLS */
    struct vbt_call_children children;
    uint32_t *cell_of; /* by cell: in the new tree */
};

static double positive(int64_t value) { return value > 0 ? (double)value : 0; }

static void sum_up(struct folding *f) {
    const struct vbt_cells *cells = f->from;
    f->sums = vbt_new(cells->tree.count, sizeof *f->sums);
    for (size_t i = 0; i < cells->change_count; i++) {
        const struct vbt_change *change = &cells->changes[i];
        const struct vbt_cell *cell = &cells->rows[change->node];
        double *sums = f->sums[cell->call];
        sums[cell->domain == VBT_DOMAIN_MAP ? MAPPED : BYTES] += (double)change->allocated;
        sums[ALLOCS] += (double)change->allocs;
        sums[LIVE] += positive((int64_t)(change->allocated - change->freed));
    }
    for (size_t i = 0; i < cells->count; i++) {
        f->sums[cells->rows[i].call][AT_PEAK] += positive(cells->rows[i].at_peak_bytes);
        f->sums[cells->rows[i].call][LIVE] += positive(cells->rows[i].start_bytes);
    }
    for (size_t call = cells->tree.count; call-- > 1;)
        for (int k = 0; k < RANKED; k++)
            f->sums[cells->tree.calls[call].parent][k] += f->sums[call][k];
}

/* The largest share that a call has of anything. */
static double rank_of(const struct folding *f, size_t call) {
    double rank = 0;
    for (int k = 0; k < RANKED; k++) {
        double share = f->sums[0][k] > 0 ? f->sums[call][k] / f->sums[0][k] : 0;
        rank = share > rank ? share : rank;
    }
    return rank;
}

static int largest_first(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return a > b ? -1 : a < b;
}

/* The rank of the calls below which nothing is told apart. */
static double find_least(const struct folding *f, size_t most) {
    size_t count = f->from->tree.count;
    double *ranks = vbt_new(count, sizeof *ranks);
    for (size_t call = 0; call < count; call++)
        ranks[call] = rank_of(f, call);
    qsort(ranks, count, sizeof *ranks, largest_first);
    double least = most < count ? ranks[most] : -1;
    free(ranks);
    return least;
}

static uint32_t put_call(struct folding *f, struct vbt_call call) {
    return vbt_call_children_put(&f->children, &f->to->tree, call);
}

/* The place of VBT_SMALLER_CALLS in a tree that was folded; 0: it was not. */
static uint32_t smaller_of(const struct vbt_call_tree *tree) {
    for (uint32_t i = 1; i < tree->place_count && tree->named_count > 0; i++)
        if (tree->places[i] == tree->named[0])
            return i;
    return 0;
}

static void add_smaller(struct vbt_call_tree *tree) {
    struct vbt_source_place *place = vbt_new(1, sizeof *place);
    char *name = vbt_text("%s", VBT_SMALLER_CALLS);
    *place = (struct vbt_source_place){.kind = VBT_PLACE_SPECIAL, .index = UINT32_MAX, .file = name, .function = name};
    tree->named = vbt_grow(tree->named, &tree->named_capacity, 1, sizeof(void *));
    tree->named[tree->named_count++] = place;
    tree->places = vbt_grow(tree->places, &tree->place_capacity, tree->place_count + 1, sizeof(void *));
    tree->places[tree->place_count++] = place;
}

/* The root of the new tree; the places move to it. */
static void begin_tree(struct folding *f) {
    struct vbt_call_tree *from = &f->from->tree, *to = &f->to->tree;
    if (smaller_of(from) == 0)
        add_smaller(from);
    f->smaller = smaller_of(from);
    to->places = vbt_grow(NULL, &to->place_capacity, from->place_count, sizeof(void *));
    memcpy(to->places, from->places, from->place_count * sizeof(void *));
    to->place_count = from->place_count;
    to->named = from->named;
    to->named_count = from->named_count;
    to->named_capacity = from->named_capacity;
    from->named = NULL;
    from->named_count = 0;
    to->calls = vbt_grow(NULL, &to->capacity, 1, sizeof *to->calls);
    to->calls[to->count++] = (struct vbt_call){0};
}

/* Is what a call called not told apart? It is kept itself: a call that is folded into its caller
 * still needs a place for its line, so that only whole parts of the tree are worth it. */
static bool is_end(const struct folding *f, uint32_t call, uint32_t below, double least) {
    return call != 0 && below >= WORTH_IT && rank_of(f, call) <= least;
}

static void keep_calls(struct folding *f, double least) {
    const struct vbt_call_tree *from = &f->from->tree;
    uint32_t *below = vbt_new(from->count, sizeof *below); /* calls below a call */
    for (size_t call = from->count; call-- > 1;)
        below[from->calls[call].parent] += below[call] + 1;
    f->number_of = vbt_new(from->count, sizeof *f->number_of);
    for (uint32_t call = 1; call < from->count; call++) {
        uint32_t parent = from->calls[call].parent;
        if ((parent != 0 && f->number_of[parent] == 0) || is_end(f, parent, below[parent], least))
            continue;
        struct vbt_call copy = from->calls[call];
        copy.parent = f->number_of[parent];
        f->number_of[call] = put_call(f, copy);
    }
    free(below);
}

static uint32_t up(const struct vbt_call_tree *tree, uint32_t call, uint32_t levels) {
    for (; levels > 0; levels--)
        call = tree->calls[call].parent;
    return call;
}

/* A call of the old tree below one of the new. */
static uint32_t put_below(struct folding *f, uint32_t parent, uint32_t call) {
    struct vbt_call copy = {.parent = parent, .place = f->from->tree.calls[call].place};
    return put_call(f, copy);
}

static bool is_kept(const struct folding *f, uint32_t call) { return call == 0 || f->number_of[call] != 0; }

/* Where what was counted at a call that is not kept is counted from now on. */
static struct vbt_cell_key key_of_folded(struct folding *f, const struct vbt_cell *cell) {
    const struct vbt_call_tree *from = &f->from->tree;
    uint32_t kept = cell->call, above = 0; /* above: levels from the cell's call to the nearest that is kept */
    for (; !is_kept(f, kept); above++)
        kept = from->calls[kept].parent;
    bool folded = kept != 0 && from->calls[kept].place == f->smaller; /* before */
    uint32_t at = folded ? f->number_of[kept] : put_call(f, (struct vbt_call){.parent = f->number_of[kept], .place = f->smaller});
    uint32_t depth = !folded, user_depth = 0; /* levels of `at`, and of the user line, below what is kept */
    bool has_user = cell->user > 0, user_folded = has_user && cell->user - 1 < above, leaf_folded = cell->leaf < above;
    if (user_folded) {
        at = put_below(f, at, up(from, cell->call, cell->user - 1));
        user_depth = ++depth;
    }
    if (leaf_folded && !(user_folded && cell->user - 1 == cell->leaf)) {
        at = put_below(f, at, up(from, cell->call, cell->leaf));
        depth++;
    }
    struct vbt_cell_key key = {.call = at, .domain = cell->domain};
    key.leaf = leaf_folded ? 0 : depth + (cell->leaf - above);
    if (has_user)
        key.user = 1 + (user_folded ? depth - user_depth : depth + (cell->user - 1 - above));
    return key;
}

/* Adds a cell to that of the new tree. Returns its number. */
static uint32_t add_cell(struct folding *f, struct vbt_cell_table *table, uint32_t number) {
    const struct vbt_cell *cell = &f->from->rows[number];
    bool kept = is_kept(f, cell->call);
    struct vbt_cell_key key =
        kept ? (struct vbt_cell_key){f->number_of[cell->call], cell->domain, cell->leaf, cell->user, true} : key_of_folded(f, cell);
    key.apart = kept || cell->inherited_blocks > 0 || cell->inherited_bytes > 0;
    uint32_t to = vbt_cell_put(table, f->to, key);
    struct vbt_cell *sum = &f->to->rows[to];
    sum->start_blocks = (int64_t)((uint64_t)sum->start_blocks + (uint64_t)cell->start_blocks);
    sum->start_bytes = (int64_t)((uint64_t)sum->start_bytes + (uint64_t)cell->start_bytes);
    sum->at_peak_bytes = (int64_t)((uint64_t)sum->at_peak_bytes + (uint64_t)cell->at_peak_bytes);
    sum->inherited_blocks += cell->inherited_blocks;
    sum->inherited_bytes += cell->inherited_bytes;
    return to;
}

static void add_cells(struct folding *f) {
    struct vbt_cell_table table;
    vbt_cell_table_begin(&table, f->from->count);
    f->cell_of = vbt_new(f->from->count, sizeof *f->cell_of);
    for (uint32_t i = 0; i < f->from->count; i++)
        f->cell_of[i] = add_cell(f, &table, i);
    vbt_cell_table_end(&table);
}

/* What was counted of each cell in all, as a share; for the caller to free. */
static struct vbt_cell_share *total_shares(const struct vbt_cells *cells) {
    struct vbt_cell_share *totals = vbt_new(cells->count, sizeof *totals);
    for (uint32_t i = 0; i < cells->count; i++)
        totals[i] = (struct vbt_cell_share){.live_blocks = cells->rows[i].start_blocks,
                                            .live_bytes = cells->rows[i].start_bytes,
                                            .at_peak_bytes = cells->rows[i].at_peak_bytes};
    for (size_t i = 0; i < cells->change_count; i++) {
        const struct vbt_change *c = &cells->changes[i];
        struct vbt_cell_share *total = &totals[c->node];
        total->allocs += c->allocs;
        total->frees += c->frees;
        total->allocated += c->allocated;
        total->freed += c->freed;
        total->temporary += c->temporary;
        total->live_blocks = (int64_t)((uint64_t)total->live_blocks + c->allocs - c->frees + c->kept_blocks);
        total->live_bytes = (int64_t)((uint64_t)total->live_bytes + c->allocated - c->freed + c->kept_bytes);
    }
    return totals;
}

#define SEVERAL UINT32_MAX

/* A cell of the new tree has an owner if all that it was made of have the same. */
static void find_owners(struct folding *f) {
    for (size_t i = 0; i < f->from->count; i++) {
        uint32_t owner = f->from->rows[i].owner, *to = &f->to->rows[f->cell_of[i]].owner;
        *to = owner == 0 || (*to != 0 && *to != owner) ? SEVERAL : owner;
    }
}

/* The shares of cells that have no owner any more. */
static void add_shares(struct folding *f, const struct vbt_cell_share *totals) {
    struct vbt_cells *from = f->from, *to = f->to;
    to->shares = vbt_grow(NULL, &to->share_capacity, from->share_count + from->count, sizeof *to->shares);
    for (size_t i = 0; i < from->share_count; i++) {
        to->shares[to->share_count] = from->shares[i];
        to->shares[to->share_count++].cell = f->cell_of[from->shares[i].cell];
    }
    for (uint32_t i = 0; i < from->count; i++) {
        if (from->rows[i].owner == 0 || to->rows[f->cell_of[i]].owner != SEVERAL)
            continue;
        to->shares[to->share_count] = totals[i];
        to->shares[to->share_count].cell = f->cell_of[i];
        to->shares[to->share_count++].whose = from->rows[i].owner - 1;
    }
    vbt_cells_join_shares(to);
    for (size_t i = 0; i < to->count; i++)
        to->rows[i].owner = to->rows[i].owner == SEVERAL ? 0 : to->rows[i].owner;
}

/* The changes move to the new cells. */
static void move_changes(struct folding *f) {
    struct vbt_cells *from = f->from, *to = f->to;
    for (size_t i = 0; i < from->change_count; i++) {
        struct vbt_change *change = &from->changes[i];
        change->node = f->cell_of[change->node];
    }
    to->changes = from->changes;
    to->change_count = from->change_count;
    from->changes = NULL;
    vbt_cells_join_changes(to);
}

void vbt_cells_fold(struct vbt_cells *cells, size_t most) {
    struct vbt_cells to = {.owned = cells->owned};
    struct folding f = {.from = cells, .to = &to};
    sum_up(&f);
    begin_tree(&f);
    vbt_call_children_begin(&f.children, &to.tree, most);
    keep_calls(&f, find_least(&f, most));
    add_cells(&f);
    if (cells->owned) {
        struct vbt_cell_share *totals = total_shares(cells);
        find_owners(&f);
        add_shares(&f, totals);
        free(totals);
    }
    move_changes(&f);
    vbt_call_children_free(&f.children);
    free(f.sums);
    free(f.number_of);
    free(f.cell_of);
    vbt_cells_free(cells);
    *cells = to;
}

struct vbt_folded vbt_cells_folded(const struct vbt_cells *cells, size_t before) {
    const struct vbt_call_tree *tree = &cells->tree;
    uint32_t smaller = smaller_of(tree);
    struct vbt_folded folded = {0};
    if (smaller == 0)
        return folded;
    bool *is_folded = vbt_new(tree->count, sizeof *is_folded);
    folded.calls = before;
    for (uint32_t call = 0; call < tree->count; call++) {
        is_folded[call] = call > 0 && (tree->calls[call].place == smaller || is_folded[tree->calls[call].parent]);
        folded.calls -= !is_folded[call];
    }
    for (size_t i = 0; i < cells->change_count; i++) {
        const struct vbt_change *change = &cells->changes[i];
        const struct vbt_cell *cell = &cells->rows[change->node];
        if (is_folded[cell->call] && cell->domain != VBT_DOMAIN_MAP) {
            folded.bytes += change->allocated;
            folded.allocs += change->allocs;
        }
    }
    free(is_folded);
    return folded;
}
