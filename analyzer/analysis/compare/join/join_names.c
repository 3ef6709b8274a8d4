/* Pairs modules and sections of both sides. */
#include "compare_join.h"

#include "analyzer/analysis/compare/match/match_steps.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"

#include <stdlib.h>
#include <string.h>

static void begin(struct vbt_pairs *pairs, size_t old_count, size_t new_count) {
    *pairs = (struct vbt_pairs){.of_old = vbt_new(old_count + 1, sizeof *pairs->of_old),
                                .of_new = vbt_new(new_count + 1, sizeof *pairs->of_new)};
    pairs->rows = vbt_grow(NULL, &pairs->capacity, 1, sizeof *pairs->rows);
    pairs->rows[0] = (struct vbt_pair){0};
}

static void add_rest(struct vbt_pairs *pairs, size_t old_count, size_t new_count) {
    for (uint32_t i = 1; i <= new_count; i++)
        if (pairs->of_new[i] == 0)
            vbt_pair_add(pairs, 0, i);
    for (uint32_t i = 1; i <= old_count; i++)
        if (pairs->of_old[i] == 0)
            vbt_pair_add(pairs, i, 0);
}

static uint32_t only_version_of(char *const *names, size_t count, const uint32_t *pair_of, const char *name) {
    uint32_t found = 0;
    for (uint32_t i = 1; i <= count; i++)
        if (pair_of[i] == 0 && vbt_same_but_version(names[i], name)) {
            if (found != 0)
                return 0;
            found = i;
        }
    return found;
}

static uint32_t module_of_program(const struct vbt_side *side) {
    const char *program = side->places.program;
    for (uint32_t i = 1; i <= side->module_count && program != NULL; i++)
        if (strcmp(side->modules[i], vbt_file_name(program)) == 0)
            return i;
    return 0;
}

void vbt_join_modules(struct vbt_comparison *c) {
    const struct vbt_side *old = &c->old, *new = &c->new;
    struct vbt_pairs *pairs = &c->modules;
    begin(pairs, old->module_count, new->module_count);
    for (uint32_t i = 1; i <= new->module_count; i++)
        for (uint32_t j = 1; j <= old->module_count && pairs->of_new[i] == 0; j++)
            if (strcmp(new->modules[i], old->modules[j]) == 0)
                vbt_pair_add(pairs, j, i);
    uint32_t old_program = module_of_program(old), new_program = module_of_program(new);
    if (old_program != 0 && new_program != 0 && pairs->of_old[old_program] == 0 && pairs->of_new[new_program] == 0)
        vbt_pair_add(pairs, old_program, new_program);
    for (uint32_t i = 1; i <= new->module_count; i++) {
        uint32_t other =
            pairs->of_new[i] == 0 ? only_version_of(old->modules, old->module_count, pairs->of_old, new->modules[i]) : 0;
        if (other != 0 && only_version_of(new->modules, new->module_count, pairs->of_new, old->modules[other]) == i)
            vbt_pair_add(pairs, other, i);
    }
    add_rest(pairs, old->module_count, new->module_count);
}

/* lines: also where they begin and end. */
static bool same_section(const struct vbt_comparison *c, size_t old_row, size_t new_row, bool lines) {
    const struct vbt_compared_section *a = &c->old.sections[old_row], *b = &c->new.sections[new_row];
    const struct vbt_pairs *places = &c->matching.places;
    if (a->section != b->section || strcmp(a->label, b->label) != 0)
        return false;
    if (!lines)
        return a->section;
    return places->of_old[a->from] == places->of_new[b->from] && places->of_old[a->to] == places->of_new[b->to];
}

static void pair_sections(struct vbt_comparison *c, bool lines) {
    struct vbt_pairs *pairs = &c->sections;
    for (uint32_t i = 0; i < c->new.section_count; i++)
        for (uint32_t j = 0; j < c->old.section_count && pairs->of_new[i + 1] == 0; j++)
            if (pairs->of_old[j + 1] == 0 && same_section(c, j, i, lines))
                vbt_pair_add(pairs, j + 1, i + 1);
}

void vbt_join_sections(struct vbt_comparison *c) {
    begin(&c->sections, c->old.section_count, c->new.section_count);
    pair_sections(c, true);
    pair_sections(c, false);
    add_rest(&c->sections, c->old.section_count, c->new.section_count);
}
