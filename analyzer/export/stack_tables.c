/* See stack_tables.h. */
#include "stack_tables.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/hash.h"
#include "analyzer/base/message.h"

#include <stdlib.h>

struct known {
    struct vbt_location location; /* the key */
    uint32_t number;
    UT_hash_handle hh;
};

void vbt_locations_build(struct vbt_locations *locations, const struct vbt_call_tree *tree) {
    struct known *all = NULL, *known, *next;
    *locations = (struct vbt_locations){.of_call = vbt_new(tree->count, sizeof *locations->of_call)};
    locations->rows = vbt_grow(NULL, &locations->capacity, 1, sizeof *locations->rows);
    locations->rows[0] = (struct vbt_location){0};
    for (size_t i = 1; i < tree->count; i++) {
        const struct vbt_call *call = &tree->calls[i];
        if (call->group)
            continue;
        struct vbt_location location = {.place = call->place, .outer = call->inlined ? locations->of_call[call->parent] : 0};
        HASH_FIND(hh, all, &location, sizeof location, known);
        if (known == NULL) {
            known = vbt_new(1, sizeof *known);
            known->location = location;
            known->number = (uint32_t)++locations->count;
            HASH_ADD(hh, all, location, sizeof location, known);
            locations->rows = vbt_grow(locations->rows, &locations->capacity, locations->count + 1, sizeof *locations->rows);
            locations->rows[locations->count] = location;
        }
        locations->of_call[i] = known->number;
    }
    HASH_ITER(hh, all, known, next) {
        HASH_DEL(all, known);
        free(known);
    }
}

void vbt_locations_free(struct vbt_locations *locations) {
    free(locations->rows);
    free(locations->of_call);
    *locations = (struct vbt_locations){0};
}

uint32_t vbt_call_outside(const struct vbt_call_tree *tree, uint32_t call) {
    while (tree->calls[call].inlined)
        call = tree->calls[call].parent;
    call = tree->calls[call].parent;
    return tree->calls[call].group ? 0 : call;
}

uint32_t vbt_call_group(const struct vbt_call_tree *tree, uint32_t call) {
    while (call != 0 && !tree->calls[call].group)
        call = tree->calls[call].parent;
    return call;
}

size_t vbt_export_limit_of(size_t stacks, size_t frames, const struct vbt_query *query) {
    enum { MOST_FRAMES = 1 << 28, LEAST_LIMIT = 64 };
    if (frames <= MOST_FRAMES)
        return SIZE_MAX;
    size_t limit = MOST_FRAMES / stacks > LEAST_LIMIT ? MOST_FRAMES / stacks : LEAST_LIMIT;
    vbt_warn("%s: the innermost %zu frames of each call stack are exported: the stacks are too deep", query->trace, limit);
    return limit;
}

size_t vbt_export_limit(const struct vbt_call_tree *tree, const struct vbt_query *query) {
    size_t stacks = 0, frames = 0;
    for (uint32_t i = 1; i < tree->count; i++)
        if (tree->calls[i].counts != 0) {
            frames += tree->calls[i].depth;
            stacks++;
        }
    return vbt_export_limit_of(stacks, frames, query);
}
