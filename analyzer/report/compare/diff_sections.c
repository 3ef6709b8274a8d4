/* Sections and timed intervals that changed: what an iteration costs. */
#include "delta_text.h"
#include "diff_parts.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

/* What a number of one side is per iteration; where these are not known, per run of the section. */
struct each {
    double old, new;
    bool in_old, in_new;
};

static struct each each_of(const struct vbt_comparison *c, size_t row, enum vbt_section_number number) {
    const struct vbt_values *v = &c->section_values;
    const struct vbt_delta change = vbt_delta_of(v, row, number, c->old.run_count);
    const struct vbt_delta count = vbt_delta_of(v, row, VBT_S_COUNT, c->old.run_count);
    const struct vbt_delta iterations = vbt_delta_of(v, row, VBT_S_ITERATIONS, c->old.run_count);
    bool per_iteration = (iterations.old_sum > 0 || count.old_sum == 0) && (iterations.new_sum > 0 || count.new_sum == 0);
    int64_t old = per_iteration ? iterations.old_sum : count.old_sum, new = per_iteration ? iterations.new_sum : count.new_sum;
    return (struct each){.old = old > 0 ? (double)change.old_sum / (double)old : 0,
                         .new = new > 0 ? (double)change.new_sum / (double)new : 0,
                         .in_old = old > 0,
                         .in_new = new > 0};
}

/* "5 → 6", "5" if it is the same. */
static void put_each(struct vbt_text_table *table, const struct each *each, enum vbt_delta_unit unit) {
    struct vbt_unit old = each->in_old ? vbt_mean_text(unit, each->old) : (struct vbt_unit){"–"};
    struct vbt_unit new = each->in_new ? vbt_mean_text(unit, each->new) : (struct vbt_unit){"–"};
    if (strcmp(old.text, new.text) == 0)
        vbt_text_table_cell(table, "%s", new.text);
    else
        vbt_text_table_cell(table, "%s → %s", old.text, new.text);
}

/* Its label; of an interval "bench.py:12 → bench.py:14". The caller frees it. */
static char *name_of(const struct vbt_comparison *c, size_t row) {
    const struct vbt_compared_section *section = vbt_pair_section(c, (uint32_t)row);
    if (section->section)
        return vbt_copy(section->label, strlen(section->label));
    const struct vbt_compared_places *places = c->sections.rows[row].new != 0 ? &c->new.places : &c->old.places;
    const struct vbt_compared_place *from = &places->rows[section->from], *to = &places->rows[section->to];
    const char *file = vbt_file_name(places->files[places->functions[from->function].file].path);
    return vbt_text("%s:%lld → %lld", file, (long long)from->line, (long long)to->line);
}

static void put_row(struct vbt_text_table *table, const struct vbt_comparison *c, size_t row) {
    const struct vbt_delta iterations = vbt_delta_of(&c->section_values, row, VBT_S_ITERATIONS, c->old.run_count);
    const struct vbt_delta count = vbt_delta_of(&c->section_values, row, VBT_S_COUNT, c->old.run_count);
    const struct vbt_delta *times = iterations.old_sum + iterations.new_sum > 0 ? &iterations : &count;
    const struct each of_times = {vbt_delta_old(times), vbt_delta_new(times), true, true};
    static const struct {
        enum vbt_section_number number;
        enum vbt_delta_unit unit;
    } shown[] = {{VBT_S_ALLOCS, VBT_DELTA_COUNT},
                 {VBT_S_BYTES, VBT_DELTA_BYTES},
                 {VBT_S_NET, VBT_DELTA_BYTES},
                 {VBT_S_TIME, VBT_DELTA_TIME}};
    char *name = name_of(c, row);
    vbt_text_table_cell(table, "%s", name);
    free(name);
    put_each(table, &of_times, VBT_DELTA_COUNT);
    for (size_t i = 0; i < VBT_COUNT(shown); i++) {
        const struct each each = each_of(c, row, shown[i].number);
        put_each(table, &each, shown[i].unit);
    }
}

void vbt_diff_sections_print(struct vbt_diff_report *r) {
    static const struct vbt_column columns[] = {
        {.title = "Section", .least = 16},
        {.title = "Iterations", .align = VBT_RIGHT, .gap = 2},
        {.title = "Allocs each", .align = VBT_RIGHT, .gap = 2},
        {.title = "Bytes each", .align = VBT_RIGHT, .gap = 2},
        {.title = "Net each", .align = VBT_RIGHT, .gap = 2, .drop = 1},
        {.title = "Time each", .align = VBT_RIGHT, .gap = 2, .drop = 2},
    };
    const struct vbt_comparison *c = r->findings->comparison;
    size_t changed = 0, shown = 0;
    if (c->sections.count == 0)
        return;
    struct vbt_text_table *table = vbt_text_table_new(columns, VBT_COUNT(columns));
    for (size_t row = 1; row <= c->sections.count; row++) {
        if (r->findings->sections.counts[row] == 0)
            continue;
        changed++;
        if (shown < r->query->limit) {
            put_row(table, c, row);
            shown++;
        }
    }
    char *same =
        changed < c->sections.count
            ? vbt_text("%s the same", vbt_counted((int64_t)(c->sections.count - changed), changed > 0 ? "other" : "section").text)
            : vbt_copy("", 0);
    vbt_diff_heading(r, "Sections", same);
    if (shown > 0)
        vbt_diff_table_print(r, table);
    else
        vbt_text_table_free(table);
}
