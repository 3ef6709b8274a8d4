/* vbtrace diff as CSV: one table. */
#include "diff_parts.h"
#include "diff_report.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put_mean(struct vbt_csv *csv, double x) {
    if (fabs(x) < 0x1p53 && x == floor(x))
        vbt_csv_integer(csv, (int64_t)x);
    else
        vbt_csv_real(csv, x);
}

/* Whole numbers lose no digit. */
static void put_side(struct vbt_csv *csv, int64_t sum, size_t runs) {
    if (runs > 0 && sum % (int64_t)runs == 0)
        vbt_csv_integer(csv, sum / (int64_t)runs);
    else
        put_mean(csv, runs > 0 ? (double)sum / (double)runs : 0);
}

static void put_numbers(struct vbt_csv *csv, const struct vbt_values *values, size_t row, size_t old_runs) {
    for (size_t kind = 0; kind < values->kinds; kind++) {
        const struct vbt_delta change = vbt_delta_of(values, row, kind, old_runs);
        put_side(csv, change.old_sum, change.old_runs);
        put_side(csv, change.new_sum, change.new_runs);
        if (change.old_runs == change.new_runs)
            put_side(csv, (int64_t)((uint64_t)change.new_sum - (uint64_t)change.old_sum), change.old_runs);
        else
            put_mean(csv, vbt_delta_difference(&change));
    }
}

/* The titles of a table: some of its own, and three columns for each number. */
static void begin(struct vbt_csv *csv, FILE *out, const char *own, const char *const *names, size_t count) {
    char *titles = vbt_copy(own, strlen(own));
    for (size_t i = 0; i < count; i++) {
        char *longer = vbt_text("%s,old_%s,new_%s,difference_%s", titles, names[i], names[i], names[i]);
        free(titles);
        titles = longer;
    }
    vbt_csv_begin(csv, out, titles);
    free(titles);
}

static void put_place(struct vbt_csv *csv, const struct vbt_compared_places *places, uint32_t place) {
    const struct vbt_compared_place *p = place != 0 ? &places->rows[place] : NULL;
    vbt_csv_text(csv, p != NULL ? places->files[places->functions[p->function].file].path : NULL);
    if (p != NULL)
        vbt_csv_integer(csv, p->line);
    else
        vbt_csv_text(csv, NULL);
    vbt_csv_text(csv, p != NULL ? places->functions[p->function].name : NULL);
    vbt_csv_text(csv, p != NULL ? p->text : NULL);
}

static void print_lines(const struct vbt_findings *f, uint64_t limit, FILE *out) {
    const struct vbt_comparison *c = f->comparison;
    struct vbt_csv csv;
    begin(&csv, out, "status,old_file,old_line,old_function,old_source,new_file,new_line,new_function,new_source",
          vbt_counted_names, VBT_C_KINDS);
    for (size_t i = 0; i < f->lines.changes.listed && i < limit; i++) {
        const struct vbt_ranked_row *row = &f->lines.changes.rows[i];
        vbt_csv_text(&csv, vbt_row_statuses[row->status]);
        put_place(&csv, &c->old.places, c->matching.places.rows[row->row].old);
        put_place(&csv, &c->new.places, c->matching.places.rows[row->row].new);
        put_numbers(&csv, &c->lines, row->row, c->old.run_count);
        vbt_csv_end_row(&csv);
    }
}

static void put_function(struct vbt_csv *csv, const struct vbt_compared_places *places, uint32_t function) {
    const struct vbt_compared_function *p = function != 0 ? &places->functions[function] : NULL;
    vbt_csv_text(csv, p != NULL ? places->files[p->file].path : NULL);
    vbt_csv_text(csv, p != NULL ? p->name : NULL);
}

static void print_functions(const struct vbt_findings *f, uint64_t limit, FILE *out) {
    const struct vbt_comparison *c = f->comparison;
    struct vbt_csv csv;
    begin(&csv, out, "status,old_file,old_function,new_file,new_function", vbt_counted_names, VBT_C_KINDS);
    for (size_t i = 0; i < f->functions.changes.listed && i < limit; i++) {
        const struct vbt_ranked_row *row = &f->functions.changes.rows[i];
        vbt_csv_text(&csv, vbt_row_statuses[row->status]);
        put_function(&csv, &c->old.places, c->matching.functions.rows[row->row].old);
        put_function(&csv, &c->new.places, c->matching.functions.rows[row->row].new);
        put_numbers(&csv, &c->functions, row->row, c->old.run_count);
        vbt_csv_end_row(&csv);
    }
}

static void print_modules(const struct vbt_findings *f, uint64_t limit, FILE *out) {
    const struct vbt_comparison *c = f->comparison;
    struct vbt_csv csv;
    begin(&csv, out, "status,module", vbt_counted_names, VBT_C_KINDS);
    for (size_t i = 0; i < f->modules.changes.listed && i < limit; i++) {
        const struct vbt_ranked_row *row = &f->modules.changes.rows[i];
        vbt_csv_text(&csv, vbt_row_statuses[row->status]);
        vbt_csv_text(&csv, vbt_pair_module(c, row->row));
        put_numbers(&csv, &c->module_values, row->row, c->old.run_count);
        vbt_csv_end_row(&csv);
    }
}

/* All paths, parents before children. */
static void print_tree(const struct vbt_findings *f, FILE *out) {
    const struct vbt_comparison *c = f->comparison;
    struct vbt_csv csv;
    begin(&csv, out, "id,parent,old_file,old_line,old_function,old_source,new_file,new_line,new_function,new_source",
          vbt_counted_names, VBT_C_KINDS);
    for (uint32_t i = 1; i < c->path_count; i++) {
        const struct vbt_pair *place = &c->matching.places.rows[c->paths[i].place];
        vbt_csv_unsigned(&csv, i);
        vbt_csv_unsigned(&csv, c->paths[i].parent);
        put_place(&csv, &c->old.places, place->old);
        put_place(&csv, &c->new.places, place->new);
        put_numbers(&csv, &c->path_values, i, c->old.run_count);
        vbt_csv_end_row(&csv);
    }
}

static void print_sections(const struct vbt_findings *f, FILE *out) {
    static const char *const names[VBT_S_NUMBERS] = {"count",       "iterations", "allocs",     "frees",  "allocated_bytes",
                                                     "freed_bytes", "net_bytes",  "high_bytes", "time_ns"};
    const struct vbt_comparison *c = f->comparison;
    struct vbt_csv csv;
    begin(&csv, out, "kind,label", names, VBT_S_NUMBERS);
    for (uint32_t i = 1; i <= c->sections.count; i++) {
        const struct vbt_compared_section *section = vbt_pair_section(c, i);
        vbt_csv_text(&csv, section->section ? "section" : "interval");
        vbt_csv_text(&csv, section->label);
        put_numbers(&csv, &c->section_values, i, c->old.run_count);
        vbt_csv_end_row(&csv);
    }
}

static void put_total(struct vbt_csv *csv, const char *name, const struct vbt_values *values, size_t kind, size_t old_runs) {
    const struct vbt_delta change = vbt_delta_of(values, 0, kind, old_runs);
    vbt_csv_text(csv, name);
    put_side(csv, change.old_sum, change.old_runs);
    put_side(csv, change.new_sum, change.new_runs);
    put_mean(csv, vbt_delta_difference(&change));
    vbt_csv_end_row(csv);
}

static void print_totals(const struct vbt_findings *f, FILE *out) {
    static const char *const whole[VBT_W_NUMBERS] = {"peak_bytes", "max_rss_bytes", "duration_ns", "threads", "processes"};
    const struct vbt_comparison *c = f->comparison;
    struct vbt_csv csv;
    vbt_csv_begin(&csv, out, "name,old,new,difference");
    for (size_t i = 0; i < VBT_C_KINDS; i++)
        put_total(&csv, vbt_counted_names[i], &c->totals, i, c->old.run_count);
    for (size_t i = 0; i < VBT_W_NUMBERS; i++)
        put_total(&csv, whole[i], &c->whole, i, c->old.run_count);
}

static void print_timeline(const struct vbt_findings *f, FILE *out) {
    const struct vbt_comparison *c = f->comparison;
    struct vbt_csv csv;
    vbt_csv_begin(&csv, out, "share,old_live_bytes,new_live_bytes");
    for (size_t part = 0; part < VBT_COURSE_PARTS; part++) {
        vbt_csv_real(&csv, (double)part / VBT_COURSE_PARTS);
        for (int new = 0; new < 2; new ++) {
            const struct vbt_side *side = new ? &c->new : &c->old;
            int64_t live = 0;
            for (size_t run = 0; run < side->run_count; run++)
                live = (int64_t)((uint64_t)live + (uint64_t)side->runs[run].course.live[part]);
            put_side(&csv, live, side->run_count);
        }
        vbt_csv_end_row(&csv);
    }
}

void vbt_diff_csv_print(const struct vbt_findings *f, const struct vbt_query *query, FILE *out) {
    switch (query->table) {
    case VBT_DIFF_TOTALS:
        print_totals(f, out);
        break;
    case VBT_DIFF_FUNCTIONS:
        print_functions(f, query->limit, out);
        break;
    case VBT_DIFF_TREE:
        print_tree(f, out);
        break;
    case VBT_DIFF_SECTIONS:
        print_sections(f, out);
        break;
    case VBT_DIFF_MODULES:
        print_modules(f, query->limit, out);
        break;
    case VBT_DIFF_TIMELINE:
        print_timeline(f, out);
        break;
    default:
        print_lines(f, query->limit, out);
    }
}
