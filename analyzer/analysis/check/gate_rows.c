/* See gate_rows.h. */
#include "gate_rows.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"

#include <stdlib.h>
#include <string.h>

int vbt_limit_kind(const struct vbt_limit *limit) {
    static const int kinds[VBT_LIMIT_QUANTITIES] = {[VBT_LIMIT_ALLOCS] = VBT_C_ALLOCS,
                                                    [VBT_LIMIT_BYTES] = VBT_C_BYTES,
                                                    [VBT_LIMIT_PEAK] = VBT_C_PEAK,
                                                    [VBT_LIMIT_LEFT] = VBT_C_LEFT,
                                                    [VBT_LIMIT_BLOCKS] = VBT_C_BLOCKS,
                                                    [VBT_LIMIT_TEMPORARY] = VBT_C_TEMPORARY,
                                                    [VBT_LIMIT_RSS] = -1,
                                                    [VBT_LIMIT_TIME] = -1,
                                                    [VBT_LIMIT_FREES] = -1,
                                                    [VBT_LIMIT_FREED] = -1,
                                                    [VBT_LIMIT_NET] = VBT_C_LEFT,
                                                    [VBT_LIMIT_HIGH] = VBT_C_PEAK};
    return kinds[limit->quantity];
}

/* Is it the file that a limit names: by its path, its end, or a pattern? */
static bool is_file(const char *path, const char *wanted) {
    size_t length = strlen(path), size = strlen(wanted);
    if (size <= length && strcmp(path + length - size, wanted) == 0 && (size == length || path[length - size - 1] == '/'))
        return true;
    return vbt_limit_pattern_matches(wanted, path) || vbt_limit_pattern_matches(wanted, vbt_file_name(path));
}

/* "Class.method" is meant by "method", too. */
static bool is_function(const char *name, const char *pattern) {
    const char *dot = strrchr(name, '.');
    return vbt_limit_pattern_matches(pattern, name) || (dot != NULL && vbt_limit_pattern_matches(pattern, dot + 1));
}

bool vbt_limit_has_line(const struct vbt_comparison *c, const struct vbt_limit *limit, uint32_t pair) {
    uint32_t owner = vbt_pair_function_of(c, pair);
    const struct vbt_compared_function *function = vbt_pair_function(c, owner);
    switch (limit->scope) {
    case VBT_LIMIT_OWN:
        return function->user;
    case VBT_LIMIT_LINE:
        return vbt_pair_place(c, pair)->line == limit->line && is_file(vbt_pair_file(c, owner), limit->pattern);
    case VBT_LIMIT_FUNCTION:
        return is_function(function->name, limit->pattern);
    case VBT_LIMIT_FILE:
        return is_file(vbt_pair_file(c, owner), limit->pattern);
    default:
        return true;
    }
}

/* Adds a row's numbers of one kind to those of each run. */
static void add(struct vbt_limit_values *v, const struct vbt_values *values, size_t row, size_t kind) {
    v->matched++;
    for (size_t run = 0; run < values->runs; run++)
        v->of[run] += (double)vbt_values_of(values, row, run)[kind];
}

static void add_rows(struct vbt_limit_values *v, const struct vbt_comparison *c, const struct vbt_limit *limit) {
    size_t kind = (size_t)vbt_limit_kind(limit);
    if (limit->scope == VBT_LIMIT_MODULE) {
        for (uint32_t i = 1; i <= c->modules.count; i++)
            if (vbt_limit_pattern_matches(limit->pattern, vbt_pair_module(c, i)))
                add(v, &c->module_values, i, kind);
    } else {
        for (uint32_t i = 1; i <= c->matching.places.count; i++)
            if (vbt_limit_has_line(c, limit, i))
                add(v, &c->lines, i, kind);
    }
}

static void add_whole(struct vbt_limit_values *v, const struct vbt_comparison *c, const struct vbt_limit *limit) {
    if (limit->quantity == VBT_LIMIT_PEAK)
        add(v, &c->whole, 0, VBT_W_PEAK);
    else if (limit->quantity == VBT_LIMIT_RSS)
        add(v, &c->whole, 0, VBT_W_RSS);
    else if (limit->quantity == VBT_LIMIT_TIME)
        add(v, &c->whole, 0, VBT_W_TIME);
    else
        add(v, &c->totals, 0, (size_t)vbt_limit_kind(limit));
}

static size_t section_number(enum vbt_limit_quantity quantity) {
    static const unsigned char of_section[VBT_LIMIT_QUANTITIES] = {
        [VBT_LIMIT_ALLOCS] = VBT_S_ALLOCS, [VBT_LIMIT_BYTES] = VBT_S_BYTES, [VBT_LIMIT_TIME] = VBT_S_TIME,
        [VBT_LIMIT_FREES] = VBT_S_FREES,   [VBT_LIMIT_FREED] = VBT_S_FREED, [VBT_LIMIT_NET] = VBT_S_NET,
        [VBT_LIMIT_HIGH] = VBT_S_HIGH};
    return of_section[quantity];
}

/* By iteration, or by run of the section where these are not known. */
static void add_sections(struct vbt_limit_values *v, const struct vbt_comparison *c, const struct vbt_limit *limit) {
    double *times = vbt_new(c->section_values.runs, sizeof *times);
    for (uint32_t i = 1; i <= c->sections.count; i++) {
        const struct vbt_compared_section *section = vbt_pair_section(c, i);
        if (!section->section || !vbt_limit_pattern_matches(limit->pattern, section->label) || c->sections.rows[i].new == 0)
            continue;
        add(v, &c->section_values, i, section_number(limit->quantity));
        for (size_t run = 0; run < c->section_values.runs; run++) {
            const int64_t *row = vbt_values_of(&c->section_values, i, run);
            times[run] += (double)(row[VBT_S_ITERATIONS] > 0 ? row[VBT_S_ITERATIONS] : row[VBT_S_COUNT]);
            v->n = times[run];
        }
    }
    for (size_t run = 0; run < c->section_values.runs && limit->each; run++)
        v->of[run] = times[run] > 0 ? v->of[run] / times[run] : 0;
    free(times);
}

/* The iterations of the only section there is; 0: there is none, or there are several. */
static double only_iterations(const struct vbt_comparison *c) {
    double n = 0;
    for (uint32_t i = 1; i <= c->sections.count; i++) {
        if (!vbt_pair_section(c, i)->section || c->sections.rows[i].new == 0)
            continue;
        if (n > 0)
            return 0;
        n = (double)vbt_values_of(&c->section_values, i, c->section_values.runs - 1)[VBT_S_ITERATIONS];
    }
    return n;
}

void vbt_limit_values_get(struct vbt_limit_values *v, const struct vbt_comparison *c, const struct vbt_limit *limit) {
    *v = (struct vbt_limit_values){.of = vbt_new(c->totals.runs, sizeof *v->of)};
    if (limit->scope == VBT_LIMIT_SECTION) {
        add_sections(v, c, limit);
        return;
    }
    v->n = only_iterations(c);
    if (limit->scope == VBT_LIMIT_ALL)
        add_whole(v, c, limit);
    else
        add_rows(v, c, limit);
    for (size_t run = 0; run < c->totals.runs && limit->each; run++)
        v->of[run] = v->n > 0 ? v->of[run] / v->n : 0;
}
