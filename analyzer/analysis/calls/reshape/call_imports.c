/* See call_imports.h. */
#include "call_imports.h"

#include "analyzer/analysis/calls/call_children.h"
#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

/* Which calls are folded, for the caller to free; NULL if none is. A native function that the
 * machinery calls is one of it if it calls Python again. */
static bool *choose(const struct vbt_call_tree *tree) {
    bool *calls_python = vbt_new(tree->count, sizeof *calls_python), *folded = vbt_new(tree->count, sizeof *folded), any = false;
    for (size_t i = tree->count; i-- > 1;) {
        bool python = vbt_call_place(tree, (uint32_t)i)->kind == VBT_PLACE_PYTHON;
        calls_python[tree->calls[i].parent] = calls_python[tree->calls[i].parent] || python || calls_python[i];
    }
    for (uint32_t i = 1; i < tree->count; i++) {
        const struct vbt_source_place *place = vbt_call_place(tree, i);
        bool between = place->kind == VBT_PLACE_NATIVE && folded[tree->calls[i].parent] && calls_python[i];
        folded[i] = !tree->calls[i].group && (between || vbt_place_imports(place));
        any = any || folded[i];
    }
    free(calls_python);
    if (any)
        return folded;
    free(folded);
    return NULL;
}

/* Adds the place of the folded calls; its number. */
static uint32_t add_place(struct vbt_call_tree *tree) {
    struct vbt_source_place *place = vbt_new(1, sizeof *place);
    char *name = vbt_text("%s", VBT_IMPORTS_NAME);
    *place =
        (struct vbt_source_place){.kind = VBT_PLACE_SPECIAL, .index = (uint32_t)tree->named_count, .file = name, .function = name};
    tree->named = vbt_grow(tree->named, &tree->named_capacity, tree->named_count + 1, sizeof(void *));
    tree->named[tree->named_count++] = place;
    tree->places = vbt_grow(tree->places, &tree->place_capacity, tree->place_count + 1, sizeof(void *));
    tree->places[tree->place_count] = place;
    return (uint32_t)tree->place_count++;
}

/* Counts at a call what was counted at another one, whose row may become its own. */
static void count(struct vbt_call_tree *tree, struct vbt_call *to, uint32_t row) {
    if (to->counts == 0) {
        to->counts = row;
    } else if (row != 0) {
        const struct vbt_measures measures = vbt_measures_of(&tree->counts, row);
        to->counts = vbt_measures_add(&tree->counts, to->counts, &measures);
    }
}

void vbt_call_tree_fold_imports(struct vbt_call_tree *tree) {
    bool *folded = choose(tree);
    if (folded == NULL)
        return;
    struct vbt_call_tree to = {.count = 1};
    struct vbt_call_children children;
    uint32_t *number = vbt_new(tree->count, sizeof *number), place = add_place(tree);
    to.calls = vbt_grow(NULL, &to.capacity, 1, sizeof *to.calls);
    to.calls[0] = tree->calls[0];
    vbt_call_children_begin(&children, &to, tree->count);
    for (size_t i = 1; i < tree->count; i++) {
        struct vbt_call call = tree->calls[i];
        bool goes_on = folded[i] && folded[call.parent];
        call.inlined = !folded[i] && !folded[call.parent] && call.inlined;
        call.parent = number[call.parent];
        call.place = folded[i] ? place : call.place;
        number[i] = goes_on ? call.parent : vbt_call_children_put(&children, &to, call);
        count(tree, &to.calls[number[i]], call.counts);
    }
    tree->counted = 0;
    for (size_t i = 0; i < to.count; i++)
        tree->counted += to.calls[i].counts != 0;
    for (int i = 0; i < VBT_MEASURES; i++)
        vbt_call_tree_forget(tree, (enum vbt_measure)i);
    vbt_call_children_free(&children);
    free(tree->calls);
    free(folded);
    free(number);
    tree->calls = to.calls;
    tree->count = to.count;
    tree->capacity = to.capacity;
}
