/* vbtrace diff as JSON. */
#include "diff_parts.h"
#include "diff_report.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/json.h"
#include "format/count.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A mean: whole if it is. */
static json_t *mean(int64_t sum, size_t runs) {
    return runs == 0 || sum % (int64_t)runs == 0 ? json_integer(runs > 0 ? sum / (int64_t)runs : 0)
                                                 : vbt_json_real((double)sum / (double)runs);
}

static json_t *difference(const struct vbt_delta *c) {
    if (c->old_runs == c->new_runs)
        return mean((int64_t)((uint64_t)c->new_sum - (uint64_t)c->old_sum), c->old_runs);
    double d = vbt_delta_difference(c);
    return fabs(d) < 0x1p53 && d == floor(d) ? json_integer((int64_t)d) : vbt_json_real(d);
}

/* Names of bits. */
static json_t *names_of(unsigned bits, const char *const *names, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        if ((bits >> i & 1) != 0)
            json_array_append_new(list, json_string(names[i]));
    return list;
}

/* [{"name", "p"}] of the noisy numbers that were tested. */
static json_t *probabilities(const struct vbt_judgement *j, size_t row, const char *const *names, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count && j->p != NULL; i++) {
        if (j->p[row * count + i] <= 0)
            continue;
        json_t *test = json_object();
        json_object_set_new(test, "name", json_string(names[i]));
        json_object_set_new(test, "p", vbt_json_real((double)j->p[row * count + i]));
        json_array_append_new(list, test);
    }
    return list;
}

/* Adds "old", "new" and "difference", each with a number of every name, and what is known of
 * these. */
static void put_numbers(json_t *object, const struct vbt_values *values, size_t row, size_t old_runs,
                        const struct vbt_judgement *judgement, const char *const *names) {
    json_t *old = json_object(), *new = json_object(), *differences = json_object();
    for (size_t i = 0; i < values->kinds; i++) {
        const struct vbt_delta change = vbt_delta_of(values, row, i, old_runs);
        json_object_set_new(old, names[i], mean(change.old_sum, change.old_runs));
        json_object_set_new(new, names[i], mean(change.new_sum, change.new_runs));
        json_object_set_new(differences, names[i], difference(&change));
    }
    json_object_set_new(object, "old", old);
    json_object_set_new(object, "new", new);
    json_object_set_new(object, "difference", differences);
    if (judgement == NULL)
        return;
    json_object_set_new(object, "changed", names_of(judgement->counts[row], names, values->kinds));
    json_object_set_new(object, "noisy", names_of(judgement->noisy[row], names, values->kinds));
    json_object_set_new(object, "p", probabilities(judgement, row, names, values->kinds));
}

static json_t *function_of(const struct vbt_compared_places *places, uint32_t function) {
    const struct vbt_compared_function *f = &places->functions[function];
    json_t *object = json_object();
    json_object_set_new(object, "file", vbt_json_text(places->files[f->file].path));
    json_object_set_new(object, "line", json_integer(f->first_line));
    json_object_set_new(object, "function", vbt_json_text(f->name));
    return object;
}

static json_t *place_of(const struct vbt_compared_places *places, uint32_t place) {
    const struct vbt_compared_place *p = &places->rows[place];
    json_t *object = function_of(places, p->function);
    json_object_set_new(object, "line", json_integer(p->line));
    json_object_set_new(object, "source", vbt_json_text(p->text));
    return object;
}

static const char *kind_of(const struct vbt_compared_function *function) {
    static const char *const kinds[] = {
        [VBT_PLACE_PYTHON] = "python", [VBT_PLACE_NATIVE] = "native", [VBT_PLACE_SPECIAL] = "special"};
    return kinds[function->kind];
}

/* Adds where it is, and "was", where it was if that is elsewhere. */
static void put_place(json_t *row, const struct vbt_comparison *c, uint32_t pair) {
    const struct vbt_pair *p = &c->matching.places.rows[pair];
    json_t *now = p->new != 0 ? place_of(&c->new.places, p->new) : place_of(&c->old.places, p->old);
    const struct vbt_compared_function *function = vbt_pair_function(c, vbt_pair_function_of(c, pair));
    json_object_update(row, now);
    json_decref(now);
    json_object_set_new(row, "kind", json_string(kind_of(function)));
    json_object_set_new(row, "user", json_boolean(function->user));
    json_object_set_new(row, "was", vbt_place_changes(c, pair) != 0 ? place_of(&c->old.places, p->old) : json_null());
}

static void put_function(json_t *row, const struct vbt_comparison *c, uint32_t pair) {
    const struct vbt_pair *p = &c->matching.functions.rows[pair];
    if (pair == 0) {
        json_object_set_new(row, "file", json_string(""));
        json_object_set_new(row, "line", json_integer(0));
        json_object_set_new(row, "function", json_string("(no call stack)"));
    } else {
        json_t *now = p->new != 0 ? function_of(&c->new.places, p->new) : function_of(&c->old.places, p->old);
        json_object_update(row, now);
        json_decref(now);
    }
    json_object_set_new(row, "kind", json_string(pair == 0 ? "special" : kind_of(vbt_pair_function(c, pair))));
    json_object_set_new(row, "user", json_boolean(pair != 0 && vbt_pair_function(c, pair)->user));
    json_object_set_new(row, "was", vbt_function_changes(c, pair) != 0 ? function_of(&c->old.places, p->old) : json_null());
}

static json_t *side_of(const struct vbt_side *side) {
    json_t *list = json_array();
    for (size_t i = 0; i < side->run_count; i++) {
        const struct vbt_compared_run *run = &side->runs[i];
        json_t *object = json_object();
        json_object_set_new(object, "trace", vbt_json_text(run->name));
        json_object_set_new(object, "program", vbt_json_text(run->program));
        json_object_set_new(object, "python", vbt_json_text(run->python));
        json_object_set_new(object, "libc", vbt_json_text(run->libc));
        json_object_set_new(object, "vbtrace", vbt_json_text(run->vbtrace));
        json_object_set_new(object, "host", vbt_json_text(run->host));
        json_object_set_new(object, "processes", json_integer((int64_t)run->processes));
        json_object_set_new(object, "complete", json_boolean(run->complete));
        json_object_set_new(object, "lost_events", vbt_json_unsigned(run->lost));
        json_array_append_new(list, object);
    }
    return list;
}

static void put_totals(struct vbt_json *json, const struct vbt_findings *f) {
    static const char *const whole[VBT_W_NUMBERS] = {[VBT_W_PEAK] = "peak_bytes",
                                                     [VBT_W_RSS] = "max_rss_bytes",
                                                     [VBT_W_TIME] = "duration_ns",
                                                     [VBT_W_THREADS] = "threads",
                                                     [VBT_W_PROCESSES] = "processes"};
    const struct vbt_comparison *c = f->comparison;
    json_t *totals = json_object(), *runs = json_object();
    put_numbers(totals, &c->totals, 0, c->old.run_count, &f->totals, vbt_counted_names);
    put_numbers(runs, &c->whole, 0, c->old.run_count, &f->whole, whole);
    vbt_json_member(json, "totals", totals);
    vbt_json_member(json, "runs", runs);
}

static json_t *begin_row(const struct vbt_ranked_row *row) {
    json_t *object = json_object();
    json_object_set_new(object, "status", json_string(vbt_row_statuses[row->status]));
    return object;
}

static void put_lines(struct vbt_json *json, const struct vbt_findings *f, uint64_t limit) {
    const struct vbt_comparison *c = f->comparison;
    vbt_json_array_begin(json, "lines");
    for (size_t i = 0; i < f->lines.changes.listed && i < limit; i++) {
        const struct vbt_ranked_row *changed = &f->lines.changes.rows[i];
        json_t *row = begin_row(changed);
        put_place(row, c, changed->row);
        put_numbers(row, &c->lines, changed->row, c->old.run_count, &f->lines.judgement, vbt_counted_names);
        vbt_json_item(json, row);
    }
    vbt_json_array_end(json);
}

static void put_functions(struct vbt_json *json, const struct vbt_findings *f, uint64_t limit) {
    const struct vbt_comparison *c = f->comparison;
    vbt_json_array_begin(json, "functions");
    for (size_t i = 0; i < f->functions.changes.listed && i < limit; i++) {
        const struct vbt_ranked_row *changed = &f->functions.changes.rows[i];
        json_t *row = begin_row(changed), *called = json_object();
        put_function(row, c, changed->row);
        put_numbers(row, &c->functions, changed->row, c->old.run_count, &f->functions.judgement, vbt_counted_names);
        put_numbers(called, &c->with_called, changed->row, c->old.run_count, NULL, vbt_counted_names);
        json_object_set_new(row, "cumulative", called);
        vbt_json_item(json, row);
    }
    vbt_json_array_end(json);
}

static void put_modules(struct vbt_json *json, const struct vbt_findings *f, uint64_t limit) {
    const struct vbt_comparison *c = f->comparison;
    vbt_json_array_begin(json, "modules");
    for (size_t i = 0; i < f->modules.changes.listed && i < limit; i++) {
        const struct vbt_ranked_row *changed = &f->modules.changes.rows[i];
        const struct vbt_pair *p = &c->modules.rows[changed->row];
        json_t *row = begin_row(changed);
        json_object_set_new(row, "module", vbt_json_text(vbt_pair_module(c, changed->row)));
        json_object_set_new(row, "was", p->old != 0 ? vbt_json_text(c->old.modules[p->old]) : json_null());
        put_numbers(row, &c->module_values, changed->row, c->old.run_count, &f->modules.judgement, vbt_counted_names);
        vbt_json_item(json, row);
    }
    vbt_json_array_end(json);
}

/* Paths on which anything changed, with those above them; parents before children. */
static void put_calls(struct vbt_json *json, const struct vbt_findings *f) {
    const struct vbt_comparison *c = f->comparison;
    bool *leads = vbt_new(c->path_count, sizeof *leads);
    uint32_t *depth = vbt_new(c->path_count, sizeof *depth);
    struct vbt_values sums;
    vbt_compared_sums(&sums, c);
    for (size_t i = c->path_count - 1; i > 0; i--) {
        leads[i] = leads[i] || f->paths.judgement.counts[i] != 0 || f->paths.judgement.noisy[i] != 0;
        leads[c->paths[i].parent] = leads[c->paths[i].parent] || leads[i];
    }
    vbt_json_array_begin(json, "calls");
    for (uint32_t i = 1; i < c->path_count; i++) {
        depth[i] = depth[c->paths[i].parent] + 1;
        if (!leads[i])
            continue;
        json_t *row = json_object(), *below = json_object();
        json_object_set_new(row, "id", json_integer(i));
        json_object_set_new(row, "parent", json_integer(c->paths[i].parent));
        json_object_set_new(row, "depth", json_integer(depth[i]));
        put_place(row, c, c->paths[i].place);
        put_numbers(row, &c->path_values, i, c->old.run_count, &f->paths.judgement, vbt_counted_names);
        put_numbers(below, &sums, i, c->old.run_count, NULL, vbt_counted_names);
        json_object_set_new(row, "cumulative", below);
        vbt_json_item(json, row);
    }
    vbt_json_array_end(json);
    vbt_values_free(&sums);
    free(leads);
    free(depth);
}

static void put_sections(struct vbt_json *json, const struct vbt_findings *f) {
    static const char *const names[VBT_S_NUMBERS] = {
        [VBT_S_COUNT] = "count",   [VBT_S_ITERATIONS] = "iterations", [VBT_S_ALLOCS] = "allocs",
        [VBT_S_FREES] = "frees",   [VBT_S_BYTES] = "allocated_bytes", [VBT_S_FREED] = "freed_bytes",
        [VBT_S_NET] = "net_bytes", [VBT_S_HIGH] = "high_bytes",       [VBT_S_TIME] = "time_ns"};
    const struct vbt_comparison *c = f->comparison;
    vbt_json_array_begin(json, "sections");
    for (uint32_t i = 1; i <= c->sections.count; i++) {
        const struct vbt_compared_section *section = vbt_pair_section(c, i);
        const struct vbt_compared_places *places = c->sections.rows[i].new != 0 ? &c->new.places : &c->old.places;
        json_t *row = json_object();
        json_object_set_new(row, "kind", json_string(section->section ? "section" : "interval"));
        json_object_set_new(row, "label", vbt_json_text(section->label));
        json_object_set_new(row, "from", place_of(places, section->from));
        json_object_set_new(row, "to", place_of(places, section->to));
        put_numbers(row, &c->section_values, i, c->old.run_count, &f->sections, names);
        vbt_json_item(json, row);
    }
    vbt_json_array_end(json);
}

static void put_timeline(struct vbt_json *json, const struct vbt_comparison *c) {
    vbt_json_array_begin(json, "timeline");
    for (size_t part = 0; part < VBT_COURSE_PARTS; part++) {
        json_t *row = json_object();
        json_object_set_new(row, "share", vbt_json_real((double)part / VBT_COURSE_PARTS));
        for (int new = 0; new < 2; new ++) {
            const struct vbt_side *side = new ? &c->new : &c->old;
            int64_t live = 0, rss = 0;
            for (size_t run = 0; run < side->run_count; run++) {
                live = (int64_t)((uint64_t)live + (uint64_t)side->runs[run].course.live[part]);
                rss = (int64_t)((uint64_t)rss + (uint64_t)side->runs[run].course.rss[part]);
            }
            json_object_set_new(row, new ? "new_live_bytes" : "old_live_bytes", mean(live, side->run_count));
            json_object_set_new(row, new ? "new_rss_bytes" : "old_rss_bytes", mean(rss, side->run_count));
        }
        vbt_json_item(json, row);
    }
    vbt_json_array_end(json);
}

static json_t *counts_of(const struct vbt_findings *f) {
    json_t *object = json_object();
    json_object_set_new(object, "changed", json_integer((int64_t)f->lines.changes.count));
    json_object_set_new(object, "same", json_integer((int64_t)f->lines.changes.same));
    json_object_set_new(object, "varying", json_integer((int64_t)f->lines.changes.noise));
    json_object_set_new(object, "moved", json_integer((int64_t)f->moved));
    return object;
}

void vbt_diff_json_print(const struct vbt_findings *f, const struct vbt_query *query, FILE *out) {
    const struct vbt_comparison *c = f->comparison;
    struct vbt_json json;
    char *verdict = vbt_diff_verdict(f);
    vbt_json_begin(&json, out, "diff");
    vbt_json_member(&json, "verdict", vbt_json_text(verdict));
    free(verdict);
    vbt_json_member(&json, "differs", json_boolean(vbt_findings_any(f)));
    vbt_json_member(&json, "by", json_string(query->by_leaf ? "leaf" : "user"));
    vbt_json_member(&json, "old_runs", side_of(&c->old));
    vbt_json_member(&json, "new_runs", side_of(&c->new));
    put_totals(&json, f);
    json_t *conservation = json_object();
    json_object_set_new(conservation, "holds", json_boolean(f->difference == NULL));
    json_object_set_new(conservation, "difference", vbt_json_text(f->difference));
    vbt_json_member(&json, "conservation", conservation);
    vbt_json_member(&json, "line_counts", counts_of(f));
    put_lines(&json, f, query->limit);
    put_functions(&json, f, query->limit);
    put_modules(&json, f, query->limit);
    put_calls(&json, f);
    put_sections(&json, f);
    put_timeline(&json, c);
    vbt_json_array_begin(&json, "notes");
    for (size_t i = 0; i < f->note_count; i++)
        vbt_json_item(&json, vbt_json_text(f->notes[i]));
    vbt_json_array_end(&json);
    vbt_json_end(&json);
}
