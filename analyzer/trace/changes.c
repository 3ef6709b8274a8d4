/* See changes.h. */
#include "changes.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

struct vbt_changes *vbt_changes_new(const struct vbt_steps *steps, uint64_t offset) {
    struct vbt_changes *changes = vbt_new(1, sizeof *changes);
    changes->steps = steps;
    changes->offset = offset;
    return changes;
}

void vbt_changes_free(struct vbt_changes *changes) {
    if (changes == NULL)
        return;
    free(changes->rows);
    free(changes->latest);
    free(changes);
}

static struct vbt_change *new_row(struct vbt_changes *changes) {
    changes->rows = vbt_grow(changes->rows, &changes->capacity, changes->count + 1, sizeof *changes->rows);
    return &changes->rows[changes->count++];
}

/* How much of what is inherited is surely gone: as much as is not live. */
static uint64_t gone(int64_t live, uint64_t inherited) {
    return live <= 0 ? inherited : (uint64_t)live < inherited ? inherited - (uint64_t)live : 0;
}

/* What happened at a node from the start until it had this row. */
static struct vbt_change until(const struct vbt_model_counters *row) {
    return (struct vbt_change){
        .allocs = row->allocs,
        .frees = row->inherited_blocks + row->allocs - (uint64_t)row->live_blocks,
        .allocated = row->allocated,
        .freed = row->inherited_bytes + row->allocated - (uint64_t)row->live_bytes,
        .temporary = row->temporary,
        .kept_blocks = gone(row->live_blocks, row->inherited_blocks),
        .kept_bytes = gone(row->live_bytes, row->inherited_bytes),
    };
}

void vbt_change_add(struct vbt_change *to, const struct vbt_change *more) {
    to->allocs += more->allocs;
    to->frees += more->frees;
    to->allocated += more->allocated;
    to->freed += more->freed;
    to->temporary += more->temporary;
    to->kept_blocks += more->kept_blocks;
    to->kept_bytes += more->kept_bytes;
}

static void subtract(struct vbt_change *from, const struct vbt_change *less) {
    from->allocs -= less->allocs;
    from->frees -= less->frees;
    from->allocated -= less->allocated;
    from->freed -= less->freed;
    from->temporary -= less->temporary;
    from->kept_blocks -= less->kept_blocks;
    from->kept_bytes -= less->kept_bytes;
}

static bool is_nothing(const struct vbt_change *c) {
    return (c->allocs | c->frees | c->allocated | c->freed | c->temporary | c->kept_blocks | c->kept_bytes) == 0;
}

void vbt_changes_note(struct vbt_model *m, uint32_t node, const struct vbt_model_counters *row) {
    struct vbt_change change = until(row);
    if (m->nodes[node].counters != 0) {
        const struct vbt_model_counters old = vbt_counters_of(m, node);
        const struct vbt_change before = until(&old);
        subtract(&change, &before);
    }
    if (is_nothing(&change))
        return;
    change.node = node;
    *new_row(m->changes) = change;
}

/* The step in which a time lies. */
static uint32_t step_of(const struct vbt_changes *changes, uint64_t time) {
    const struct vbt_steps *steps = changes->steps;
    size_t low = 1, high = steps->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (steps->ns[middle] >= time + changes->offset)
            high = middle;
        else
            low = middle + 1;
    }
    return (uint32_t)low;
}

static uint32_t *latest_of(struct vbt_changes *changes, uint32_t node) {
    if (node >= changes->latest_count) {
        changes->latest = vbt_grow(changes->latest, &changes->latest_capacity, (size_t)node + 1, sizeof *changes->latest);
        memset(changes->latest + changes->latest_count, 0,
               (changes->latest_capacity - changes->latest_count) * sizeof *changes->latest);
        changes->latest_count = changes->latest_capacity;
    }
    return &changes->latest[node];
}

void vbt_changes_settle(struct vbt_changes *changes, uint64_t time) {
    uint32_t step = step_of(changes, time);
    size_t kept = changes->open;
    for (size_t i = changes->open; i < changes->count; i++) {
        struct vbt_change change = changes->rows[i];
        uint32_t *latest = latest_of(changes, change.node);
        if (*latest > 0 && changes->rows[*latest - 1].step == step) {
            vbt_change_add(&changes->rows[*latest - 1], &change);
            continue;
        }
        change.step = step;
        changes->rows[kept++] = change;
        *latest = (uint32_t)kept;
    }
    changes->count = changes->open = kept;
}

void vbt_changes_clear(struct vbt_changes *changes) {
    changes->count = changes->open = 0;
    if (changes->latest != NULL)
        memset(changes->latest, 0, changes->latest_count * sizeof *changes->latest);
}

void vbt_changes_add(struct vbt_model *sum, const struct vbt_model *from, const uint32_t *nodes) {
    if (sum->changes == NULL)
        sum->changes = vbt_changes_new(from->changes->steps, 0);
    for (size_t i = 0; i < from->changes->count; i++) {
        const struct vbt_change *change = &from->changes->rows[i];
        struct vbt_change *row = new_row(sum->changes);
        *row = *change;
        row->node = nodes[change->node];
        if (from->nodes[change->node].domain == VBT_DOMAIN_MAP) /* each process has its own addresses */
            row->kept_blocks = row->kept_bytes = 0;
    }
}

void vbt_changes_of_whole(struct vbt_model *m, const struct vbt_steps *steps) {
    vbt_changes_free(m->changes);
    m->changes = vbt_changes_new(steps, 0);
    for (uint32_t node = 1; node <= m->node_count; node++) {
        if (m->nodes[node].counters == 0)
            continue;
        const struct vbt_model_counters c = vbt_counters_of(m, node);
        const struct vbt_change change = {.node = node,
                                          .step = (uint32_t)steps->count - 1,
                                          .allocs = c.allocs,
                                          .frees = vbt_model_frees(&c),
                                          .allocated = c.allocated,
                                          .freed = vbt_model_freed(&c),
                                          .temporary = c.temporary};
        if (!is_nothing(&change))
            *new_row(m->changes) = change;
    }
}
