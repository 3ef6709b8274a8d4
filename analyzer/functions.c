/* See functions.h. */
#include "functions.h"

#include "allocate.h"

#include <stdlib.h>
#include <string.h>

struct subtree {
    uint64_t allocs, bytes;
};

struct builder {
    const struct vbt_model *model;
    struct vbt_places *places;
    struct vbt_functions *functions;
    size_t capacity;
    uint32_t *row_of_place; /* row + 1 */
    size_t place_capacity, places_known;
};

static uint32_t row_of(struct builder *b, uint32_t site) {
    const struct vbt_place *place = vbt_place_of_function(b->places, site);
    b->row_of_place = vbt_grow(b->row_of_place, &b->place_capacity, (size_t)place->index + 1, sizeof *b->row_of_place);
    while (b->places_known <= place->index)
        b->row_of_place[b->places_known++] = 0;
    if (b->row_of_place[place->index] == 0) {
        struct vbt_functions *f = b->functions;
        f->rows = vbt_grow(f->rows, &b->capacity, f->count + 1, sizeof *f->rows);
        f->rows[f->count++] = (struct vbt_function){.place = place};
        b->row_of_place[place->index] = (uint32_t)f->count;
    }
    return b->row_of_place[place->index] - 1;
}

/* Adds self counts, and fills what every node and those below it allocated. */
static void count_self(struct builder *b, const uint32_t *leaf, struct subtree *below) {
    const struct vbt_model *m = b->model;
    for (size_t i = m->node_count; i > 0; i--) {
        const struct vbt_node *node = &m->nodes[i];
        if (node->counters != 0 && node->domain != VBT_DOMAIN_MAP) {
            const struct vbt_counters *c = &m->counters[node->counters];
            uint32_t row = row_of(b, leaf[i]); /* may move the rows */
            struct vbt_function *function = &b->functions->rows[row];
            function->self_allocs += c->allocs;
            function->self_bytes += c->allocated;
            below[i].allocs += c->allocs;
            below[i].bytes += c->allocated;
        }
        below[node->parent].allocs += below[i].allocs;
        below[node->parent].bytes += below[i].bytes;
    }
}

/* Walks the tree from the root; a node whose function is not on the path to it yet adds its whole subtree to that function. */
static void count_cumulative(struct builder *b, const uint32_t *leaf, const struct subtree *below) {
    const struct vbt_model *m = b->model;
    size_t count = m->node_count + 1;
    uint32_t *child = vbt_new(count, sizeof *child), *sibling = vbt_new(count, sizeof *sibling);
    uint32_t *function = vbt_new(count, sizeof *function); /* row + 1; 0: the node stands for no function */
    for (size_t i = count - 1; i > 0; i--) {
        sibling[i] = child[m->nodes[i].parent];
        child[m->nodes[i].parent] = (uint32_t)i;
        bool native_below_python = m->sites[m->nodes[i].site].kind == VBT_SITE_NATIVE && leaf[i] != m->nodes[i].site;
        if (!native_below_python && (below[i].allocs > 0 || below[i].bytes > 0))
            function[i] = row_of(b, m->nodes[i].site) + 1;
    }
    uint32_t *on_path = vbt_new(b->functions->count + 1, sizeof *on_path);
    for (uint32_t at = child[0]; at != 0;) {
        if (function[at] != 0 && on_path[function[at]]++ == 0) {
            b->functions->rows[function[at] - 1].cumulative_allocs += below[at].allocs;
            b->functions->rows[function[at] - 1].cumulative_bytes += below[at].bytes;
        }
        if (child[at] != 0) {
            at = child[at];
            continue;
        }
        for (;;) {
            if (function[at] != 0)
                on_path[function[at]]--;
            if (sibling[at] != 0) {
                at = sibling[at];
                break;
            }
            at = m->nodes[at].parent;
            if (at == 0)
                break;
        }
    }
    free(child);
    free(sibling);
    free(function);
    free(on_path);
}

void vbt_functions_build(struct vbt_functions *functions, const struct vbt_model *model, const struct vbt_attribution *attribution,
                         struct vbt_places *places) {
    *functions = (struct vbt_functions){0};
    struct builder b = {.model = model, .places = places, .functions = functions};
    struct subtree *below = vbt_new(model->node_count + 1, sizeof *below);
    count_self(&b, attribution->leaf, below);
    count_cumulative(&b, attribution->leaf, below);
    free(below);
    free(b.row_of_place);
}

void vbt_functions_free(struct vbt_functions *functions) {
    free(functions->rows);
    *functions = (struct vbt_functions){0};
}

const char *const vbt_function_keys[] = {"bytes", "allocs", "cum-bytes", "cum-allocs", "file", NULL};

enum key { BY_BYTES, BY_ALLOCS, BY_CUMULATIVE_BYTES, BY_CUMULATIVE_ALLOCS, BY_FILE };

static uint64_t value_of(const struct vbt_function *f, enum key key) {
    switch (key) {
    case BY_BYTES:
        return f->self_bytes;
    case BY_ALLOCS:
        return f->self_allocs;
    case BY_CUMULATIVE_BYTES:
        return f->cumulative_bytes;
    case BY_CUMULATIVE_ALLOCS:
        return f->cumulative_allocs;
    default:
        return 0;
    }
}

static int compare(const void *left, const void *right, void *by) {
    const struct vbt_function *a = left, *b = right;
    uint64_t x = value_of(a, *(enum key *)by), y = value_of(b, *(enum key *)by);
    if (x != y)
        return x > y ? -1 : 1;
    int order = strcmp(a->place->file, b->place->file);
    if (order == 0)
        order = a->place->line < b->place->line ? -1 : a->place->line > b->place->line;
    return order != 0 ? order : strcmp(a->place->function, b->place->function);
}

void vbt_functions_sort(struct vbt_functions *functions, const char *name) {
    for (int i = 0; vbt_function_keys[i] != NULL; i++)
        if (strcmp(vbt_function_keys[i], name) == 0 && functions->count > 0) {
            enum key key = (enum key)i;
            qsort_r(functions->rows, functions->count, sizeof *functions->rows, compare, &key);
        }
}

void vbt_functions_filter(struct vbt_functions *functions, const char *text) {
    size_t kept = 0;
    for (size_t i = 0; i < functions->count; i++)
        if (strstr(functions->rows[i].place->file, text) != NULL || strstr(functions->rows[i].place->function, text) != NULL)
            functions->rows[kept++] = functions->rows[i];
    functions->count = kept;
}
