/* See call_history.h. */
#include "call_history.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>

static int by_step(const void *left, const void *right) {
    const struct vbt_change *a = left, *b = right;
    if (a->step != b->step)
        return a->step < b->step ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

/* The changes of the nodes of a call are one. */
static void collect(struct vbt_call_history *history, const struct vbt_changes *changes, const uint32_t *calls) {
    size_t kept = 0;
    history->rows = vbt_new(changes->count, sizeof *history->rows);
    for (size_t i = 0; i < changes->count; i++) {
        if (calls[changes->rows[i].node] == 0)
            continue;
        history->rows[kept] = changes->rows[i];
        history->rows[kept++].node = calls[changes->rows[i].node];
    }
    if (kept > 0)
        qsort(history->rows, kept, sizeof *history->rows, by_step);
    for (size_t i = 0; i < kept; i++) {
        if (history->count > 0 && by_step(&history->rows[history->count - 1], &history->rows[i]) == 0)
            vbt_change_add(&history->rows[history->count - 1], &history->rows[i]);
        else
            history->rows[history->count++] = history->rows[i];
    }
}

void vbt_call_history_build(struct vbt_call_history *history, struct vbt_call_tree *tree, struct vbt_trace *trace,
                            const struct vbt_call_tree_shape *shape, uint32_t **calls) {
    *history = (struct vbt_call_history){.steps = &trace->steps};
    uint32_t *of_nodes = NULL;
    if (shape->by != VBT_BY_NOTHING || trace->model.changes == NULL)
        vbt_call_tree_build(tree, trace, shape);
    else
        of_nodes = vbt_call_tree_build_with_calls(tree, trace, shape);
    if (of_nodes != NULL) {
        collect(history, trace->model.changes, of_nodes);
        history->start = vbt_new(tree->count, sizeof *history->start);
        for (uint32_t i = 0; i < tree->count; i++)
            history->start[i] = vbt_call_self_of(tree, i, VBT_MEASURE_LIVE);
        for (size_t i = 0; i < history->count; i++) {
            int64_t *start = &history->start[history->rows[i].node];
            *start = (int64_t)((uint64_t)*start - (uint64_t)vbt_change_live(&history->rows[i]));
        }
    }
    if (calls != NULL)
        *calls = of_nodes;
    else
        free(of_nodes);
}

void vbt_call_history_free(struct vbt_call_history *history) {
    free(history->rows);
    free(history->start);
    *history = (struct vbt_call_history){0};
}
