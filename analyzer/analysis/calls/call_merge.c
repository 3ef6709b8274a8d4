/* Makes a call tree (call_tree.h) of the nodes of a trace. */
#include "call_children.h"

#include "analyzer/analysis/threads.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/hash.h"
#include "analyzer/base/message.h"
#include "analyzer/base/units.h"
#include "analyzer/merge/process_list.h"
#include "analyzer/symbols/module_name.h"
#include "analyzer/trace/process_shares.h"

#include <stdlib.h>
#include <string.h>

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

/* Places that are not call sites, one for each name. */
struct place_names {
    struct vbt_call_tree *tree;
    struct named_place {
        const struct vbt_source_place *place;
        UT_hash_handle hh;
    } * table;
    const struct vbt_source_place **module; /* by index of a place */
    size_t module_count, module_capacity;
};

/* The place of a name. Takes ownership of the name. */
static const struct vbt_source_place *named_place(struct place_names *names, char *text) {
    struct named_place *found;
    size_t length = strlen(text);
    HASH_FIND(hh, names->table, text, length, found);
    if (found != NULL) {
        free(text);
        return found->place;
    }
    struct vbt_call_tree *tree = names->tree;
    struct vbt_source_place *place = vbt_new(1, sizeof *place);
    *place =
        (struct vbt_source_place){.kind = VBT_PLACE_SPECIAL, .index = (uint32_t)tree->named_count, .file = text, .function = text};
    tree->named = vbt_grow(tree->named, &tree->named_capacity, tree->named_count + 1, sizeof(void *));
    tree->named[tree->named_count++] = place;
    found = vbt_new(1, sizeof *found);
    found->place = place;
    HASH_ADD_KEYPTR(hh, names->table, text, length, found);
    return place;
}

/* The module of a place, as a place. */
static const struct vbt_source_place *module_place(struct place_names *names, const struct vbt_source_place *place) {
    names->module = vbt_grow(names->module, &names->module_capacity, (size_t)place->index + 1, sizeof(void *));
    while (names->module_count <= place->index)
        names->module[names->module_count++] = NULL;
    const struct vbt_source_place **found = &names->module[place->index];
    if (*found == NULL)
        *found = named_place(names, vbt_module_name(place));
    return *found;
}

static void free_names(struct place_names *names) {
    struct named_place *name, *next;
    HASH_ITER(hh, names->table, name, next) {
        HASH_DEL(names->table, name);
        free(name);
    }
    free(names->module);
}

/* The numbers of places in tree->places; 0: it has none yet. */
struct place_numbers {
    uint32_t *rows; /* by the index of a place */
    size_t count, capacity;
};

/* What one thread or process counted at a node. */
struct counted_share {
    uint32_t whose; /* thread, or index of the process */
    struct vbt_model_counters counts;
};

/* If there is one group, a node that has a call needs no site and no parent any more: this is its
 * site, and the call its parent. */
#define MERGED UINT32_MAX

struct merging {
    struct vbt_call_tree *tree;
    struct vbt_trace *trace;
    const struct vbt_call_tree_shape *shape;
    struct place_names names;
    struct place_numbers of_sites, of_names;
    struct vbt_call_children children;
    uint32_t *call_of; /* by node: its call + 1, 0 if it has none yet; NULL: there is one group */
    uint32_t *part_of; /* by node: the group that call_of is of */
    uint32_t part;     /* groups are merged one after another */
    uint32_t *path;    /* nodes still to be merged */
    size_t path_capacity;
    uint32_t *calls; /* by node: the call that it was counted at; NULL: nobody asks */
    size_t most;     /* limit on calls, see most_calls */
    struct counted_share *shares;
    struct vbt_thread_share *thread_shares;
    struct vbt_process_share *process_shares;
};

static uint32_t number_of(struct merging *g, const struct vbt_source_place *place, bool named) {
    struct place_numbers *numbers = named ? &g->of_names : &g->of_sites;
    if (place->index >= numbers->count) {
        numbers->rows = vbt_grow(numbers->rows, &numbers->capacity, (size_t)place->index + 1, sizeof *numbers->rows);
        while (numbers->count <= place->index)
            numbers->rows[numbers->count++] = 0;
    }
    uint32_t *number = &numbers->rows[place->index];
    if (*number == 0) {
        struct vbt_call_tree *tree = g->tree;
        tree->places = vbt_grow(tree->places, &tree->place_capacity, tree->place_count + 1, sizeof(void *));
        *number = (uint32_t)tree->place_count;
        tree->places[tree->place_count++] = place;
    }
    return *number;
}

/* The child of a call at a place, created if it does not exist. */
static uint32_t child_of(struct merging *g, uint32_t parent, uint32_t place, bool inlined, bool group) {
    const struct vbt_call call = {.parent = parent, .place = place, .inlined = inlined, .group = group};
    return vbt_call_children_put(&g->children, g->tree, call);
}

/* The most calls in a tree made of `count` nodes. Groups and inlined functions repeat callers; deep
 * stacks would repeat them without bound. Beyond this limit callers are omitted, never counts. */
static size_t most_calls(size_t count) { return 4 * count + (1 << 20); }

/* The name of a process's group, for the caller to free. */
static char *process_group(const struct vbt_model *m, enum vbt_group by, uint32_t process) {
    if (vbt_model_is_merged(m) && process >= m->process_rows)
        return vbt_text("[unknown %s]", vbt_group_nouns[by]);
    const struct vbt_model *row = vbt_model_is_merged(m) ? &m->processes[process] : m;
    if (by == VBT_BY_PROCESS)
        return vbt_process_label(row);
    if (by == VBT_BY_PROGRAM)
        return vbt_process_program(row);
    const char *value = vbt_model_process(row, vbt_group_nouns[by]);
    return value != NULL ? vbt_text("%s%s", by == VBT_BY_RANK ? "rank " : "", value) : vbt_text("[no %s]", vbt_group_nouns[by]);
}

/* The group of a node's counts, or NULL. whose: the thread or process whose share it is. */
static const struct vbt_source_place *group_of(struct merging *g, uint32_t node, uint32_t whose) {
    static const char *const domains[VBT_DOMAINS] = {"[heap]", "[python]", "[map]"};
    const struct vbt_model *m = &g->trace->model;
    size_t count;
    switch (g->shape->by) {
    case VBT_BY_DOMAIN:
        return named_place(&g->names, vbt_copy(domains[m->nodes[node].domain], strlen(domains[m->nodes[node].domain])));
    case VBT_BY_MODULE:
        return module_place(&g->names, vbt_frames_of_site(g->trace->places, m->nodes[node].site, &count)->place);
    case VBT_BY_THREAD:
        return named_place(&g->names, vbt_thread_label(m, whose));
    case VBT_BY_NOTHING:
        return NULL;
    default:
        return named_place(&g->names, process_group(m, g->shape->by, whose));
    }
}

/* Adds a node's frames below its parent's call, the outermost first. Returns the innermost. */
static uint32_t add_frames(struct merging *g, uint32_t parent, uint32_t node) {
    const struct vbt_model *m = &g->trace->model;
    uint32_t site = m->nodes[node].site;
    enum vbt_call_unit unit = g->shape->unit;
    if (unit == VBT_CALL_NOTHING)
        return parent;
    if (g->shape->python_owns && m->sites[site].kind == VBT_SITE_NATIVE && g->trace->attribution.leaf[node] != site)
        return parent;
    size_t count;
    const struct vbt_source_frame *frames = vbt_frames_of_site(g->trace->places, site, &count);
    while (count-- > 0) {
        const struct vbt_source_frame *frame = &frames[count];
        const struct vbt_source_place *place = unit == VBT_CALL_LINE       ? frame->place
                                               : unit == VBT_CALL_FUNCTION ? frame->function
                                                                           : module_place(&g->names, frame->place);
        parent = child_of(g, parent, number_of(g, place, unit == VBT_CALL_MODULE), frame->inlined, false);
    }
    return parent;
}

/* Is the call of a node known? */
static bool has_call(const struct merging *g, uint32_t node) {
    if (g->call_of == NULL)
        return g->trace->model.nodes[node].site == MERGED;
    return g->call_of[node] != 0 && g->part_of[node] == g->part;
}

static void set_call(struct merging *g, uint32_t node, uint32_t call) {
    if (g->call_of == NULL) {
        g->trace->model.nodes[node].site = MERGED;
        g->trace->model.nodes[node].parent = call;
    } else {
        g->call_of[node] = call + 1;
        g->part_of[node] = g->part;
    }
}

/* The call of a node in the part of the tree that begins at `root`. */
static uint32_t call_of(struct merging *g, uint32_t node, uint32_t root) {
    if (g->tree->count > g->most)
        return add_frames(g, root, node);
    const struct vbt_model_node *nodes = g->trace->model.nodes;
    size_t length = 0;
    uint32_t at = node;
    for (; at != 0 && !has_call(g, at); at = nodes[at].parent) {
        g->path = vbt_grow(g->path, &g->path_capacity, length + 1, sizeof *g->path);
        g->path[length++] = at;
    }
    uint32_t call = at == 0 ? root : g->call_of == NULL ? nodes[at].parent : g->call_of[at] - 1;
    while (length > 0) {
        at = g->path[--length];
        call = add_frames(g, call, at);
        set_call(g, at, call);
    }
    return call;
}

/* How many more of what is live may be the process's own. */
static int64_t maybe_own(int64_t live, uint64_t inherited, uint64_t requested) {
    int64_t most = live > 0 && (uint64_t)live > requested ? (int64_t)requested : live;
    int64_t more = most - vbt_own_live(live, inherited);
    return inherited > 0 && more > 0 ? more : 0;
}

/* Of several processes, it is known of each as a whole. */
static struct vbt_undecided undecided_of_several(const struct vbt_trace *trace) {
    struct vbt_undecided sum = {.unknown = vbt_filter_selects_stacks(trace->filter)};
    for (size_t i = 0; i < trace->model.process_rows && !sum.unknown; i++) {
        sum.blocks = plus(sum.blocks, (int64_t)trace->model.processes[i].taken.undecided_blocks);
        sum.bytes = plus(sum.bytes, (int64_t)trace->model.processes[i].taken.undecided_bytes);
    }
    return sum;
}

struct vbt_undecided vbt_call_tree_undecided(const struct vbt_trace *trace) {
    struct vbt_undecided sum = {0};
    if (vbt_model_is_merged(&trace->model))
        return undecided_of_several(trace);
    for (size_t i = 1; i <= trace->model.node_count && trace->model.any_inherited; i++) {
        if (!trace->counts[i])
            continue;
        const struct vbt_model_counters c = vbt_counters_of(&trace->model, i);
        sum.blocks = plus(sum.blocks, maybe_own(c.live_blocks, c.inherited_blocks, c.allocs));
        sum.bytes = plus(sum.bytes, maybe_own(c.live_bytes, c.inherited_bytes, c.allocated));
    }
    return sum;
}

/* Counts something at a call. node: if it is all that was counted at a node, that, else 0. The row
 * of a node becomes that of its call, if it has none yet. */
static void count(struct merging *g, uint32_t call, const struct vbt_model_counters *counters, uint32_t node) {
    struct vbt_call_tree *tree = g->tree;
    struct vbt_packed_rows *rows = &g->trace->model.counters;
    const struct vbt_measures measures = vbt_measures_of_counters(counters);
    uint32_t *row = &tree->calls[call].counts;
    tree->counted += *row == 0;
    *row = *row == 0 ? vbt_measures_put(rows, node != 0 ? g->trace->model.nodes[node].counters : 0, &measures)
                     : vbt_measures_add(rows, *row, &measures);
    for (int i = 0; i < VBT_MEASURES; i++)
        tree->totals[i] = plus(tree->totals[i], measures.of[i]);
}

/* Counts a node. */
static void count_node(struct merging *g, uint32_t node, uint32_t root) {
    const struct vbt_model_counters counters = vbt_counters_of(&g->trace->model, node);
    uint32_t call = call_of(g, node, root);
    count(g, call, &counters, node);
    if (g->calls != NULL)
        g->calls[node] = call;
}

struct counted_node {
    const struct vbt_source_place *group;
    uint32_t node, share;
};

/* Orders by group, and within a group by node. */
static int by_group(const void *left, const void *right) {
    const struct counted_node *a = left, *b = right;
    if (a->group != b->group)
        return a->group->index < b->group->index ? -1 : 1;
    return a->node < b->node ? -1 : 1;
}

static bool has_shares(const struct merging *g) { return g->shape->by == VBT_BY_THREAD || vbt_group_is_of_processes(g->shape->by); }

/* Puts the shares of a node into g->shares; without threads or processes to tell apart, there is
 * one. Returns how many. */
static size_t get_shares(struct merging *g, uint32_t node) {
    const struct vbt_model *m = &g->trace->model;
    if (g->shape->by == VBT_BY_THREAD) {
        size_t count = vbt_thread_shares(m, node, g->thread_shares);
        for (size_t i = 0; i < count; i++)
            g->shares[i] = (struct counted_share){g->thread_shares[i].thread, g->thread_shares[i].counts};
        return count;
    }
    if (vbt_group_is_of_processes(g->shape->by) && vbt_model_is_merged(m)) {
        size_t count = vbt_process_shares(m, node, g->process_shares);
        for (size_t i = 0; i < count; i++)
            g->shares[i] = (struct counted_share){g->process_shares[i].process, g->process_shares[i].counts};
        if (count == 0) /* the trace is cut off before it says whose it is */
            g->shares[count++] = (struct counted_share){UINT32_MAX, vbt_counters_of(m, node)};
        return count;
    }
    g->shares[0] = (struct counted_share){0, vbt_counters_of(m, node)};
    return 1;
}

/* Lists everything that counts, one row per node and group. */
static struct counted_node *list_counted(struct merging *g, size_t *count) {
    struct counted_node *counted = NULL;
    size_t capacity = 0;
    for (uint32_t node = 1; node <= g->trace->model.node_count; node++) {
        if (!g->trace->counts[node])
            continue;
        size_t shares = has_shares(g) ? get_shares(g, node) : 1;
        counted = vbt_grow(counted, &capacity, *count + shares, sizeof *counted);
        for (uint32_t i = 0; i < shares; i++)
            counted[(*count)++] = (struct counted_node){group_of(g, node, g->shares[i].whose), node, i};
    }
    if (*count > 0)
        qsort(counted, *count, sizeof *counted, by_group);
    return counted;
}

/* One group after another. */
static void merge_groups(struct merging *g) {
    const struct vbt_model *m = &g->trace->model;
    size_t listed = 0;
    g->call_of = vbt_new(m->node_count + 1, sizeof *g->call_of);
    g->part_of = vbt_new(m->node_count + 1, sizeof *g->part_of);
    size_t most = vbt_thread_shares_most(m) > m->process_rows ? vbt_thread_shares_most(m) : m->process_rows;
    g->shares = vbt_new(most, sizeof *g->shares);
    g->thread_shares = vbt_new(most, sizeof *g->thread_shares);
    g->process_shares = vbt_new(most, sizeof *g->process_shares);
    struct counted_node *counted = list_counted(g, &listed);
    uint32_t root = 0;
    for (size_t i = 0; i < listed; i++) {
        uint32_t node = counted[i].node;
        if (i == 0 || counted[i].group != counted[i - 1].group) {
            root = child_of(g, 0, number_of(g, counted[i].group, true), false, true);
            g->part++;
        }
        if (has_shares(g)) {
            get_shares(g, node);
            count(g, call_of(g, node, root), &g->shares[counted[i].share].counts, 0);
        } else {
            count_node(g, node, root);
        }
    }
    free(counted);
    free(g->call_of);
    free(g->part_of);
    free(g->shares);
    free(g->thread_shares);
    free(g->process_shares);
}

static void merge_all(struct merging *g) {
    for (uint32_t node = 1; node <= g->trace->model.node_count; node++)
        if (g->trace->counts[node])
            count_node(g, node, 0);
}

struct vbt_call_tree_shape vbt_call_tree_shape_of(const struct vbt_query *query) {
    return (struct vbt_call_tree_shape){.unit = query->by_function ? VBT_CALL_FUNCTION : VBT_CALL_LINE, .by = query->by};
}

/* The root, and what place 0 stands for. */
static void begin(struct vbt_call_tree *tree) {
    *tree = (struct vbt_call_tree){.place_count = 1, .count = 1};
    tree->calls = vbt_grow(NULL, &tree->capacity, 1, sizeof *tree->calls);
    tree->calls[0] = (struct vbt_call){0};
    tree->places = vbt_grow(NULL, &tree->place_capacity, 1, sizeof(void *));
    tree->places[0] = NULL;
}

static void finish(struct merging *g) {
    if (g->tree->count > g->most)
        vbt_warn("the tree has more than %s calls: callers of some stacks are omitted", vbt_count((int64_t)g->most).text);
    vbt_call_children_free(&g->children);
    free_names(&g->names);
    free(g->of_sites.rows);
    free(g->of_names.rows);
    free(g->path);
}

static void build(struct vbt_call_tree *tree, struct vbt_trace *trace, const struct vbt_call_tree_shape *shape, uint32_t *calls) {
    struct merging g = {.tree = tree,
                        .trace = trace,
                        .shape = shape,
                        .names.tree = tree,
                        .calls = calls,
                        .most = most_calls(trace->model.node_count + 1)};
    begin(tree);
    vbt_call_children_begin(&g.children, tree, trace->model.node_count);
    if (shape->by == VBT_BY_NOTHING)
        merge_all(&g);
    else
        merge_groups(&g);
    tree->counts = trace->model.counters;
    trace->model.counters = (struct vbt_packed_rows){0};
    vbt_trace_forget_paths(trace);
    finish(&g);
}

void vbt_call_tree_build(struct vbt_call_tree *tree, struct vbt_trace *trace, const struct vbt_call_tree_shape *shape) {
    build(tree, trace, shape, NULL);
}

uint32_t *vbt_call_tree_build_with_calls(struct vbt_call_tree *tree, struct vbt_trace *trace,
                                         const struct vbt_call_tree_shape *shape) {
    uint32_t *calls = vbt_new(trace->model.node_count + 1, sizeof *calls);
    build(tree, trace, shape, calls);
    return calls;
}

uint32_t *vbt_call_tree_build_bare(struct vbt_call_tree *tree, struct vbt_trace *trace) {
    const struct vbt_call_tree_shape shape = {.unit = VBT_CALL_LINE};
    size_t count = trace->model.node_count + 1;
    struct merging g = {.tree = tree, .trace = trace, .shape = &shape, .names.tree = tree, .most = most_calls(count)};
    begin(tree);
    vbt_call_children_begin(&g.children, tree, count);
    g.call_of = vbt_new(count, sizeof *g.call_of);
    g.part_of = vbt_new(count, sizeof *g.part_of);
    uint32_t *calls = vbt_new(count, sizeof *calls);
    for (uint32_t node = 1; node < count; node++)
        calls[node] = trace->counts[node] ? call_of(&g, node, 0) : 0;
    free(g.call_of);
    free(g.part_of);
    finish(&g);
    return calls;
}
