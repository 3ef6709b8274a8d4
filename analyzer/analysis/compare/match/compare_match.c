/* See compare_match.h. */
#include "compare_match.h"

#include "match_steps.h"
#include "analyzer/base/allocate.h"

#include <stdlib.h>

static void begin(struct vbt_pairs *pairs, size_t old_count, size_t new_count) {
    *pairs = (struct vbt_pairs){.of_old = vbt_new(old_count + 1, sizeof *pairs->of_old),
                                .of_new = vbt_new(new_count + 1, sizeof *pairs->of_new)};
    pairs->rows = vbt_grow(NULL, &pairs->capacity, 1, sizeof *pairs->rows);
    pairs->rows[0] = (struct vbt_pair){0};
}

void vbt_pair_add(struct vbt_pairs *pairs, uint32_t old, uint32_t new) {
    pairs->rows = vbt_grow(pairs->rows, &pairs->capacity, ++pairs->count + 1, sizeof *pairs->rows);
    pairs->rows[pairs->count] = (struct vbt_pair){old, new};
    if (old != 0)
        pairs->of_old[old] = (uint32_t)pairs->count;
    if (new != 0)
        pairs->of_new[new] = (uint32_t)pairs->count;
}

static int by_new(const void *left, const void *right) {
    const struct vbt_pair *a = left, *b = right;
    return a->new < b->new ? -1 : a->new > b->new;
}

/* Puts the pairs in order, and adds those that are on one side only. */
static void finish(struct vbt_pairs *pairs, size_t old_count, size_t new_count) {
    qsort(pairs->rows + 1, pairs->count, sizeof *pairs->rows, by_new);
    for (size_t i = 1; i <= pairs->count; i++) {
        pairs->of_old[pairs->rows[i].old] = (uint32_t)i;
        pairs->of_new[pairs->rows[i].new] = (uint32_t)i;
    }
    for (uint32_t i = 1; i <= new_count; i++)
        if (pairs->of_new[i] == 0)
            vbt_pair_add(pairs, 0, i);
    for (uint32_t i = 1; i <= old_count; i++)
        if (pairs->of_old[i] == 0)
            vbt_pair_add(pairs, i, 0);
}

void vbt_match(struct vbt_matching *m, const struct vbt_compared_places *old, const struct vbt_compared_places *new) {
    m->old = old;
    m->new = new;
    begin(&m->files, old->file_count, new->file_count);
    begin(&m->functions, old->function_count, new->function_count);
    begin(&m->places, old->count, new->count);
    vbt_match_files(m);
    vbt_match_functions(m);
    vbt_match_lines(m);
    finish(&m->files, old->file_count, new->file_count);
    finish(&m->functions, old->function_count, new->function_count);
    finish(&m->places, old->count, new->count);
}

static void free_pairs(struct vbt_pairs *pairs) {
    free(pairs->rows);
    free(pairs->of_old);
    free(pairs->of_new);
}

void vbt_matching_free(struct vbt_matching *m) {
    free_pairs(&m->files);
    free_pairs(&m->functions);
    free_pairs(&m->places);
}
