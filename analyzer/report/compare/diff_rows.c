/* The tables of lines, functions and modules that changed. */
#include "delta_text.h"
#include "diff_parts.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"
#include "analyzer/base/short_name.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 40 };

/* What became of a place: ", was read_all" and the like. The caller frees it. */
static char *history_of(const struct vbt_comparison *c, uint32_t function_pair, unsigned changes) {
    const struct vbt_pair *p = &c->matching.functions.rows[function_pair];
    const struct vbt_compared_function *old = p->old != 0 ? &c->old.places.functions[p->old] : NULL;
    if (old != NULL && (changes & VBT_FUNCTION_RENAMED) != 0)
        return vbt_text(", was %s", old->name);
    if (old != NULL && (changes & VBT_FILE_MOVED) != 0 &&
        strcmp(vbt_file_name(c->old.places.files[old->file].path), vbt_file_name(vbt_pair_file(c, function_pair))) != 0)
        return vbt_text(", was in %s", vbt_file_name(c->old.places.files[old->file].path));
    return vbt_copy((changes & VBT_LINE_EDITED) != 0 ? ", edited" : "", (changes & VBT_LINE_EDITED) != 0 ? 8 : 0);
}

/* line: 0: none. */
static char *name_of(const struct vbt_comparison *c, uint32_t function_pair, int64_t line, unsigned changes) {
    const struct vbt_compared_function *function = vbt_pair_function(c, function_pair);
    const char *file = vbt_file_name(vbt_pair_file(c, function_pair));
    char *name = vbt_short_name(function->name, LONGEST_NAME), *history = history_of(c, function_pair, changes), *text;
    bool is_address = function->kind == VBT_PLACE_NATIVE && strncmp(function->name, file, strlen(file)) == 0;
    if (function->kind == VBT_PLACE_SPECIAL || (is_address && line == 0))
        text = vbt_text("%s%s", name, history);
    else if (line > 0)
        text = vbt_text("%s (%s:%lld)%s", name, file, (long long)line, history);
    else
        text = vbt_text("%s (%s)%s", name, file, history);
    free(name);
    free(history);
    return text;
}

char *vbt_pair_name(const struct vbt_comparison *c, uint32_t pair) {
    return name_of(c, vbt_pair_function_of(c, pair), vbt_pair_place(c, pair)->line, vbt_place_changes(c, pair));
}

char *vbt_pair_function_name(const struct vbt_comparison *c, uint32_t pair) {
    return pair == 0 ? vbt_text("(no call stack)") : name_of(c, pair, 0, vbt_function_changes(c, pair));
}

struct vbt_unit vbt_row_change(const struct vbt_findings *f, const struct vbt_values *values, const struct vbt_ranked_row *row) {
    static const struct {
        enum vbt_counted_as kind;
        const char *before; /* what is no share of bytes or of allocations says so */
    } order[VBT_C_KINDS] = {{VBT_C_BYTES, ""},     {VBT_C_ALLOCS, ""},        {VBT_C_PEAK, "peak "},
                            {VBT_C_LEFT, "left "}, {VBT_C_BLOCKS, "blocks "}, {VBT_C_TEMPORARY, "temp "}};
    struct vbt_unit text = {""};
    if (row->status == VBT_ROW_NEW || row->status == VBT_ROW_GONE) {
        strcpy(text.text, vbt_row_statuses[row->status]);
        return text;
    }
    for (size_t i = 0; i < VBT_COUNT(order); i++) {
        if ((row->counts >> order[i].kind & 1) == 0)
            continue;
        const struct vbt_delta change = vbt_delta_of(values, row->row, order[i].kind, f->comparison->old.run_count);
        snprintf(text.text, sizeof text.text, "%s%.30s", order[i].before, vbt_delta_share(&change).text);
        break;
    }
    return text;
}

static const int shown[] = {VBT_C_ALLOCS, VBT_C_BYTES, VBT_C_PEAK, VBT_C_LEFT, VBT_C_TEMPORARY};

/* The differences of a row of a table of counts. */
static void put_cells(struct vbt_text_table *table, const struct vbt_values *values, size_t row, unsigned counts, size_t old_runs) {
    for (size_t i = 0; i < VBT_COUNT(shown); i++) {
        const struct vbt_delta change = vbt_delta_of(values, row, (size_t)shown[i], old_runs);
        vbt_text_table_cell(table, "%s", vbt_delta_cell(vbt_counted_unit(shown[i]), &change, (counts >> shown[i] & 1) != 0).text);
    }
}

static const struct vbt_column columns[] = {
    {.title = "Allocs", .align = VBT_RIGHT, .width = 8},
    {.title = "Bytes", .align = VBT_RIGHT, .gap = 2, .width = 10},
    {.title = "At peak", .align = VBT_RIGHT, .gap = 2, .width = 9, .drop = 1},
    {.title = "Left", .align = VBT_RIGHT, .gap = 2, .width = 9, .drop = 2},
    {.title = "Temp", .align = VBT_RIGHT, .gap = 2, .drop = 4},
    {.title = "Change", .align = VBT_RIGHT, .gap = 2},
    {.title = "Name", .gap = 2, .least = 22},
    {.title = "Source", .gap = 2, .least = 20, .drop = 3},
};

/* A table, its columns with titles of their own. */
struct row_view {
    struct vbt_diff_report *report;
    const struct vbt_values *values;
    const struct vbt_table_findings *found;
    struct vbt_text_table *table;
    char *(*name)(const struct vbt_comparison *comparison, uint32_t row); /* for us to free */
    bool source;
};

static void put_row(const struct row_view *v, const struct vbt_ranked_row *row) {
    const struct vbt_comparison *c = v->report->findings->comparison;
    put_cells(v->table, v->values, row->row, row->counts, c->old.run_count);
    vbt_text_table_cell(v->table, "%s", vbt_row_change(v->report->findings, v->values, row).text);
    char *name = v->name(c, row->row);
    vbt_text_table_cell(v->table, "%s", name);
    free(name);
    const char *source = v->source ? vbt_pair_place(c, row->row)->text : NULL;
    vbt_text_table_cell(v->table, "%s", source != NULL ? source : "");
}

/* Adds up the rows that are not shown, so that the columns add up to the total. */
static void put_rest(const struct row_view *v, size_t rows, const char *noun) {
    const struct vbt_ranking *changes = &v->found->changes;
    size_t runs = v->values->runs, old_runs = v->report->findings->comparison->old.run_count, others = changes->count - rows;
    struct vbt_values sums;
    vbt_values_begin(&sums, runs, VBT_C_KINDS);
    vbt_values_at(&sums, 1, 0);
    bool *is_shown = vbt_new(v->values->rows, sizeof *is_shown);
    for (size_t i = 0; i < rows; i++)
        is_shown[changes->rows[i].row] = true;
    for (size_t row = 0; row < v->values->rows; row++)
        for (size_t run = 0; run < runs && !is_shown[row]; run++) {
            bool counts = v->found->judgement.counts[row] != 0;
            vbt_counts_add(vbt_values_at(&sums, counts ? 0 : 1, run), vbt_values_of(v->values, row, run));
        }
    for (size_t rest = 0; rest < 2; rest++) {
        size_t count = rest == 0 ? others : changes->noise;
        if (count == 0)
            continue;
        put_cells(v->table, &sums, rest, rest == 0 ? UINT16_MAX : 0, old_runs);
        vbt_text_table_cell(v->table, "%s", "");
        char *name = vbt_text(rest == 0 ? "%s %s%s that changed" : "%s %s%s that var%s", vbt_count((int64_t)count).text, noun,
                              count == 1 ? "" : "s", count == 1 ? "ies" : "y");
        vbt_text_table_cell(v->table, "%s%s", rest == 0 && rows > 0 ? "other " : "", name);
        vbt_text_table_cell(v->table, "%s", "");
        free(name);
    }
    free(is_shown);
    vbt_values_free(&sums);
}

static void put_total(const struct row_view *v) {
    const struct vbt_findings *f = v->report->findings;
    put_cells(v->table, &f->comparison->totals, 0, UINT16_MAX, f->comparison->old.run_count);
    vbt_text_table_cell(v->table, "%s", "");
    vbt_text_table_cell(v->table, "%s", "total");
    vbt_text_table_cell(v->table, "%s", "");
}

/* Leaves out the columns in which no row has a difference. */
static void omit_empty(const struct row_view *v) {
    size_t old_runs = v->report->findings->comparison->old.run_count;
    for (size_t i = 0; i < VBT_COUNT(shown); i++) {
        bool any = false;
        for (size_t row = 0; row < v->values->rows && !any; row++) {
            const struct vbt_delta change = vbt_delta_of(v->values, row, (size_t)shown[i], old_runs);
            any = vbt_delta_difference(&change) != 0;
        }
        if (!any)
            vbt_text_table_omit(v->table, vbt_counted_title(shown[i]));
    }
    if (!v->source)
        vbt_text_table_omit(v->table, "Source");
}

static void print(struct vbt_diff_report *r, const struct vbt_table_findings *found, const struct vbt_values *values,
                  const char *title, const char *noun, char *(*name)(const struct vbt_comparison *, uint32_t), char *more) {
    const struct vbt_ranking *changes = &found->changes;
    bool nothing = changes->count == 0 && changes->noise == 0;
    vbt_diff_heading(
        r, title, nothing ? vbt_text("no %s changed%s%s", noun, more[0] != '\0' ? "; " : "", more) : vbt_copy(more, strlen(more)));
    free(more);
    if (nothing)
        return;
    struct row_view view = {.report = r,
                            .values = values,
                            .found = found,
                            .table = vbt_text_table_new(columns, VBT_COUNT(columns)),
                            .name = name,
                            .source = values == &r->findings->comparison->lines};
    size_t rows = 0;
    for (; rows < changes->count && rows < r->query->limit; rows++)
        put_row(&view, &changes->rows[rows]);
    put_rest(&view, rows, noun);
    put_total(&view);
    omit_empty(&view);
    vbt_diff_table_print(r, view.table);
}

void vbt_diff_lines_print(struct vbt_diff_report *r) {
    const struct vbt_findings *f = r->findings;
    char *moved = f->moved > 0 ? vbt_text("%s moved and %s the same", vbt_counted((int64_t)f->moved, "line").text,
                                          f->moved == 1 ? "is" : "are")
                               : vbt_copy("", 0);
    print(r, &f->lines, &f->comparison->lines, "Lines", "line", vbt_pair_name, moved);
}

void vbt_diff_functions_print(struct vbt_diff_report *r) {
    const struct vbt_findings *f = r->findings;
    print(r, &f->functions, &f->comparison->functions, "Functions", "function", vbt_pair_function_name, vbt_copy("", 0));
}

static char *module_name(const struct vbt_comparison *c, uint32_t pair) {
    const char *name = vbt_pair_module(c, pair);
    return vbt_copy(name, strlen(name));
}

void vbt_diff_modules_print(struct vbt_diff_report *r) {
    const struct vbt_findings *f = r->findings;
    print(r, &f->modules, &f->comparison->module_values, "Modules", "module", module_name, vbt_copy("", 0));
}
