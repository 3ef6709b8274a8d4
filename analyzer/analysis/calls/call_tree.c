/* See call_tree.h. How a tree is made: call_merge.c. */
#include "call_tree.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

/* In one pass from the last call to the first: a parent's index is smaller. */
/* known: by measure, whether it is summed up already. */
static void add_call(struct vbt_call_tree *tree, size_t call, enum vbt_measure first, enum vbt_measure end, const bool *known) {
    uint32_t parent = tree->calls[call].parent;
    struct vbt_measures own = {{0}};
    if (tree->calls[call].counts != 0 && end - first > 1)
        own = vbt_measures_of(&tree->counts, tree->calls[call].counts);
    else
        own.of[first] = vbt_measure_of(&tree->counts, tree->calls[call].counts, first);
    for (unsigned measure = first; measure < (unsigned)end; measure++) {
        int64_t *sums = tree->sums[measure];
        if (known[measure])
            continue;
        sums[call] = plus(sums[call], own.of[measure]);
        sums[parent] = plus(sums[parent], sums[call]);
    }
}

void vbt_call_tree_sum_some(struct vbt_call_tree *tree, enum vbt_measure first, enum vbt_measure end) {
    bool known[VBT_MEASURES], all = true;
    for (unsigned measure = first; measure < (unsigned)end; measure++) {
        known[measure] = tree->sums[measure] != NULL;
        all = all && known[measure];
        if (!known[measure])
            tree->sums[measure] = vbt_new(tree->count, sizeof *tree->sums[measure]);
    }
    for (size_t i = tree->count; i-- > 1 && !all;)
        add_call(tree, i, first, end, known);
    for (unsigned measure = first; measure < (unsigned)end; measure++)
        if (!known[measure])
            tree->sums[measure][0] = tree->totals[measure];
}

const int64_t *vbt_call_tree_sum(struct vbt_call_tree *tree, enum vbt_measure measure) {
    vbt_call_tree_sum_some(tree, measure, measure + 1);
    return tree->sums[measure];
}

/* Marks a row in the making: that of no other call. */
#define OWN (UINT32_C(1) << 31)

/* The sum of two rows, 0 or not. The first is changed if it is OWN. */
static uint32_t add_rows(struct vbt_packed_rows *rows, uint32_t to, uint32_t more) {
    if (to == 0 || more == 0)
        return to + more;
    const struct vbt_measures measures = vbt_measures_of(rows, more);
    if ((to & OWN) != 0)
        return vbt_measures_add(rows, to & ~OWN, &measures) | OWN;
    return vbt_measures_put_sum(rows, to, &measures) | OWN;
}

/* Most calls have what their only child has, or just what was counted at themselves: that is their
 * row. */
uint32_t *vbt_call_tree_sum_all(struct vbt_call_tree *tree) {
    uint32_t *sums = vbt_new(tree->count, sizeof *sums);
    for (size_t i = tree->count; i-- > 0;) {
        sums[i] = add_rows(&tree->counts, sums[i], tree->calls[i].counts) & ~OWN;
        uint32_t *above = &sums[tree->calls[i].parent];
        if (i > 0)
            *above = add_rows(&tree->counts, *above, sums[i]);
    }
    return sums;
}

void vbt_call_tree_forget(struct vbt_call_tree *tree, enum vbt_measure measure) {
    free(tree->sums[measure]);
    tree->sums[measure] = NULL;
}

void vbt_call_tree_clamp(struct vbt_call_tree *tree, enum vbt_measure measure) {
    for (size_t i = 0; i < tree->count; i++) {
        uint32_t *row = &tree->calls[i].counts;
        if (vbt_measure_of(&tree->counts, *row, measure) >= 0)
            continue;
        struct vbt_measures counts = vbt_measures_of(&tree->counts, *row);
        counts.of[measure] = 0;
        *row = vbt_measures_put(&tree->counts, *row, &counts);
    }
    vbt_call_tree_forget(tree, measure);
    int64_t *sums = tree->sums[measure] = vbt_new(tree->count, sizeof *sums);
    for (size_t i = tree->count; i-- > 0;) {
        int64_t own = vbt_measure_of(&tree->counts, tree->calls[i].counts, measure);
        if (__builtin_add_overflow(sums[i], own, &sums[i]))
            sums[i] = INT64_MAX;
        int64_t *above = &sums[tree->calls[i].parent];
        if (i > 0 && __builtin_add_overflow(*above, sums[i], above))
            *above = INT64_MAX;
    }
    tree->totals[measure] = sums[0];
}

struct call_order {
    const struct vbt_call_tree *tree;
    const int64_t *sums;
};

static int by_size(const void *left, const void *right, void *data) {
    const struct call_order *s = data;
    uint32_t x = *(const uint32_t *)left, y = *(const uint32_t *)right;
    if (s->sums[x] != s->sums[y])
        return s->sums[x] > s->sums[y] ? -1 : 1;
    const struct vbt_source_place *a = vbt_call_place(s->tree, x), *b = vbt_call_place(s->tree, y);
    int order = strcmp(a->function, b->function);
    if (order == 0)
        order = vbt_place_compare(a, b);
    return order != 0 ? order : x < y ? -1 : 1;
}

bool vbt_call_is_kept(const struct vbt_call_tree *tree, uint32_t call) {
    const struct vbt_call_choice *choice = &tree->choice;
    int64_t sum = choice->sums[call];
    uint32_t depth = tree->calls[call].depth;
    if (call == 0 || sum < choice->least || depth > choice->deepest)
        return call == 0;
    return sum > choice->least || depth < choice->before || (depth == choice->before && call <= choice->last);
}

/* The children of each call are counted, then put where they belong, and only siblings are
 * compared. */
static size_t sort(struct vbt_call_tree *tree) {
    struct call_order sorting = {tree, tree->choice.sums};
    free(tree->children);
    free(tree->child_at);
    uint32_t *begin = tree->child_at = vbt_new(tree->count + 1, sizeof *begin);
    size_t count = 0;
    for (uint32_t i = 1; i < tree->count; i++)
        if (vbt_call_is_kept(tree, i)) {
            begin[tree->calls[i].parent + 1]++;
            count++;
        }
    for (size_t i = 1; i <= tree->count; i++)
        begin[i] += begin[i - 1];
    uint32_t *children = tree->children = vbt_new(count, sizeof *children);
    for (uint32_t i = (uint32_t)tree->count; i-- > 1;) /* begin[p + 1] goes down to where the children of p begin */
        if (vbt_call_is_kept(tree, i))
            children[--begin[tree->calls[i].parent + 1]] = i;
    memmove(begin, begin + 1, tree->count * sizeof *begin);
    begin[tree->count] = (uint32_t)count;
    for (uint32_t i = 0; i < tree->count; i++)
        if (vbt_call_children(tree, i) > 1)
            qsort_r(children + begin[i], vbt_call_children(tree, i), sizeof *children, by_size, &sorting);
    return count;
}

void vbt_call_tree_sort(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least) {
    tree->choice = (struct vbt_call_choice){vbt_call_tree_sum(tree, measure), least, UINT32_MAX, 0, UINT32_MAX};
    sort(tree);
}

static int largest_first(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a > b ? -1 : a < b;
}

/* The number-th largest of some values, from 0. Halves the range of values until few are left. */
static int64_t find_largest(int64_t *values, size_t count, size_t number) {
    enum { FEW = 1 << 16 };
    int64_t low = 0, high = 0;
    for (size_t i = 0; i < count; i++)
        high = values[i] > high ? values[i] : high;
    while (count > FEW && low < high) {
        int64_t middle = low + (high - low) / 2;
        size_t above = 0, kept = 0;
        for (size_t i = 0; i < count; i++)
            above += values[i] > middle;
        bool is_above = number < above;
        for (size_t i = 0; i < count; i++)
            if ((values[i] > middle) == is_above)
                values[kept++] = values[i];
        number -= is_above ? 0 : above;
        count = kept;
        low = is_above ? middle + 1 : low;
        high = is_above ? high : middle;
    }
    if (low >= high)
        return low;
    qsort(values, count, sizeof *values, largest_first);
    return values[number];
}

/* Raises the least, and chooses among the calls that have just that, until `most` are left. */
static void choose_largest(struct vbt_call_tree *tree, size_t count, size_t most) {
    struct vbt_call_choice *choice = &tree->choice;
    int64_t *values = vbt_new(count, sizeof *values);
    size_t listed = 0, more = 0;
    for (uint32_t i = 1; i < tree->count; i++)
        if (vbt_call_is_kept(tree, i))
            values[listed++] = choice->sums[i];
    choice->least = find_largest(values, listed, most);
    free(values);
    uint32_t *alike = vbt_new((size_t)choice->deepest + 1, sizeof *alike); /* by level */
    for (uint32_t i = 1; i < tree->count; i++) {
        bool kept = vbt_call_is_kept(tree, i);
        more += kept && choice->sums[i] > choice->least;
        if (kept && choice->sums[i] == choice->least)
            alike[tree->calls[i].depth]++;
    }
    for (choice->before = 0; choice->before < choice->deepest && more + alike[choice->before] <= most; choice->before++)
        more += alike[choice->before];
    free(alike);
    for (uint32_t i = 1; i < tree->count && more < most; i++)
        if (choice->sums[i] == choice->least && tree->calls[i].depth == choice->before) {
            choice->last = i;
            more++;
        }
}

size_t vbt_call_tree_sort_largest(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least, size_t most,
                                  uint32_t deepest) {
    tree->choice = (struct vbt_call_choice){vbt_call_tree_sum(tree, measure), least, UINT32_MAX, 0, deepest};
    size_t count = 0;
    for (uint32_t i = 1; i < tree->count; i++)
        count += vbt_call_is_kept(tree, i);
    if (count > most)
        choose_largest(tree, count, most);
    return sort(tree);
}

void vbt_call_tree_free(struct vbt_call_tree *tree) {
    for (size_t i = 0; i < tree->named_count; i++) {
        free((char *)(uintptr_t)tree->named[i]->file);
        free(tree->named[i]);
    }
    for (int i = 0; i < VBT_MEASURES; i++)
        free(tree->sums[i]);
    free(tree->named);
    free(tree->calls);
    free(tree->places);
    vbt_packed_free(&tree->counts);
    free(tree->children);
    free(tree->child_at);
    *tree = (struct vbt_call_tree){0};
}
