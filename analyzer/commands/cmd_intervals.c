/* vbtrace intervals: time and memory between clock readings, and of marked sections. */
#include "commands.h"
#include "analyzer/analysis/notes.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/csv.h"
#include "analyzer/base/json.h"
#include "analyzer/base/message.h"
#include "analyzer/base/units.h"
#include "analyzer/report/interval_report.h"
#include "analyzer/report/json_rows.h"
#include "analyzer/report/paragraph.h"
#include "format/count.h"
#include "analyzer/report/overview.h"

#include <math.h>
#include <stdlib.h>

static void print_more(struct vbt_output *output, size_t all, uint64_t shown, const char *what) {
    if (all > shown)
        fprintf(output->stream, "… and %s\n", vbt_counted((int64_t)(all - shown), what).text);
}

/* The sentences on what the table lacks, from number 0 on; NULL after the last. The caller frees
 * each. */
static char *missing(const struct vbt_interval_list *groups, const struct vbt_model *model, const struct vbt_query *query,
                     size_t number) {
    static const enum vbt_lost reasons[] = {VBT_LOST_INTERVALS, VBT_LOST_SIGNAL, VBT_LOST_INTERVAL_SITES};
    bool by_stack = query->sites || query->filter_count > 0;
    size_t count = by_stack ? VBT_COUNT(reasons) : VBT_COUNT(reasons) - 1;
    char *note = vbt_unended_note(groups);
    for (size_t i = 0;; i++) {
        if (note != NULL && number-- == 0)
            return note;
        free(note);
        if (i == count)
            return NULL;
        note = vbt_lost_note(model, reasons[i]);
    }
}

static void print_missing(const struct vbt_interval_list *groups, const struct vbt_model *model, const struct vbt_query *query,
                          struct vbt_output *output) {
    char *note;
    for (size_t i = 0; (note = missing(groups, model, query, i)) != NULL; i++) {
        if (i == 0 && groups->count > 0)
            putc('\n', output->stream);
        vbt_paragraph_print(output, "", note, false);
        free(note);
    }
}

static void warn_of_missing(const struct vbt_interval_list *groups, const struct vbt_model *model, const struct vbt_query *query) {
    char *note;
    for (size_t i = 0; (note = missing(groups, model, query, i)) != NULL; i++) {
        vbt_warn("%s: %s", query->trace, note);
        free(note);
    }
}

static void print_text(const struct vbt_interval_list *groups, const struct vbt_model *model, const struct vbt_query *query,
                       struct vbt_output *output) {
    const char *none = model->window.is_part
                           ? "No intervals: none ended in this part of the run."
                           : "No intervals: the program did not read a clock twice in its own code, and marked no section.";
    if (model->interval_count == 0)
        vbt_paragraph_print(output, "", none, false);
    size_t sections = vbt_sections_print(groups, query->limit, query->per, query->sites, output);
    print_more(output, sections, query->limit, "more section");
    if (sections > 0 && sections < groups->count)
        putc('\n', output->stream);
    size_t others = vbt_clock_intervals_print(groups, query->limit, query->per, query->sites, output);
    print_more(output, others, query->limit, "more interval");
    print_missing(groups, model, query, output);
}

static void print_json(const struct vbt_interval_list *groups, const struct vbt_model *model, const struct vbt_query *query,
                       FILE *out) {
    struct vbt_json json;
    vbt_json_begin(&json, out, "intervals");
    vbt_json_completeness(&json, model);
    vbt_json_array_begin(&json, "intervals");
    for (size_t i = 0; i < groups->count && i < query->limit; i++)
        vbt_json_item(&json, vbt_json_interval(&groups->rows[i], query->per));
    vbt_json_array_end(&json);
    vbt_json_unended(&json, groups);
    json_t *lost = json_object();
    for (int i = 0; i < VBT_LOST_KINDS; i++)
        json_object_set_new(lost, vbt_lost_name((enum vbt_lost)i), json_integer(model->state[VBT_STATE_LOST + i]));
    vbt_json_member(&json, "lost", lost);
    vbt_json_end(&json);
}

static void put_known(struct vbt_csv *csv, bool known, int64_t value) {
    if (known)
        vbt_csv_integer(csv, value);
    else
        vbt_csv_text(csv, NULL);
}

static void print_csv(const struct vbt_interval_list *groups, const struct vbt_query *query, FILE *out) {
    static const enum vbt_quantity quantities[] = {VBT_Q_TIME,  VBT_Q_ALLOCS, VBT_Q_FREES, VBT_Q_ALLOCATED,
                                                   VBT_Q_FREED, VBT_Q_NET,    VBT_Q_HIGH};
    struct vbt_csv csv;
    vbt_csv_begin(&csv, out,
                  "kind,label,from_file,from_line,to_file,to_line,count,iterations,time_std_ns,"
                  "time_min_ns,time_mean_ns,time_max_ns,allocs_min,allocs_mean,allocs_max,frees_min,frees_mean,frees_max,"
                  "allocated_bytes_min,allocated_bytes_mean,allocated_bytes_max,freed_bytes_min,freed_bytes_mean,freed_bytes_max,"
                  "net_bytes_min,net_bytes_mean,net_bytes_max,high_bytes_min,high_bytes_mean,high_bytes_max,"
                  "time_ns_per_iteration,allocs_per_iteration,allocated_bytes_per_iteration");
    for (size_t i = 0; i < groups->count && i < query->limit; i++) {
        const struct vbt_interval_row *group = &groups->rows[i];
        double iterations = vbt_interval_iterations(group, query->per);
        if (!(iterations > 0))
            iterations = NAN;
        vbt_csv_text(&csv, group->section ? "section" : "clock");
        vbt_csv_text(&csv, group->label);
        vbt_csv_text(&csv, group->from->file);
        vbt_csv_integer(&csv, group->from->line);
        vbt_csv_text(&csv, group->to->file);
        vbt_csv_integer(&csv, group->to->line);
        vbt_csv_unsigned(&csv, group->count);
        vbt_csv_unsigned(&csv, group->iterations);
        vbt_csv_real(&csv, vbt_interval_deviation(group));
        for (size_t q = 0; q < VBT_COUNT(quantities); q++) {
            bool some = !vbt_interval_knows_extremes(group, quantities[q]);
            bool unknown = group->filtered && quantities[q] == VBT_Q_HIGH;
            put_known(&csv, !some, group->of[quantities[q]].min);
            vbt_csv_real(&csv, unknown ? NAN : vbt_interval_mean(group, quantities[q]));
            put_known(&csv, !some, group->of[quantities[q]].max);
        }
        vbt_csv_real(&csv, (double)group->of[VBT_Q_TIME].total / iterations);
        vbt_csv_real(&csv, (double)group->of[VBT_Q_ALLOCS].total / iterations);
        vbt_csv_real(&csv, (double)group->of[VBT_Q_ALLOCATED].total / iterations);
        vbt_csv_end_row(&csv);
    }
}

int vbt_cmd_intervals(const struct vbt_query *given) {
    struct vbt_query of_intervals = *given, *query = &of_intervals;
    struct vbt_trace trace;
    query->intervals_alone = true;
    if (!vbt_trace_load(&trace, query, false))
        return 2;
    vbt_trace_attribute(&trace);
    struct vbt_interval_list groups;
    vbt_interval_list_build(&groups, &trace.model, trace.places, trace.attribution.leaf,
                            vbt_filter_selects_stacks(trace.filter) ? trace.counts : NULL);
    if (query->per > 0 && !vbt_interval_list_asks(&groups))
        vbt_warn("%s: --per has no effect: there is no interval whose iterations are not known", query->trace);
    vbt_interval_list_filter(&groups, trace.filter);
    vbt_interval_list_sort(&groups, query->sort);
    vbt_trace_warn_if_empty(&trace, query, groups.count + (trace.model.interval_count == 0));
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    vbt_part_print(&trace.model, query, &output);
    if (query->format == VBT_CSV)
        warn_of_missing(&groups, &trace.model, query);
    if (query->format == VBT_JSON)
        print_json(&groups, &trace.model, query, output.stream);
    else if (query->format == VBT_CSV)
        print_csv(&groups, query, output.stream);
    else
        print_text(&groups, &trace.model, query, &output);
    vbt_interval_list_free(&groups);
    vbt_incomplete_print(&trace.model, query, &output);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}
