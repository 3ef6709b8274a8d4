/* Pairs functions: by file and name, and what is left by what their lines say. */
#include "match_steps.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

/* Of more functions not all are compared with all. */
enum { MOST = 1 << 22 };

/* A function of one side, with what it is looked for by. */
struct side_function {
    uint32_t id, file_pair;
    int64_t first_line;
    const char *name;
};

static int by_key(const struct side_function *a, const struct side_function *b) {
    if (a->file_pair != b->file_pair)
        return a->file_pair < b->file_pair ? -1 : 1;
    return strcmp(a->name, b->name);
}

static int by_key_and_line(const void *left, const void *right) {
    const struct side_function *a = left, *b = right;
    int order = by_key(a, b);
    if (order == 0)
        order = a->first_line < b->first_line ? -1 : a->first_line > b->first_line;
    return order != 0 ? order : a->id < b->id ? -1 : a->id > b->id;
}

/* The functions of a side that have no pair, those of files that are on both sides only if `both`.
 * The caller frees the list. */
static struct side_function *list(const struct vbt_compared_places *places, const uint32_t *pair_of, const uint32_t *file_pair_of,
                                  bool both, size_t *count) {
    struct side_function *functions = vbt_new(places->function_count, sizeof *functions);
    *count = 0;
    for (uint32_t i = 1; i <= places->function_count; i++) {
        const struct vbt_compared_function *f = &places->functions[i];
        if (pair_of[i] == 0 && (!both || file_pair_of[f->file] != 0))
            functions[(*count)++] = (struct side_function){i, file_pair_of[f->file], f->first_line, f->name};
    }
    if (*count > 0)
        qsort(functions, *count, sizeof *functions, by_key_and_line);
    return functions;
}

static size_t same_key(const struct side_function *functions, size_t count) {
    size_t same = 1;
    while (same < count && by_key(&functions[same], &functions[0]) == 0)
        same++;
    return same;
}

struct matching_functions {
    struct vbt_matching *matching;
    struct vbt_bodies old, new;
};

/* Pairs functions of one name in one file: first those that say the same, then in their order. */
static void pair_same_names(struct matching_functions *m, const struct side_function *old, size_t old_count,
                            const struct side_function *new, size_t new_count) {
    struct vbt_pairs *pairs = &m->matching->functions;
    bool several = old_count + new_count > 2 && old_count * new_count <= MOST;
    for (size_t i = 0; i < old_count && several; i++)
        for (size_t j = 0; j < new_count && pairs->of_old[old[i].id] == 0; j++)
            if (pairs->of_new[new[j].id] == 0 && m->old.of[old[i].id].whole == m->new.of[new[j].id].whole)
                vbt_pair_add(pairs, old[i].id, new[j].id);
    for (size_t i = 0, j = 0; i < old_count && j < new_count;) {
        bool taken_old = pairs->of_old[old[i].id] != 0, taken_new = pairs->of_new[new[j].id] != 0;
        if (!taken_old && !taken_new)
            vbt_pair_add(pairs, old[i].id, new[j].id);
        i += taken_old || !taken_new;
        j += taken_new || !taken_old;
    }
}

static void pair_by_name(struct matching_functions *m) {
    size_t old_count, new_count;
    const struct vbt_matching *all = m->matching;
    struct side_function *old = list(all->old, all->functions.of_old, all->files.of_old, true, &old_count),
                         *new = list(all->new, all->functions.of_new, all->files.of_new, true, &new_count);
    for (size_t i = 0, j = 0; i < old_count && j < new_count;) {
        int order = by_key(&old[i], &new[j]);
        size_t from_old = same_key(old + i, old_count - i), from_new = same_key(new + j, new_count - j);
        if (order == 0)
            pair_same_names(m, old + i, from_old, new + j, from_new);
        i += order <= 0 ? from_old : 0;
        j += order >= 0 ? from_new : 0;
    }
    free(old);
    free(new);
}

/* Two functions that may be one. */
struct candidate {
    uint32_t old, new;
    double likeness;
};

static int most_likely_first(const void *left, const void *right) {
    const struct candidate *a = left, *b = right;
    if (a->likeness != b->likeness)
        return a->likeness > b->likeness ? -1 : 1;
    if (a->old != b->old)
        return a->old < b->old ? -1 : 1;
    return a->new < b->new ? -1 : a->new > b->new;
}

/* How much two functions are alike; 0: they are not one. The same lines make it so, if they are two
 * or more, or the name or the file is the same; half of the lines do if the name or the file is the
 * same. */
static double likeness(const struct matching_functions *m, const struct side_function *old, const struct side_function *new) {
    const struct vbt_body *a = &m->old.of[old->id], *b = &m->new.of[new->id];
    if (!a->known || !b->known)
        return 0;
    bool same_file = old->file_pair != 0 && old->file_pair == new->file_pair, same_name = strcmp(old->name, new->name) == 0;
    size_t common = vbt_bodies_common(a, b), most = a->count > b->count ? a->count : b->count;
    bool all = a->whole == b->whole, related = same_file || same_name;
    if (!(all && (related || common >= 2)) && !(2 * common >= most && common >= 2 && related))
        return 0;
    return (double)common / (double)most + (all ? 1 : 0) + (same_file ? 0.25 : 0) + (same_name ? 0.25 : 0);
}

/* Functions that were renamed, or went to another file. */
static void pair_by_body(struct matching_functions *m) {
    size_t old_count, new_count, count = 0, capacity = 0;
    struct vbt_matching *all = m->matching;
    struct side_function *old = list(all->old, all->functions.of_old, all->files.of_old, false, &old_count),
                         *new = list(all->new, all->functions.of_new, all->files.of_new, false, &new_count);
    struct candidate *candidates = NULL;
    for (size_t i = 0; i < old_count && old_count * new_count <= MOST; i++)
        for (size_t j = 0; j < new_count; j++) {
            double like = likeness(m, &old[i], &new[j]);
            if (like <= 0)
                continue;
            candidates = vbt_grow(candidates, &capacity, count + 1, sizeof *candidates);
            candidates[count++] = (struct candidate){old[i].id, new[j].id, like};
        }
    if (count > 0)
        qsort(candidates, count, sizeof *candidates, most_likely_first);
    for (size_t i = 0; i < count; i++)
        if (all->functions.of_old[candidates[i].old] == 0 && all->functions.of_new[candidates[i].new] == 0)
            vbt_pair_add(&all->functions, candidates[i].old, candidates[i].new);
    free(candidates);
    free(old);
    free(new);
}

void vbt_match_functions(struct vbt_matching *matching) {
    struct matching_functions m = {.matching = matching};
    vbt_bodies_get(&m.old, matching->old);
    vbt_bodies_get(&m.new, matching->new);
    pair_by_name(&m);
    pair_by_body(&m);
    vbt_bodies_free(&m.old);
    vbt_bodies_free(&m.new);
}
