/* See functions.h. */
#include "functions.h"

#include "analyzer/base/allocate.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

/* Finds the calls whose function is not yet on the path from the root: what they and all below them
 * allocated is added to the function. */
static bool *find_outermost(const struct vbt_call_tree *tree) {
    uint32_t *child = vbt_new(tree->count, sizeof *child), *sibling = vbt_new(tree->count, sizeof *sibling);
    for (size_t i = tree->count - 1; i > 0; i--) {
        sibling[i] = child[tree->calls[i].parent];
        child[tree->calls[i].parent] = (uint32_t)i;
    }
    uint32_t *on_path = vbt_new(tree->place_count, sizeof *on_path);
    bool *outermost = vbt_new(tree->count, sizeof *outermost);
    for (uint32_t at = child[0]; at != 0;) {
        outermost[at] = on_path[tree->calls[at].place]++ == 0;
        if (child[at] != 0) {
            at = child[at];
            continue;
        }
        for (;;) {
            on_path[tree->calls[at].place]--;
            if (sibling[at] != 0) {
                at = sibling[at];
                break;
            }
            at = tree->calls[at].parent;
            if (at == 0)
                break;
        }
    }
    free(child);
    free(sibling);
    free(on_path);
    return outermost;
}

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

static void add_own(struct vbt_functions *functions, const struct vbt_call_tree *tree) {
    for (uint32_t i = 1; i < tree->count; i++) {
        if (tree->calls[i].whole || tree->calls[i].counts == 0)
            continue;
        const struct vbt_measures own = vbt_measures_of(&tree->counts, tree->calls[i].counts);
        struct vbt_function *row = &functions->rows[tree->calls[i].place - 1];
        for (int measure = 0; measure < VBT_MEASURES; measure++)
            row->self[measure] = plus(row->self[measure], own.of[measure]);
    }
}

/* Measures that are summed up together: a call's are unpacked once for all of them, and each takes
 * 8 bytes a call meanwhile. */
enum { AT_ONCE = 3 };

static void add_cumulative(struct vbt_functions *functions, struct vbt_call_tree *tree, const bool *outermost, int first) {
    int end = first + AT_ONCE < VBT_MEASURES ? first + AT_ONCE : VBT_MEASURES;
    bool known[AT_ONCE];
    for (int measure = first; measure < end; measure++)
        known[measure - first] = tree->sums[measure] != NULL;
    vbt_call_tree_sum_some(tree, (enum vbt_measure)first, (enum vbt_measure)end);
    for (uint32_t i = 1; i < tree->count; i++) {
        struct vbt_function *row = &functions->rows[tree->calls[i].place - 1];
        for (int measure = first; measure < end && outermost[i]; measure++)
            row->cumulative[measure] = plus(row->cumulative[measure], tree->sums[measure][i]);
    }
    for (int measure = first; measure < end; measure++)
        if (!known[measure - first])
            vbt_call_tree_forget(tree, (enum vbt_measure)measure);
}

void vbt_functions_build(struct vbt_functions *functions, struct vbt_call_tree *tree) {
    *functions =
        (struct vbt_functions){.rows = vbt_new(tree->place_count, sizeof *functions->rows), .count = tree->place_count - 1};
    for (size_t i = 0; i < functions->count; i++) /* a row is that of the place with the next number */
        functions->rows[i].place = tree->places[i + 1];
    add_own(functions, tree);
    bool *outermost = find_outermost(tree);
    for (int measure = 0; measure < VBT_MEASURES; measure += AT_ONCE)
        add_cumulative(functions, tree, outermost, measure);
    free(outermost);
}

void vbt_functions_free(struct vbt_functions *functions) {
    free(functions->rows);
    *functions = (struct vbt_functions){0};
}

const char *const vbt_function_keys[] = {"bytes",      "allocs",   "peak",      "leaks",         "temporary", "grown", "cum-bytes",
                                         "cum-allocs", "cum-peak", "cum-leaks", "cum-temporary", "cum-grown", "file",  NULL};

static const char cumulative[] = "cum-";

static bool is_cumulative(const char *key) { return strncmp(key, cumulative, strlen(cumulative)) == 0; }

enum vbt_measure vbt_function_measure(const char *key) {
    const char *name = is_cumulative(key) ? key + strlen(cumulative) : key;
    for (int i = 0; vbt_measure_names[i] != NULL; i++)
        if (strcmp(vbt_measure_names[i], name) == 0)
            return (enum vbt_measure)i;
    return VBT_MEASURE_BYTES;
}

/* Is it what all allocations of a language go through? */
static bool is_allocator(const struct vbt_source_place *place) {
    static const char *const names[] = {"operator new",   "alloc::alloc::", "alloc::raw_vec::", "__rust_alloc",
                                        "__rust_realloc", "__rdl_",         "g_malloc",         "g_realloc"};
    const char *name = place->function + (place->function[0] == '<');
    for (size_t i = 0; i < VBT_COUNT(names); i++)
        if (place->kind == VBT_PLACE_NATIVE && strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* Does the user have the source of any function? Then what else is in the program comes from
 * libraries that were linked into it. */
static bool any_source(const struct vbt_functions *functions) {
    bool any = false;
    for (size_t i = 0; i < functions->count; i++)
        any = any || (functions->rows[i].place->user && functions->rows[i].place->line > 0);
    return any;
}

/* Does it say something of the user's own code? A program's _start, from which all is called, does
 * not. */
static bool is_telling(const struct vbt_source_place *place, bool with_source) {
    bool is_start = place->kind == VBT_PLACE_NATIVE && strcmp(place->function, "_start") == 0;
    return place->user && (place->line > 0 || (!with_source && !is_start)) && !is_allocator(place);
}

struct function_order {
    enum vbt_measure measure;
    bool cumulative, by_file, users_first, with_source;
};

static int compare(const void *left, const void *right, void *data) {
    const struct vbt_function *a = left, *b = right;
    const struct function_order *by = data;
    if (by->users_first && is_telling(a->place, by->with_source) != is_telling(b->place, by->with_source))
        return is_telling(a->place, by->with_source) ? -1 : 1;
    int64_t x = by->cumulative ? a->cumulative[by->measure] : a->self[by->measure];
    int64_t y = by->cumulative ? b->cumulative[by->measure] : b->self[by->measure];
    if (x == y) { /* with full native stacks nearly all functions allocate nothing themselves */
        x = a->cumulative[by->measure];
        y = b->cumulative[by->measure];
    }
    if (x != y && !by->by_file)
        return x > y ? -1 : 1;
    return vbt_place_compare(a->place, b->place);
}

void vbt_functions_sort(struct vbt_functions *functions, const char *key) {
    struct function_order by = {
        .measure = vbt_function_measure(key), .cumulative = is_cumulative(key), .by_file = strcmp(key, "file") == 0};
    if (functions->count > 0)
        qsort_r(functions->rows, functions->count, sizeof *functions->rows, compare, &by);
}

bool vbt_functions_say_little(const struct vbt_functions *functions) {
    uint64_t allocators = 0, telling = 0;
    bool any = false, with_source = any_source(functions);
    for (size_t i = 0; i < functions->count; i++) {
        const struct vbt_function *f = &functions->rows[i];
        if (is_allocator(f->place))
            allocators += (uint64_t)f->self[VBT_MEASURE_BYTES];
        else if (is_telling(f->place, with_source))
            telling += (uint64_t)f->self[VBT_MEASURE_BYTES];
        any = any || is_telling(f->place, with_source);
    }
    const struct vbt_source_place *first = any ? functions->rows[0].place : NULL;
    return any && first->kind == VBT_PLACE_NATIVE && !is_telling(first, with_source) && allocators > telling;
}

void vbt_functions_sort_users(struct vbt_functions *functions) {
    struct function_order by = {
        .measure = VBT_MEASURE_BYTES, .cumulative = true, .users_first = true, .with_source = any_source(functions)};
    if (functions->count > 0)
        qsort_r(functions->rows, functions->count, sizeof *functions->rows, compare, &by);
}

void vbt_functions_filter(struct vbt_functions *functions, const struct vbt_filter *filter) {
    size_t kept = 0;
    for (size_t i = 0; i < functions->count; i++)
        if (vbt_filter_row(filter, functions->rows[i].place, NULL, NULL))
            functions->rows[kept++] = functions->rows[i];
    functions->count = kept;
}
