/* Joins the call trees of both sides. */
#include "analyzer/base/hash.h"

#include "compare_join.h"

#include <string.h>

struct joining {
    struct vbt_comparison *comparison;
    struct vbt_id_table table;
    struct vbt_compared_path wanted;
};

static bool is_path(const void *context, uint32_t id) {
    const struct joining *j = context;
    const struct vbt_compared_path *a = &j->comparison->paths[id], *b = &j->wanted;
    return a->parent == b->parent && a->place == b->place && a->inlined == b->inlined;
}

static uint32_t path_id(struct joining *j, struct vbt_compared_path path) {
    struct vbt_comparison *c = j->comparison;
    const uint64_t key[2] = {(uint64_t)path.parent << 32 | path.place, path.inlined};
    j->wanted = path;
    struct vbt_id_slot *slot = vbt_id_table_find(&j->table, (uint32_t)XXH64(key, sizeof key, vbt_hash_key()), is_path, j);
    if (slot->id != 0)
        return slot->id;
    c->paths = vbt_grow(c->paths, &c->path_capacity, c->path_count + 1, sizeof *c->paths);
    c->paths[c->path_count] = path;
    vbt_id_table_take(&j->table, slot, (uint32_t)c->path_count);
    return (uint32_t)c->path_count++;
}

static void add_side(struct joining *j, const struct vbt_side *side, const uint32_t *pair_of, size_t first_run) {
    struct vbt_comparison *c = j->comparison;
    uint32_t *ids = vbt_new(side->path_count, sizeof *ids);
    for (size_t i = 0; i < side->path_count; i++) {
        struct vbt_compared_path path = side->paths[i];
        path.parent = ids[path.parent];
        path.place = pair_of[path.place];
        ids[i] = i > 0 ? path_id(j, path) : 0;
        vbt_values_at(&c->path_values, ids[i], 0);
        for (size_t run = 0; run < side->run_count && i < side->path_values.rows; run++)
            vbt_counts_add(vbt_values_at(&c->path_values, ids[i], first_run + run), vbt_values_of(&side->path_values, i, run));
    }
    free(ids);
}

void vbt_join_paths(struct vbt_comparison *c) {
    struct joining joining = {.comparison = c};
    c->paths = vbt_grow(c->paths, &c->path_capacity, 1, sizeof *c->paths);
    c->paths[c->path_count++] = (struct vbt_compared_path){0};
    add_side(&joining, &c->old, c->matching.places.of_old, 0);
    add_side(&joining, &c->new, c->matching.places.of_new, c->old.run_count);
    vbt_id_table_free(&joining.table);
}
