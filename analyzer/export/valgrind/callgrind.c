/* See callgrind.h.
 *
 * The format knows calls from a line of one function to another function, not call stacks. What is
 * below a call counts once for a stack, however often the same call is on it. */
#include "callgrind.h"

#include "analyzer/export/export_names.h"
#include "analyzer/analysis/calls/call_tree.h"
#include "analyzer/base/hash.h"
#include "analyzer/base/message.h"
#include "analyzer/report/command_line.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A name that is written once, and then goes by its number. */
struct compressed {
    char *text;
    uint32_t number;
    bool written;
    UT_hash_handle hh;
};

struct function {
    char *key; /* file, name and object */
    struct compressed *object, *file, *name;
    uint32_t number;
    uint32_t first, last; /* 1 + its places, linked by next_place; 0: none */
    UT_hash_handle hh;
};

/* A call from a place to a function. */
struct edge {
    struct {
        uint32_t from, to;
    } key;
    uint32_t open;  /* how often it is on the stack that is walked */
    uint32_t stack; /* stacks with it */
    uint32_t below; /* row of the tree's counts: the sum */
    uint32_t line;  /* of the callee: where it begins, or is entered first */
    struct edge *next;
    UT_hash_handle hh;
};

struct graph {
    struct vbt_call_tree tree;
    struct vbt_export_event events[VBT_EXPORT_EVENTS];
    size_t event_count;
    struct compressed *objects, *files, *names;
    struct function *known, **functions; /* by number, from 1 */
    size_t function_count, capacity;
    uint32_t *function_of, *next_place, *self;     /* by place; self: row of the tree's counts */
    struct edge *edges, **first_edge, **last_edge; /* by place */
    uint64_t negative;
};

static struct compressed *compress(struct compressed **table, const char *name) {
    char *text = vbt_export_name(name);
    struct compressed *known;
    HASH_FIND_STR(*table, text, known);
    if (known != NULL) {
        free(text);
        return known;
    }
    known = vbt_new(1, sizeof *known);
    known->text = text;
    known->number = HASH_COUNT(*table) + 1;
    HASH_ADD_KEYPTR(hh, *table, known->text, strlen(known->text), known);
    return known;
}

static void free_compressed(struct compressed *table) {
    struct compressed *each, *next;
    HASH_ITER(hh, table, each, next) {
        HASH_DEL(table, each);
        free(each->text);
        free(each);
    }
}

/* The number of a place's function, which gets the place. */
static uint32_t add_place(struct graph *g, uint32_t place) {
    static const struct vbt_source_place no_stack = {.kind = VBT_PLACE_SPECIAL, .file = "", .function = VBT_NO_STACK};
    const struct vbt_source_place *of = place != 0 ? g->tree.places[place] : &no_stack;
    const char *object = of->module != NULL ? of->module : "";
    char *key = vbt_text("%s\n%s\n%s", of->file, of->function, object);
    struct function *function;
    HASH_FIND_STR(g->known, key, function);
    if (function == NULL) {
        function = vbt_new(1, sizeof *function);
        function->key = key;
        function->object = compress(&g->objects, object);
        function->file = compress(&g->files, of->file);
        function->name = compress(&g->names, of->function);
        HASH_ADD_KEYPTR(hh, g->known, function->key, strlen(function->key), function);
        g->functions = vbt_grow(g->functions, &g->capacity, g->function_count + 2, sizeof *g->functions);
        function->number = (uint32_t)++g->function_count;
        g->functions[function->number] = function;
    } else {
        free(key);
    }
    *(function->last != 0 ? &g->next_place[function->last - 1] : &function->first) = place + 1;
    function->last = place + 1;
    return function->number;
}

static struct edge *edge_of(struct graph *g, uint32_t from, uint32_t to, uint32_t line) {
    struct edge sought = {.key = {from, to}}, *edge;
    HASH_FIND(hh, g->edges, &sought.key, sizeof sought.key, edge);
    if (edge != NULL)
        return edge;
    edge = vbt_new(1, sizeof *edge);
    edge->key = sought.key;
    edge->line = line;
    HASH_ADD(hh, g->edges, key, sizeof edge->key, edge);
    *(g->last_edge[from] != NULL ? &g->last_edge[from]->next : &g->first_edge[from]) = edge;
    g->last_edge[from] = edge;
    return edge;
}

/* The edge from a call's caller; NULL: it has none. */
static struct edge *edge_to(struct graph *g, uint32_t call) {
    const struct vbt_call_tree *tree = &g->tree;
    uint32_t parent = tree->calls[call].parent, place = tree->calls[call].place;
    if (call == 0 || parent == 0)
        return NULL;
    int64_t line = tree->places[place]->line;
    return edge_of(g, tree->calls[parent].place, g->function_of[place], line > 0 && line < UINT32_MAX ? (uint32_t)line : 0);
}

/* Adds a row of counts to another. */
static void add(struct graph *g, uint32_t *to, uint32_t more) {
    const struct vbt_measures measures = vbt_measures_of(&g->tree.counts, more);
    *to = vbt_measures_add(&g->tree.counts, *to, &measures);
}

struct graph_step {
    uint32_t call, next; /* of its children */
};

/* Depth first, with an explicit stack: a trace may be thousands of frames deep. */
static void walk(struct graph *g, const uint32_t *sums) {
    struct graph_step *steps = NULL;
    size_t depth = 0, capacity = 0;
    steps = vbt_grow(steps, &capacity, 1, sizeof *steps);
    steps[depth++] = (struct graph_step){0, 0};
    while (depth > 0) {
        struct graph_step *top = &steps[depth - 1];
        if (top->next == vbt_call_children(&g->tree, top->call)) {
            struct edge *edge = edge_to(g, top->call);
            if (edge != NULL)
                edge->open--;
            depth--;
            continue;
        }
        uint32_t call = vbt_call_child(&g->tree, top->call, top->next++);
        struct edge *edge = edge_to(g, call);
        if (edge != NULL && edge->open++ == 0) {
            add(g, &edge->below, sums[call]);
            edge->stack++;
        }
        steps = vbt_grow(steps, &capacity, depth + 1, sizeof *steps);
        steps[depth++] = (struct graph_step){call, 0};
    }
    free(steps);
}

static void print_costs(struct graph *g, uint32_t row, FILE *out) {
    const struct vbt_measures sums = vbt_measures_of(&g->tree.counts, row);
    for (size_t i = 0; i < g->event_count; i++) {
        int64_t value = sums.of[g->events[i].measure];
        g->negative += value < 0;
        fprintf(out, " %" PRId64, value < 0 ? 0 : value);
    }
    putc('\n', out);
}

static void print_name(const char *key, struct compressed *name, FILE *out) {
    fprintf(out, "%s=(%" PRIu32 ")%s%s\n", key, name->number, name->written ? "" : " ", name->written ? "" : name->text);
    name->written = true;
}

static int64_t line_of(const struct graph *g, uint32_t place) {
    int64_t line = place != 0 ? g->tree.places[place]->line : 0;
    return line > 0 ? line : 0;
}

static void print_edges(struct graph *g, uint32_t place, FILE *out) {
    for (const struct edge *edge = g->first_edge[place]; edge != NULL; edge = edge->next) {
        struct function *callee = g->functions[edge->key.to];
        print_name("cob", callee->object, out);
        print_name("cfi", callee->file, out);
        print_name("cfn", callee->name, out);
        fprintf(out, "calls=%" PRIu32 " %" PRIu32 "\n%" PRId64, edge->stack, edge->line, line_of(g, place));
        print_costs(g, edge->below, out);
    }
}

static void print_functions(struct graph *g, FILE *out) {
    for (size_t i = 1; i <= g->function_count; i++) {
        struct function *function = g->functions[i];
        putc('\n', out);
        print_name("ob", function->object, out);
        print_name("fl", function->file, out);
        print_name("fn", function->name, out);
        for (uint32_t place = function->first; place != 0; place = g->next_place[place - 1]) {
            if (g->self[place - 1] != 0) {
                fprintf(out, "%" PRId64, line_of(g, place - 1));
                print_costs(g, g->self[place - 1], out);
            }
            print_edges(g, place - 1, out);
        }
    }
}

static void print_header(struct graph *g, const struct vbt_model *m, uint32_t whole, FILE *out) {
    char *command = vbt_command_line(m), *printable = vbt_export_name(command);
    fprintf(out, "# callgrind format\nversion: 1\ncreator: vbtrace " VBT_VERSION "\npid: %" PRId64 "\ncmd: %s\npart: 1\n",
            vbt_model_process_number(m, "pid"), printable);
    fputs("desc: Memory, exactly counted; calls= is the number of call stacks\npositions: line\n", out);
    for (size_t i = 0; i < g->event_count; i++)
        fprintf(out, "event: %s : %s\n", g->events[i].name, g->events[i].title);
    fputs("events:", out);
    for (size_t i = 0; i < g->event_count; i++)
        fprintf(out, " %s", g->events[i].name);
    fputs("\nsummary:", out);
    print_costs(g, whole, out);
    free(printable);
    free(command);
}

static void free_graph(struct graph *g) {
    struct edge *edge, *next;
    HASH_ITER(hh, g->edges, edge, next) {
        HASH_DEL(g->edges, edge);
        free(edge);
    }
    HASH_CLEAR(hh, g->known);
    for (size_t i = 1; i <= g->function_count; i++) {
        free(g->functions[i]->key);
        free(g->functions[i]);
    }
    free(g->functions);
    free_compressed(g->objects);
    free_compressed(g->files);
    free_compressed(g->names);
    free(g->function_of);
    free(g->next_place);
    free(g->self);
    free(g->first_edge);
    free(g->last_edge);
    vbt_call_tree_free(&g->tree);
}

void vbt_export_callgrind(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    struct graph g = {0};
    g.event_count = vbt_export_events(g.events, query, "callgrind");
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    vbt_call_tree_build(&g.tree, trace, &shape);
    vbt_call_tree_sort(&g.tree, VBT_MEASURE_BYTES, INT64_MIN);
    size_t places = g.tree.place_count > 0 ? g.tree.place_count : 1;
    g.function_of = vbt_new(places, sizeof *g.function_of);
    g.next_place = vbt_new(places, sizeof *g.next_place);
    g.self = vbt_new(places, sizeof *g.self);
    g.first_edge = vbt_new(places, sizeof *g.first_edge);
    g.last_edge = vbt_new(places, sizeof *g.last_edge);
    uint32_t *sums = vbt_call_tree_sum_all(&g.tree);
    for (uint32_t i = 0; i < places; i++)
        if (i > 0 || g.tree.calls[0].counts != 0)
            g.function_of[i] = add_place(&g, i);
    for (uint32_t i = 0; i < g.tree.count; i++)
        if (g.tree.calls[i].counts != 0)
            add(&g, &g.self[g.tree.calls[i].place], g.tree.calls[i].counts);
    walk(&g, sums);
    uint32_t whole = sums[0];
    print_header(&g, &trace->model, whole, out);
    print_functions(&g, out);
    fputs("\ntotals:", out);
    print_costs(&g, whole, out);
    if (g.negative > 0)
        vbt_warn("%s: callgrind: %s written as 0: the format has no negative ones", query->trace,
                 g.negative == 1 ? "1 number below 0 is" : "some numbers below 0 are");
    vbt_warn("%s: callgrind: call stacks are not in the format, which has calls between functions only", query->trace);
    free(sums);
    free_graph(&g);
}
