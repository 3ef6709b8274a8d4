/* Makes a call tree (call_tree.h) of the nodes of a trace. */
#include "call_tree.h"

#include "analyzer/analysis/threads.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/hash.h"
#include "analyzer/base/message.h"
#include "analyzer/base/units.h"
#include "analyzer/symbols/module_name.h"

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

struct merging {
    struct vbt_call_tree *tree;
    const struct vbt_trace *trace;
    const struct vbt_call_tree_shape *shape;
    struct place_names names;
    struct place_numbers of_sites, of_names;
    uint32_t *first_child; /* by call; most calls of deep stacks have no other */
    size_t first_capacity;
    uint32_t *slots;               /* a hash table of all other children: index of a call; 0: free */
    size_t slot_count, slots_used; /* slot_count: a power of two */
    uint32_t *call_of;             /* by node: its call + 1, 0 if it has none yet */
    uint32_t *part_of;             /* by node, if there are groups: the one that call_of is of */
    uint32_t part;                 /* groups are merged one after another */
    uint32_t *path;                /* nodes still to be merged */
    size_t path_capacity;
    size_t most; /* limit on calls, see most_calls */
    struct vbt_thread_share *shares;
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

static size_t slot_of(const struct merging *g, uint32_t parent, uint32_t place) {
    const struct { uint32_t parent, place; } key = {parent, place};
    size_t at = XXH64(&key, sizeof key, vbt_hash_key()) & (g->slot_count - 1);
    for (; g->slots[at] != 0; at = (at + 1) & (g->slot_count - 1)) {
        const struct vbt_call *call = &g->tree->calls[g->slots[at]];
        if (call->place == place && call->parent == parent)
            break;
    }
    return at;
}

/* Makes room for one more call in the hash table. */
static void make_room(struct merging *g) {
    const struct vbt_call_tree *tree = g->tree;
    if (3 * (g->slots_used + 1) < 2 * g->slot_count)
        return;
    free(g->slots);
    g->slot_count *= 2;
    g->slots = vbt_new(g->slot_count, sizeof *g->slots);
    for (uint32_t i = 1; i < tree->count; i++)
        if (g->first_child[tree->calls[i].parent] != i)
            g->slots[slot_of(g, tree->calls[i].parent, tree->calls[i].place)] = i;
}

static struct vbt_call *new_call(struct vbt_call_tree *tree) {
    tree->calls = vbt_grow(tree->calls, &tree->capacity, tree->count + 1, sizeof *tree->calls);
    return &tree->calls[tree->count++];
}

/* Where the child of a call at this place is written down, 0 if it does not exist. */
static uint32_t *find_child(struct merging *g, uint32_t parent, uint32_t place) {
    uint32_t first = g->first_child[parent];
    if (first == 0 || g->tree->calls[first].place == place)
        return &g->first_child[parent];
    make_room(g);
    uint32_t *slot = &g->slots[slot_of(g, parent, place)];
    g->slots_used += *slot == 0;
    return slot;
}

/* The child of a call at this place, created if it does not exist. */
static uint32_t child_of(struct merging *g, uint32_t parent, uint32_t place, bool inlined, bool group) {
    uint32_t *child = find_child(g, parent, place), number = *child;
    if (number == 0) {
        *child = number = (uint32_t)g->tree->count;
        *new_call(g->tree) = (struct vbt_call){.parent = parent,
                                               .place = place,
                                               .depth = (g->tree->calls[parent].depth + 1) & 0x1fffffff,
                                               .inlined = inlined,
                                               .group = group};
        g->first_child = vbt_grow(g->first_child, &g->first_capacity, (size_t)number + 1, sizeof *g->first_child);
        g->first_child[number] = 0;
    }
    return number;
}

/* The most calls in a tree made of `count` nodes. Groups and inlined functions repeat callers; deep
 * stacks would repeat them without bound. Beyond this limit callers are omitted, never counts. */
static size_t most_calls(size_t count) { return 4 * count + (1 << 20); }

/* The group of a node's counts, or NULL. thread: if grouped by thread, the thread whose share it
 * is. */
static const struct vbt_source_place *group_of(struct merging *g, uint32_t node, uint32_t thread) {
    static const char *const domains[VBT_DOMAINS] = {"[heap]", "[python]", "[map]"};
    const struct vbt_model *m = &g->trace->model;
    size_t count;
    switch (g->shape->by) {
    case VBT_BY_DOMAIN:
        return named_place(&g->names, vbt_copy(domains[m->nodes[node].domain], strlen(domains[m->nodes[node].domain])));
    case VBT_BY_MODULE:
        return module_place(&g->names, vbt_frames_of_site(g->trace->places, m->nodes[node].site, &count)->place);
    case VBT_BY_THREAD:
        return named_place(&g->names, vbt_thread_label(m, thread));
    default:
        return NULL;
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

/* The call of a node in the part of the tree that begins at `root`. */
static uint32_t call_of(struct merging *g, uint32_t node, uint32_t root) {
    if (g->tree->count > g->most)
        return add_frames(g, root, node);
    const struct vbt_model_node *nodes = g->trace->model.nodes;
    size_t length = 0;
    uint32_t at = node;
    for (; at != 0 && (g->call_of[at] == 0 || (g->part_of != NULL && g->part_of[at] != g->part)); at = nodes[at].parent) {
        g->path = vbt_grow(g->path, &g->path_capacity, length + 1, sizeof *g->path);
        g->path[length++] = at;
    }
    uint32_t call = at != 0 ? g->call_of[at] - 1 : root;
    while (length > 0) {
        at = g->path[--length];
        call = add_frames(g, call, at);
        g->call_of[at] = call + 1;
        if (g->part_of != NULL)
            g->part_of[at] = g->part;
    }
    return call;
}

/* Blocks inherited at a fork are not leaks of the child. Which blocks of a call path were freed is
 * unknown, so it is assumed that the child freed its own first: this many at least are its own. */
static int64_t own_live(int64_t live, uint64_t inherited) {
    return live > 0 && (uint64_t)live > inherited ? live - (int64_t)inherited : 0;
}

/* How many more of what is live may be the process's own. */
static int64_t maybe_own(int64_t live, uint64_t inherited, uint64_t requested) {
    int64_t most = live > 0 && (uint64_t)live > requested ? (int64_t)requested : live;
    int64_t more = most - own_live(live, inherited);
    return inherited > 0 && more > 0 ? more : 0;
}

struct vbt_undecided vbt_call_tree_undecided(const struct vbt_trace *trace) {
    struct vbt_undecided sum = {0};
    for (size_t i = 1; i <= trace->model.node_count; i++) {
        const struct vbt_model_counters *c = &trace->model.counters[trace->model.nodes[i].counters];
        if (!trace->counts[i])
            continue;
        sum.blocks = plus(sum.blocks, maybe_own(c->live_blocks, c->inherited_blocks, c->allocs));
        sum.bytes = plus(sum.bytes, maybe_own(c->live_bytes, c->inherited_bytes, c->allocated));
    }
    return sum;
}

static void count_node(struct vbt_call_tree *tree, uint32_t call, const struct vbt_model_counters *c) {
    const int64_t counted[VBT_MEASURES] = {
        [VBT_MEASURE_BYTES] = (int64_t)c->allocated,
        [VBT_MEASURE_ALLOCS] = (int64_t)c->allocs,
        [VBT_MEASURE_PEAK] = c->at_peak_bytes,
        [VBT_MEASURE_LEAKS] = own_live(c->live_bytes, c->inherited_bytes),
        [VBT_MEASURE_TEMPORARY] = (int64_t)c->temporary,
        [VBT_MEASURE_BLOCKS] = own_live(c->live_blocks, c->inherited_blocks),
        [VBT_MEASURE_LIVE] = c->live_bytes,
        [VBT_MEASURE_LIVE_BLOCKS] = c->live_blocks,
    };
    if (tree->calls[call].counts == 0) {
        tree->counts = vbt_grow(tree->counts, &tree->counts_capacity, tree->counts_count + 1, sizeof *tree->counts);
        tree->calls[call].counts = (uint32_t)tree->counts_count;
        memset(tree->counts[tree->counts_count++], 0, sizeof *tree->counts);
    }
    int64_t *self = tree->counts[tree->calls[call].counts];
    for (int i = 0; i < VBT_MEASURES; i++) {
        self[i] = plus(self[i], counted[i]);
        tree->totals[i] = plus(tree->totals[i], counted[i]);
    }
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

/* Lists everything that counts, one row per node and group. */
static struct counted_node *list_counted(struct merging *g, size_t *count) {
    struct counted_node *counted = NULL;
    size_t capacity = 0;
    for (uint32_t node = 1; node <= g->trace->model.node_count; node++) {
        if (!g->trace->counts[node])
            continue;
        size_t shares = g->shape->by == VBT_BY_THREAD ? vbt_thread_shares(&g->trace->model, node, g->shares) : 1;
        counted = vbt_grow(counted, &capacity, *count + shares, sizeof *counted);
        for (uint32_t i = 0; i < shares; i++)
            counted[(*count)++] = (struct counted_node){group_of(g, node, g->shares[i].thread), node, i};
    }
    if (*count > 0)
        qsort(counted, *count, sizeof *counted, by_group);
    return counted;
}

/* One group after another. */
static void merge_groups(struct merging *g) {
    const struct vbt_model *m = &g->trace->model;
    size_t count = 0;
    g->part_of = vbt_new(m->node_count + 1, sizeof *g->part_of);
    g->shares = vbt_new(vbt_thread_shares_most(m), sizeof *g->shares);
    struct counted_node *counted = list_counted(g, &count);
    uint32_t root = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t node = counted[i].node;
        if (i == 0 || counted[i].group != counted[i - 1].group) {
            root = child_of(g, 0, number_of(g, counted[i].group, true), false, true);
            g->part++;
        }
        const struct vbt_model_counters *counts = &m->counters[m->nodes[node].counters];
        if (g->shape->by == VBT_BY_THREAD) {
            vbt_thread_shares(m, node, g->shares);
            counts = &g->shares[counted[i].share].counts;
        }
        count_node(g->tree, call_of(g, node, root), counts);
    }
    free(counted);
    free(g->part_of);
    free(g->shares);
}

static void merge_all(struct merging *g) {
    const struct vbt_model *m = &g->trace->model;
    for (uint32_t node = 1; node <= m->node_count; node++)
        if (g->trace->counts[node])
            count_node(g->tree, call_of(g, node, 0), &m->counters[m->nodes[node].counters]);
}

struct vbt_call_tree_shape vbt_call_tree_shape_of(const struct vbt_query *query) {
    return (struct vbt_call_tree_shape){.unit = query->by_function ? VBT_CALL_FUNCTION : VBT_CALL_LINE, .by = query->by};
}

/* The root, and what the rows 0 stand for. */
static void begin(struct vbt_call_tree *tree) {
    *tree = (struct vbt_call_tree){.place_count = 1, .counts_count = 1};
    *new_call(tree) = (struct vbt_call){0};
    tree->places = vbt_grow(NULL, &tree->place_capacity, 1, sizeof(void *));
    tree->places[0] = NULL;
    tree->counts = vbt_grow(NULL, &tree->counts_capacity, 1, sizeof *tree->counts);
    memset(tree->counts[0], 0, sizeof *tree->counts);
}

void vbt_call_tree_build(struct vbt_call_tree *tree, const struct vbt_trace *trace, const struct vbt_call_tree_shape *shape) {
    size_t nodes = trace->model.node_count + 1;
    struct merging g = {.tree = tree,
                        .trace = trace,
                        .shape = shape,
                        .names.tree = tree,
                        .most = most_calls(nodes),
                        .call_of = vbt_new(nodes, sizeof(uint32_t)),
                        .slot_count = 1024};
    g.first_child = vbt_grow(NULL, &g.first_capacity, 1, sizeof *g.first_child);
    g.first_child[0] = 0;
    g.slots = vbt_new(g.slot_count, sizeof *g.slots);
    begin(tree);
    if (shape->by == VBT_BY_NOTHING)
        merge_all(&g);
    else
        merge_groups(&g);
    if (tree->count > g.most)
        vbt_warn("the tree has more than %s calls: callers of some stacks are omitted", vbt_count((int64_t)g.most).text);
    free(g.first_child);
    free(g.slots);
    free_names(&g.names);
    free(g.of_sites.rows);
    free(g.of_names.rows);
    free(g.call_of);
    free(g.path);
}
