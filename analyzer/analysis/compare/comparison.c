/* See comparison.h. */
#include "comparison.h"

#include "join/compare_join.h"
#include "analyzer/base/allocate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static size_t runs_of(const struct vbt_comparison *c) { return c->old.run_count + c->new.run_count; }

/* Copies the numbers of a side's row to a row of both. */
static void copy(struct vbt_values *to, size_t row, const struct vbt_values *from, size_t from_row, size_t first_run) {
    for (size_t run = 0; run < from->runs && from_row < from->rows; run++)
        memcpy(vbt_values_at(to, row, first_run + run), vbt_values_of(from, from_row, run), from->kinds * sizeof(int64_t));
}

static void join(struct vbt_values *to, const struct vbt_pairs *pairs, const struct vbt_values *old, const struct vbt_values *new) {
    vbt_values_at(to, pairs->count, 0);
    for (size_t i = 1; i <= pairs->count; i++) {
        if (pairs->rows[i].old != 0)
            copy(to, i, old, pairs->rows[i].old, 0);
        if (pairs->rows[i].new != 0)
            copy(to, i, new, pairs->rows[i].new, old->runs);
    }
}

const struct vbt_compared_run *vbt_compared_run(const struct vbt_comparison *c, size_t run) {
    return run < c->old.run_count ? &c->old.runs[run] : &c->new.runs[run - c->old.run_count];
}

static void join_totals(struct vbt_comparison *c) {
    for (size_t i = 0; i < runs_of(c); i++) {
        const struct vbt_compared_run *run = vbt_compared_run(c, i);
        int64_t *whole = vbt_values_at(&c->whole, 0, i);
        memcpy(vbt_values_at(&c->totals, 0, i), run->counts, sizeof run->counts);
        whole[VBT_W_PEAK] = run->peak;
        whole[VBT_W_RSS] = run->max_rss;
        whole[VBT_W_TIME] = (int64_t)run->duration;
        whole[VBT_W_THREADS] = run->threads;
        whole[VBT_W_PROCESSES] = (int64_t)run->processes;
    }
}

/* Sections have rows from 0. */
static void join_sections(struct vbt_comparison *c) {
    vbt_join_sections(c);
    vbt_values_at(&c->section_values, c->sections.count, 0);
    for (size_t i = 1; i <= c->sections.count; i++) {
        const struct vbt_pair *pair = &c->sections.rows[i];
        if (pair->old != 0)
            copy(&c->section_values, i, &c->old.section_values, pair->old - 1, 0);
        if (pair->new != 0)
            copy(&c->section_values, i, &c->new.section_values, pair->new - 1, c->old.run_count);
    }
}

void vbt_compare(struct vbt_comparison *c, struct vbt_side *old, struct vbt_side *new) {
    *c = (struct vbt_comparison){.old = *old, .new = *new};
    *old = *new = (struct vbt_side){0};
    struct vbt_values *const tables[] = {&c->totals, &c->lines, &c->functions, &c->with_called, &c->path_values, &c->module_values};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        vbt_values_begin(tables[i], runs_of(c), VBT_C_KINDS);
    vbt_values_begin(&c->section_values, runs_of(c), VBT_S_NUMBERS);
    vbt_values_begin(&c->whole, runs_of(c), VBT_W_NUMBERS);
    vbt_match(&c->matching, &c->old.places, &c->new.places);
    join_totals(c);
    join(&c->lines, &c->matching.places, &c->old.lines, &c->new.lines);
    vbt_join_modules(c);
    join(&c->module_values, &c->modules, &c->old.module_values, &c->new.module_values);
    join_sections(c);
    vbt_join_paths(c);
    vbt_join_functions(c);
}

static void free_pairs(struct vbt_pairs *pairs) {
    free(pairs->rows);
    free(pairs->of_old);
    free(pairs->of_new);
}

void vbt_comparison_free(struct vbt_comparison *c) {
    struct vbt_values *const tables[] = {&c->totals,      &c->lines,         &c->functions,      &c->with_called,
                                         &c->path_values, &c->module_values, &c->section_values, &c->whole};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        vbt_values_free(tables[i]);
    free(c->paths);
    free_pairs(&c->modules);
    free_pairs(&c->sections);
    vbt_matching_free(&c->matching);
    vbt_side_free(&c->old);
    vbt_side_free(&c->new);
}

const struct vbt_compared_place *vbt_pair_place(const struct vbt_comparison *c, uint32_t pair) {
    const struct vbt_pair *p = &c->matching.places.rows[pair];
    return p->new != 0 ? &c->new.places.rows[p->new] : &c->old.places.rows[p->old];
}

const struct vbt_compared_function *vbt_pair_function(const struct vbt_comparison *c, uint32_t pair) {
    const struct vbt_pair *p = &c->matching.functions.rows[pair];
    return p->new != 0 ? &c->new.places.functions[p->new] : &c->old.places.functions[p->old];
}

uint32_t vbt_pair_function_of(const struct vbt_comparison *c, uint32_t place_pair) {
    const struct vbt_pair *p = &c->matching.places.rows[place_pair];
    return p->new != 0 ? c->matching.functions.of_new[c->new.places.rows[p->new].function]
                       : c->matching.functions.of_old[c->old.places.rows[p->old].function];
}

const char *vbt_pair_file(const struct vbt_comparison *c, uint32_t function_pair) {
    const struct vbt_pair *p = &c->matching.functions.rows[function_pair];
    const struct vbt_compared_places *places = p->new != 0 ? &c->new.places : &c->old.places;
    return places->files[vbt_pair_function(c, function_pair)->file].path;
}

const char *vbt_pair_module(const struct vbt_comparison *c, uint32_t pair) {
    const struct vbt_pair *p = &c->modules.rows[pair];
    return p->new != 0 ? c->new.modules[p->new] : c->old.modules[p->old];
}

const struct vbt_compared_section *vbt_pair_section(const struct vbt_comparison *c, uint32_t pair) {
    const struct vbt_pair *p = &c->sections.rows[pair];
    return p->new != 0 ? &c->new.sections[p->new - 1] : &c->old.sections[p->old - 1];
}

void vbt_compared_sums(struct vbt_values *sums, const struct vbt_comparison *c) {
    const struct vbt_values *own = &c->path_values;
    vbt_values_begin(sums, own->runs, own->kinds);
    vbt_values_at(sums, c->path_count - 1, 0);
    size_t size = own->runs * own->kinds;
    memcpy(sums->of, own->of, c->path_count * size * sizeof *sums->of);
    for (size_t i = c->path_count - 1; i > 0; i--)
        for (size_t run = 0; run < own->runs; run++)
            vbt_counts_add(vbt_values_at(sums, c->paths[i].parent, run), vbt_values_of(sums, i, run));
}

/* The same of one table. */
static char *difference(const struct vbt_comparison *c, const struct vbt_values *table, const char *name) {
    for (size_t run = 0; run < table->runs; run++) {
        int64_t sums[VBT_C_KINDS] = {0};
        const int64_t *totals = vbt_values_of(&c->totals, 0, run);
        for (size_t row = 0; row < table->rows; row++)
            vbt_counts_add(sums, vbt_values_of(table, row, run));
        for (int kind = 0; kind < VBT_C_KINDS; kind++)
            if (sums[kind] != totals[kind])
                return vbt_text("%s: %s of the process are %" PRId64 ", their sum over %s is %" PRId64,
                                vbt_compared_run(c, run)->name, vbt_counted_names[kind], totals[kind], name, sums[kind]);
    }
    return NULL;
}

char *vbt_comparison_difference(const struct vbt_comparison *c) {
    char *found = difference(c, &c->lines, "lines");
    found = found != NULL ? found : difference(c, &c->functions, "functions");
    found = found != NULL ? found : difference(c, &c->path_values, "call paths");
    return found != NULL ? found : difference(c, &c->module_values, "modules");
}
