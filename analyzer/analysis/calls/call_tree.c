/* See call_tree.h. */
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

static void add(int64_t to[VBT_MEASURES], const int64_t from[VBT_MEASURES]) {
    for (int i = 0; i < VBT_MEASURES; i++)
        to[i] = plus(to[i], from[i]);
}

/* A tree under construction, with a hash table that finds a call's child by its place. */
struct builder {
    struct vbt_call_tree *tree;
    uint32_t *slots;   /* index of a call; 0: free */
    size_t slot_count; /* a power of two, more than twice as many as calls */
};

static struct vbt_call *new_call(struct builder *b) {
    struct vbt_call_tree *tree = b->tree;
    tree->calls = vbt_grow(tree->calls, &tree->capacity, tree->count + 1, sizeof *tree->calls);
    struct vbt_call *call = &tree->calls[tree->count++];
    *call = (struct vbt_call){0};
    return call;
}

static void begin(struct builder *b, struct vbt_call_tree *tree) {
    *tree = (struct vbt_call_tree){0};
    *b = (struct builder){.tree = tree};
    new_call(b);
}

static size_t slot_of(const struct builder *b, uint32_t parent, const struct vbt_source_place *place) {
    const struct { uint64_t place, parent; } key = {(uint64_t)(uintptr_t)place, parent};
    size_t at = XXH64(&key, sizeof key, vbt_hash_key()) & (b->slot_count - 1);
    for (; b->slots[at] != 0; at = (at + 1) & (b->slot_count - 1)) {
        const struct vbt_call *call = &b->tree->calls[b->slots[at]];
        if (call->place == place && call->parent == parent)
            break;
    }
    return at;
}

/* Makes room for one more call. */
static void make_room(struct builder *b) {
    if (2 * (b->tree->count + 1) < b->slot_count)
        return;
    free(b->slots);
    b->slot_count = b->slot_count > 0 ? 2 * b->slot_count : 1024;
    b->slots = vbt_new(b->slot_count, sizeof *b->slots);
    for (size_t i = 1; i < b->tree->count; i++)
        b->slots[slot_of(b, b->tree->calls[i].parent, b->tree->calls[i].place)] = (uint32_t)i;
}

/* The most calls in a tree made of `count` nodes or calls. Groups, inlined functions and reversed
 * stacks repeat callers; deep stacks would repeat them without bound. Beyond this limit callers are
 * omitted, never counts. */
static size_t most_calls(size_t count) { return 4 * count + (1 << 20); }

static void warn_of_missing_callers(const struct vbt_call_tree *tree, size_t most) {
    if (tree->count > most)
        vbt_warn("the tree has more than %s calls: callers of some stacks are omitted", vbt_count((int64_t)most).text);
}

/* The child of a call at this place, created if it does not exist. */
static uint32_t child_of(struct builder *b, uint32_t parent, const struct vbt_source_place *place, bool inlined, bool group) {
    make_room(b);
    size_t slot = slot_of(b, parent, place);
    if (b->slots[slot] == 0) {
        b->slots[slot] = (uint32_t)b->tree->count;
        struct vbt_call *call = new_call(b);
        call->place = place;
        call->parent = parent;
        call->depth = b->tree->calls[parent].depth + 1;
        call->inlined = inlined;
        call->group = group;
    }
    return b->slots[slot];
}

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

struct merging {
    struct builder b;
    struct place_names names;
    const struct vbt_trace *trace;
    const struct vbt_call_tree_shape *shape;
    uint32_t *call_of; /* by node; valid if its stamp is that of this group */
    uint32_t *stamp;
    uint32_t *path; /* nodes still to be merged */
    size_t most;    /* limit on calls, see most_calls */
    struct vbt_thread_share *shares;
};

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
    if (g->shape->unit == VBT_CALL_NOTHING)
        return parent;
    if (g->shape->python_owns && m->sites[site].kind == VBT_SITE_NATIVE && g->trace->attribution.leaf[node] != site)
        return parent;
    size_t count;
    const struct vbt_source_frame *frames = vbt_frames_of_site(g->trace->places, site, &count);
    while (count-- > 0) {
        const struct vbt_source_frame *frame = &frames[count];
        const struct vbt_source_place *place = g->shape->unit == VBT_CALL_LINE       ? frame->place
                                               : g->shape->unit == VBT_CALL_FUNCTION ? frame->function
                                                                                     : module_place(&g->names, frame->place);
        parent = child_of(&g->b, parent, place, frame->inlined, false);
    }
    return parent;
}

/* The call of a node in the part of the tree that begins at `root`. Parts are merged one after
 * another. */
static uint32_t call_of(struct merging *g, uint32_t node, uint32_t root, uint32_t part) {
    if (g->b.tree->count > g->most)
        return add_frames(g, root, node);
    size_t length = 0;
    uint32_t at = node;
    for (; at != 0 && g->stamp[at] != part; at = g->trace->model.nodes[at].parent)
        g->path[length++] = at;
    uint32_t call = at != 0 ? g->call_of[at] : root;
    while (length > 0) {
        at = g->path[--length];
        call = add_frames(g, call, at);
        g->call_of[at] = call;
        g->stamp[at] = part;
    }
    return call;
}

/* Blocks inherited at a fork are not leaks of the child. Which blocks of a call path were freed is
 * unknown, so it is assumed that the child freed its own first: this many at least are its own. */
static int64_t own_live(int64_t live, uint64_t inherited) {
    return live > 0 && (uint64_t)live > inherited ? live - (int64_t)inherited : 0;
}

static void count_node(struct vbt_call *call, const struct vbt_model_counters *c) {
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
    add(call->self, counted);
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

/* Adds each call's counts to all calls above it, in one pass from the last call to the first. */
static void accumulate(struct vbt_call_tree *tree) {
    for (size_t i = 0; i < tree->count; i++)
        memcpy(tree->calls[i].cumulative, tree->calls[i].self, sizeof tree->calls[i].self);
    for (size_t i = tree->count - 1; i > 0; i--)
        add(tree->calls[tree->calls[i].parent].cumulative, tree->calls[i].cumulative);
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

/* The counts of a node; if grouped by thread, those of the share with this number. */
static struct vbt_model_counters counts_of(struct merging *g, uint32_t node, uint32_t share) {
    const struct vbt_model *m = &g->trace->model;
    if (g->shape->by != VBT_BY_THREAD)
        return m->counters[m->nodes[node].counters];
    vbt_thread_shares(m, node, g->shares);
    return g->shares[share].counts;
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
    if (g->shape->by != VBT_BY_NOTHING && *count > 0)
        qsort(counted, *count, sizeof *counted, by_group);
    return counted;
}

struct vbt_call_tree_shape vbt_call_tree_shape_of(const struct vbt_query *query) {
    return (struct vbt_call_tree_shape){.unit = query->by_function ? VBT_CALL_FUNCTION : VBT_CALL_LINE, .by = query->by};
}

void vbt_call_tree_build(struct vbt_call_tree *tree, const struct vbt_trace *trace, const struct vbt_call_tree_shape *shape) {
    const struct vbt_model *m = &trace->model;
    size_t nodes = m->node_count + 1, count = 0;
    struct merging g = {.trace = trace,
                        .shape = shape,
                        .names.tree = tree,
                        .most = most_calls(nodes),
                        .call_of = vbt_new(nodes, sizeof(uint32_t)),
                        .stamp = vbt_new(nodes, sizeof(uint32_t)),
                        .path = vbt_new(nodes, sizeof(uint32_t)),
                        .shares = vbt_new(vbt_thread_shares_most(m), sizeof(struct vbt_thread_share))};
    begin(&g.b, tree);
    struct counted_node *counted = list_counted(&g, &count);
    uint32_t root = 0, part = 1;
    for (size_t i = 0; i < count; i++) {
        if (shape->by != VBT_BY_NOTHING && (i == 0 || counted[i].group != counted[i - 1].group)) {
            root = child_of(&g.b, 0, counted[i].group, false, true);
            part++;
        }
        uint32_t call = call_of(&g, counted[i].node, root, part);
        const struct vbt_model_counters counts = counts_of(&g, counted[i].node, counted[i].share);
        count_node(&tree->calls[call], &counts);
    }
    accumulate(tree);
    warn_of_missing_callers(tree, g.most);
    free(counted);
    free(g.b.slots);
    free_names(&g.names);
    free(g.call_of);
    free(g.stamp);
    free(g.path);
    free(g.shares);
}

void vbt_call_tree_clamp(struct vbt_call_tree *tree, enum vbt_measure measure) {
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->calls[i].self[measure] < 0)
            tree->calls[i].self[measure] = 0;
        tree->calls[i].cumulative[measure] = tree->calls[i].self[measure];
    }
    for (size_t i = tree->count - 1; i > 0; i--) {
        int64_t *sum = &tree->calls[tree->calls[i].parent].cumulative[measure];
        if (__builtin_add_overflow(*sum, tree->calls[i].cumulative[measure], sum))
            *sum = INT64_MAX;
    }
}

/* A stack that is being added to the reversed tree. */
struct reversed_stack {
    uint32_t from; /* the call where it ends */
    uint32_t next; /* its next frame outwards; 0: none is left */
    uint32_t at;   /* its innermost call in the reversed tree so far */
};

static bool is_frame(const struct vbt_call_tree *tree, uint32_t call) { return call != 0 && !tree->calls[call].group; }

/* Starts with all stacks that have any counts, each at its group if it has one. Returns how many
 * there are. */
static size_t begin_stacks(struct builder *b, const struct vbt_call_tree *from, struct reversed_stack *stacks) {
    uint32_t *group = vbt_new(from->count, sizeof *group); /* by call: the reversed tree's call for its group */
    static const int64_t nothing[VBT_MEASURES];
    size_t count = 0;
    for (uint32_t i = 1; i < from->count; i++) {
        const struct vbt_call *call = &from->calls[i];
        group[i] = call->group ? child_of(b, 0, call->place, false, true) : group[call->parent];
        if (memcmp(call->self, nothing, sizeof nothing) != 0) {
            stacks[count++] = (struct reversed_stack){.from = i, .next = call->group ? 0 : i, .at = group[i]};
            add(b->tree->calls[0].cumulative, call->self);
            if (group[i] != 0)
                add(b->tree->calls[group[i]].cumulative, call->self);
        }
    }
    add(b->tree->calls[0].self, from->calls[0].self);
    add(b->tree->calls[0].cumulative, from->calls[0].self);
    free(group);
    return count;
}

void vbt_call_tree_reverse(struct vbt_call_tree *forward, enum vbt_measure measure, int64_t least) {
    const struct vbt_call_tree *from = forward;
    struct vbt_call_tree reversed, *tree = &reversed;
    struct builder b;
    begin(&b, tree);
    size_t most = most_calls(from->count);
    struct reversed_stack *stacks = vbt_new(from->count, sizeof *stacks);
    size_t count = begin_stacks(&b, from, stacks);
    while (count > 0) { /* one level after another */
        size_t left = 0;
        for (size_t i = 0; i < count; i++) {
            struct reversed_stack *stack = &stacks[i];
            const struct vbt_call *call = &from->calls[stack->from];
            if (tree->calls[stack->at].cumulative[measure] < least)
                continue;
            if (!is_frame(from, stack->next) || tree->count > most) {
                add(tree->calls[stack->at].self, call->self);
                continue;
            }
            const struct vbt_call *frame = &from->calls[stack->next];
            stack->at = child_of(&b, stack->at, frame->place, frame->inlined, false);
            stack->next = frame->parent;
            stacks[left++] = *stack;
        }
        count = left;
        for (size_t i = 0; i < count; i++)
            add(tree->calls[stacks[i].at].cumulative, from->calls[stacks[i].from].self);
    }
    warn_of_missing_callers(tree, most);
    free(stacks);
    free(b.slots);
    free(forward->calls);
    free(forward->children);
    forward->calls = tree->calls;
    forward->count = tree->count;
    forward->capacity = tree->capacity;
    forward->children = NULL;
}

struct call_order {
    const struct vbt_call_tree *tree;
    enum vbt_measure measure;
};

static int by_parent_and_size(const void *left, const void *right, void *data) {
    const struct call_order *s = data;
    const struct vbt_call *a = &s->tree->calls[*(const uint32_t *)left], *b = &s->tree->calls[*(const uint32_t *)right];
    if (a->parent != b->parent)
        return a->parent < b->parent ? -1 : 1;
    if (a->cumulative[s->measure] != b->cumulative[s->measure])
        return a->cumulative[s->measure] > b->cumulative[s->measure] ? -1 : 1;
    int order = strcmp(a->place->function, b->place->function);
    if (order == 0)
        order = strcmp(a->place->file, b->place->file);
    if (order == 0)
        order = a->place->line < b->place->line ? -1 : a->place->line > b->place->line;
    return order != 0 ? order : vbt_place_compare_modules(a->place, b->place);
}

void vbt_call_tree_sort(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least) {
    struct call_order sorting = {tree, measure};
    size_t count = 0;
    free(tree->children);
    tree->children = vbt_new(tree->count, sizeof *tree->children);
    for (uint32_t i = 0; i < tree->count; i++) {
        tree->calls[i].child_at = tree->calls[i].child_count = 0;
        if (i > 0 && tree->calls[i].cumulative[measure] >= least)
            tree->children[count++] = i;
    }
    qsort_r(tree->children, count, sizeof *tree->children, by_parent_and_size, &sorting);
    for (size_t i = count; i > 0; i--) {
        struct vbt_call *parent = &tree->calls[tree->calls[tree->children[i - 1]].parent];
        parent->child_at = (uint32_t)(i - 1);
        parent->child_count++;
    }
}

void vbt_call_tree_free(struct vbt_call_tree *tree) {
    for (size_t i = 0; i < tree->named_count; i++) {
        free((char *)(uintptr_t)tree->named[i]->file);
        free(tree->named[i]);
    }
    free(tree->named);
    free(tree->calls);
    free(tree->children);
    *tree = (struct vbt_call_tree){0};
}
