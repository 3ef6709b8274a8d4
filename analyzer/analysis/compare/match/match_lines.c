/* Pairs the lines of functions that are paired: by what they say, in order. */
#include "match_steps.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

/* Of longer functions not all lines are compared with all. */
enum { MOST = 1 << 22 };

/* The lines of a pair of functions that have no pair, in order. */
struct two_lists {
    struct vbt_matching *matching;
    const uint32_t *old, *new;
    size_t old_count, new_count;
    int64_t old_first, new_first; /* where the functions begin; 0: unknown */
};

/* How far into its function a line is; without knowing where that begins, the line itself. */
static int64_t distance(const struct two_lists *l, const struct vbt_compared_place *place, int64_t first) {
    return l->old_first > 0 && l->new_first > 0 ? place->line - first : place->line;
}

static bool is_same(const struct two_lists *l, size_t i, size_t j) {
    const struct vbt_compared_place *a = &l->matching->old->rows[l->old[i]], *b = &l->matching->new->rows[l->new[j]];
    if (a->text != NULL && b->text != NULL)
        return strcmp(a->text, b->text) == 0;
    return distance(l, a, l->old_first) == distance(l, b, l->new_first);
}

static void pair(struct two_lists *l, size_t i, size_t j) { vbt_pair_add(&l->matching->places, l->old[i], l->new[j]); }

static bool is_free(const struct two_lists *l, size_t i, size_t j) {
    return l->matching->places.of_old[l->old[i]] == 0 && l->matching->places.of_new[l->new[j]] == 0;
}

/* The longest common subsequence of old lines from `i` and new lines from `j` on. */
static void pair_longest(struct two_lists *l, size_t from_old, size_t old_count, size_t from_new, size_t new_count) {
    size_t width = new_count - from_new + 1, height = old_count - from_old + 1;
    uint32_t *longest = vbt_new(width * height, sizeof *longest);
    for (size_t i = height - 1; i-- > 0;)
        for (size_t j = width - 1; j-- > 0;) {
            uint32_t without = longest[(i + 1) * width + j], other = longest[i * width + j + 1];
            without = other > without ? other : without;
            longest[i * width + j] = is_same(l, from_old + i, from_new + j) ? longest[(i + 1) * width + j + 1] + 1 : without;
        }
    for (size_t i = 0, j = 0; i + 1 < height && j + 1 < width;) {
        if (is_same(l, from_old + i, from_new + j))
            pair(l, from_old + i++, from_new + j++);
        else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1])
            i++;
        else
            j++;
    }
    free(longest);
}

/* What is the same at both ends needs no search. */
static void pair_in_order(struct two_lists *l) {
    size_t begin = 0, old_end = l->old_count, new_end = l->new_count;
    for (; begin < old_end && begin < new_end && is_same(l, begin, begin); begin++)
        pair(l, begin, begin);
    for (; old_end > begin && new_end > begin && is_same(l, old_end - 1, new_end - 1); old_end--, new_end--)
        pair(l, old_end - 1, new_end - 1);
    if (old_end > begin && new_end > begin && (old_end - begin) * (new_end - begin) <= MOST)
        pair_longest(l, begin, old_end, begin, new_end);
}

/* Lines that say the same in another order. */
static void pair_moved(struct two_lists *l) {
    for (size_t i = 0; i < l->old_count && l->old_count * l->new_count <= MOST; i++)
        for (size_t j = 0; j < l->new_count && l->matching->places.of_old[l->old[i]] == 0; j++)
            if (l->matching->new->rows[l->new[j]].text != NULL && is_free(l, i, j) && is_same(l, i, j))
                pair(l, i, j);
}

static bool are_alike(const struct two_lists *l, size_t i, size_t j) {
    const char *a = l->matching->old->rows[l->old[i]].text, *b = l->matching->new->rows[l->new[j]].text;
    return a != NULL && b != NULL && vbt_texts_alike(a, b);
}

/* How many lines from `at` on have no pair. */
static size_t unpaired(const uint32_t *lines, size_t at, size_t count, const uint32_t *pair_of) {
    size_t end = at;
    while (end < count && pair_of[lines[end]] == 0)
        end++;
    return end - at;
}

/* Lines after the same neighbour that are as many on both sides, and alike. */
static void pair_edited(struct two_lists *l) {
    const struct vbt_pairs *pairs = &l->matching->places;
    size_t *old_of = vbt_new(pairs->count + 1, sizeof *old_of); /* by pair: 1 + where it is among the old lines */
    for (size_t i = 0; i < l->old_count; i++)
        if (pairs->of_old[l->old[i]] != 0)
            old_of[pairs->of_old[l->old[i]]] = i + 1;
    for (size_t j = 0, next; j < l->new_count; j = next) {
        size_t gap = unpaired(l->new, j, l->new_count, pairs->of_new);
        next = j + (gap > 0 ? gap : 1);
        size_t i = gap > 0 && j > 0 ? old_of[pairs->of_new[l->new[j - 1]]] : 0;
        bool as_many = gap > 0 && gap == unpaired(l->old, i, l->old_count, pairs->of_old);
        for (size_t k = 0; as_many && k < gap; k++)
            if (are_alike(l, i + k, j + k))
                pair(l, i + k, j + k);
    }
    free(old_of);
}

void vbt_match_lines(struct vbt_matching *m) {
    struct vbt_function_lines old, new;
    vbt_function_lines_get(&old, m->old);
    vbt_function_lines_get(&new, m->new);
    for (size_t p = 1; p <= m->functions.count; p++) {
        const struct vbt_pair *f = &m->functions.rows[p];
        struct two_lists lists = {.matching = m,
                                  .old = old.rows + old.at[f->old],
                                  .new = new.rows + new.at[f->new],
                                  .old_count = old.at[f->old + 1] - old.at[f->old],
                                  .new_count = new.at[f->new + 1] - new.at[f->new],
                                  .old_first = m->old->functions[f->old].first_line,
                                  .new_first = m->new->functions[f->new].first_line};
        pair_in_order(&lists);
        pair_moved(&lists);
        pair_edited(&lists);
    }
    vbt_function_lines_free(&old);
    vbt_function_lines_free(&new);
}
