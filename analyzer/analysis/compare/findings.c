/* See findings.h. */
#include "findings.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

enum {
    BYTES = 1U << VBT_C_BYTES | 1U << VBT_C_PEAK | 1U << VBT_C_LEFT,
    WHOLE_BYTES = 1U << VBT_W_PEAK | 1U << VBT_W_RSS,
    WHOLE_VARY = 1U << VBT_W_RSS | 1U << VBT_W_TIME,
    SECTION_BYTES = 1U << VBT_S_BYTES | 1U << VBT_S_FREED | 1U << VBT_S_NET | 1U << VBT_S_HIGH,
    SECTION_VARY = 1U << VBT_S_TIME
};

static void find(struct vbt_table_findings *table, const struct vbt_values *values, const struct vbt_comparison *c,
                 const struct vbt_least_effect *least, const char *sort, bool all) {
    vbt_judge(&table->judgement, values, c->old.run_count, least, BYTES, 0);
    vbt_ranking_get(&table->changes, values, &table->judgement, &c->totals, c->old.run_count, sort, all);
}

unsigned vbt_function_changes(const struct vbt_comparison *c, uint32_t pair) {
    const struct vbt_pair *p = &c->matching.functions.rows[pair];
    if (p->old == 0 || p->new == 0)
        return 0;
    const struct vbt_compared_function *old = &c->old.places.functions[p->old], *new = &c->new.places.functions[p->new];
    bool renamed = strcmp(old->name, new->name) != 0;
    bool moved = strcmp(c->old.places.files[old->file].path, c->new.places.files[new->file].path) != 0;
    return (renamed ? VBT_FUNCTION_RENAMED : 0U) | (moved ? VBT_FILE_MOVED : 0U);
}

unsigned vbt_place_changes(const struct vbt_comparison *c, uint32_t pair) {
    const struct vbt_pair *p = &c->matching.places.rows[pair];
    if (p->old == 0 || p->new == 0)
        return 0;
    const struct vbt_compared_place *old = &c->old.places.rows[p->old], *new = &c->new.places.rows[p->new];
    bool edited = old->text != NULL && new->text != NULL &&strcmp(old->text, new->text) != 0;
    return vbt_function_changes(c, vbt_pair_function_of(c, pair)) | (old->line != new->line ? VBT_LINE_MOVED : 0U) |
           (edited ? VBT_LINE_EDITED : 0U);
}

static size_t count_moved(const struct vbt_findings *f) {
    const struct vbt_comparison *c = f->comparison;
    size_t moved = 0;
    for (uint32_t i = 1; i <= c->matching.places.count; i++)
        moved += f->lines.judgement.counts[i] == 0 && (vbt_place_changes(c, i) & VBT_LINE_MOVED) != 0;
    return moved;
}

void vbt_findings_get(struct vbt_findings *f, const struct vbt_comparison *c, const struct vbt_least_effect *least,
                      const char *sort, bool all) {
    *f = (struct vbt_findings){.comparison = c};
    vbt_judge(&f->totals, &c->totals, c->old.run_count, least, BYTES, 0);
    vbt_judge(&f->whole, &c->whole, c->old.run_count, least, WHOLE_BYTES, WHOLE_VARY);
    vbt_judge(&f->sections, &c->section_values, c->old.run_count, least, SECTION_BYTES, SECTION_VARY);
    find(&f->lines, &c->lines, c, least, sort, all);
    find(&f->functions, &c->functions, c, least, sort, all);
    find(&f->paths, &c->path_values, c, least, sort, all);
    find(&f->modules, &c->module_values, c, least, sort, all);
    f->moved = count_moved(f);
    f->difference = vbt_comparison_difference(c);
    vbt_findings_notes(f);
}

static void free_table(struct vbt_table_findings *table) {
    vbt_judgement_free(&table->judgement);
    vbt_ranking_free(&table->changes);
}

void vbt_findings_free(struct vbt_findings *f) {
    vbt_judgement_free(&f->totals);
    vbt_judgement_free(&f->whole);
    vbt_judgement_free(&f->sections);
    free_table(&f->lines);
    free_table(&f->functions);
    free_table(&f->paths);
    free_table(&f->modules);
    free(f->difference);
    for (size_t i = 0; i < f->note_count; i++)
        free(f->notes[i]);
    free(f->notes);
}

static bool any_counts(const struct vbt_judgement *judgement, size_t rows) {
    for (size_t i = 0; i < rows; i++)
        if (judgement->counts[i] != 0)
            return true;
    return false;
}

bool vbt_findings_any(const struct vbt_findings *f) {
    const struct vbt_comparison *c = f->comparison;
    return any_counts(&f->totals, c->totals.rows) || any_counts(&f->whole, c->whole.rows) ||
           any_counts(&f->sections, c->section_values.rows) || f->lines.changes.count > 0 || f->functions.changes.count > 0 ||
           f->paths.changes.count > 0 || f->modules.changes.count > 0;
}

void vbt_findings_note(struct vbt_findings *f, char *note) {
    for (size_t i = 0; i < f->note_count; i++)
        if (strcmp(f->notes[i], note) == 0) {
            free(note);
            return;
        }
    f->notes = vbt_grow(f->notes, &f->note_capacity, f->note_count + 1, sizeof *f->notes);
    f->notes[f->note_count++] = note;
}
