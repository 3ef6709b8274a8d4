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

/* A section of one side without a pair, with what it is looked for by. */
struct free_section {
    uint32_t id, from, to; /* from, to: pairs of places; 0 where only the label counts */
    bool section;
    const char *label;
};

static int by_key(const struct free_section *a, const struct free_section *b) {
    if (a->section != b->section)
        return a->section ? -1 : 1;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    return strcmp(a->label, b->label);
}

static int by_key_and_id(const void *left, const void *right) {
    const struct free_section *a = left, *b = right;
    int order = by_key(a, b);
    return order != 0 ? order : a->id < b->id ? -1 : a->id > b->id;
}

/* lines: they are looked for by where they begin and end, too. The caller frees the list. */
static struct free_section *list(const struct vbt_side *side, const uint32_t *pair_of, const uint32_t *place_of, bool lines,
                                 size_t *count) {
    struct free_section *all = vbt_new(side->section_count, sizeof *all);
    *count = 0;
    for (uint32_t i = 0; i < side->section_count; i++) {
        const struct vbt_compared_section *s = &side->sections[i];
        if (pair_of[i + 1] == 0 && (lines || s->section))
            all[(*count)++] =
                (struct free_section){i + 1, lines ? place_of[s->from] : 0, lines ? place_of[s->to] : 0, s->section, s->label};
    }
    if (*count > 0)
        qsort(all, *count, sizeof *all, by_key_and_id);
    return all;
}

static void pair_sections(struct vbt_comparison *c, bool lines) {
    size_t old_count, new_count;
    struct free_section *old = list(&c->old, c->sections.of_old, c->matching.places.of_old, lines, &old_count),
                        *new = list(&c->new, c->sections.of_new, c->matching.places.of_new, lines, &new_count);
    for (size_t i = 0, j = 0; i < old_count && j < new_count;) {
        int order = by_key(&old[i], &new[j]);
        if (order == 0)
            vbt_pair_add(&c->sections, old[i].id, new[j].id);
        i += order <= 0;
        j += order >= 0;
    }
    free(old);
    free(new);
}

void vbt_join_sections(struct vbt_comparison *c) {
    begin(&c->sections, c->old.section_count, c->new.section_count);
    pair_sections(c, true);
    pair_sections(c, false);
    add_rest(&c->sections, c->old.section_count, c->new.section_count);
}
