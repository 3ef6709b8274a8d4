/* vbtrace lines: every line with its exact counts. */
#include "commands.h"
#include "analyzer/analysis/line_mode/line_fold.h"
#include "analyzer/analysis/line_mode/line_profile.h"
#include "analyzer/analysis/line_mode/uncounted_lines.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/json.h"
#include "analyzer/base/message.h"
#include "analyzer/base/short_name.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/call_report.h"
#include "analyzer/report/json_rows.h"
#include "analyzer/report/lines/line_csv.h"
#include "analyzer/report/lines/line_table.h"
#include "analyzer/report/line_mode/line_profile_data.h"
#include "analyzer/report/line_mode/line_profile_like.h"
#include "analyzer/report/line_mode/line_profile_table.h"
#include "format/count.h"
#include "analyzer/report/overview.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 40 };

/* The exact columns, then these. */
static const struct vbt_column sizes_column = {.title = "Sizes", .align = VBT_RIGHT, .gap = 2, .drop = 4},
                               place_column = {.title = "Line", .gap = 2, .least = 20, .ellipsis = VBT_ELLIPSIS_START},
                               function_column = {.title = "Function", .gap = 2, .least = 12};

static void put_row(struct vbt_text_table *table, const bool shown[VBT_LINE_COLUMNS], const struct vbt_source_place *place,
                    const char *name, const struct vbt_sums *s) {
    vbt_line_cells_put(table, shown, s);
    if (s->smallest > s->largest)
        vbt_text_table_cell(table, "%s", "");
    else if (s->smallest == s->largest)
        vbt_text_table_cell(table, "%s", vbt_bytes((int64_t)s->smallest).text);
    else
        vbt_text_table_cell(table, "%s – %s", vbt_bytes((int64_t)s->smallest).text, vbt_bytes((int64_t)s->largest).text);
    bool is_code = place != NULL && place->kind != VBT_PLACE_SPECIAL;
    char *function = vbt_short_name(is_code ? place->function : "", LONGEST_NAME);
    char *position = is_code ? vbt_place_position(place) : vbt_copy(name, strlen(name));
    vbt_text_table_cell(table, "%s", position);
    vbt_text_table_cell(table, "%s", function);
    free(position);
    free(function);
}

static void print_text(const struct vbt_lines *lines, const struct vbt_query *query, struct vbt_output *output) {
    struct vbt_sums others = VBT_NO_SUMS, total = vbt_lines_total(lines);
    struct vbt_column columns[VBT_LINE_COLUMNS + 3];
    bool shown[VBT_LINE_COLUMNS];
    vbt_line_columns_choose(shown, &total, query->sort);
    size_t used = vbt_line_columns_put(columns, shown, query->sort);
    columns[0].gap = 0;
    columns[used++] = sizes_column;
    columns[used++] = place_column;
    columns[used++] = function_column;
    struct vbt_text_table *table = vbt_text_table_new(columns, used);
    for (size_t i = 0; i < lines->count; i++)
        if (i < query->limit)
            put_row(table, shown, lines->rows[i].place, lines->rows[i].place->function, &lines->rows[i].sums);
        else
            vbt_sums_add(&others, &lines->rows[i].sums);
    if (lines->count > query->limit) {
        char *name = vbt_text("%s", vbt_counted((int64_t)(lines->count - query->limit), "other line").text);
        put_row(table, shown, NULL, name, &others);
        free(name);
    }
    put_row(table, shown, NULL, "total", &total);
    vbt_text_table_print(table, output, '-');
    vbt_line_columns_explain(table, shown[VBT_LINE_MEM_USAGE], output);
    vbt_text_table_free(table);
}

static void print_json(const struct vbt_lines *lines, const struct vbt_line_profile *profile, const struct vbt_trace *trace,
                       const struct vbt_query *query, FILE *out) {
    struct vbt_sources *sources = trace->sources;
    struct vbt_json json;
    vbt_json_begin(&json, out, "lines");
    vbt_json_completeness(&json, &trace->model);
    vbt_json_member(&json, "by", json_string(query->by_leaf ? "leaf" : "user"));
    vbt_json_array_begin(&json, "lines");
    for (size_t i = 0; i < lines->count && i < query->limit; i++)
        vbt_json_item(&json, vbt_json_line(&lines->rows[i], sources));
    vbt_json_array_end(&json);
    if (profile->count > 0)
        vbt_json_line_profile(&json, profile, query->limit, sources);
    vbt_json_end(&json);
}

/* Merges functions of the profile that the view shows as one. */
static void fold(struct vbt_line_profile *profile, const struct vbt_query *query, struct vbt_sources *sources) {
    bool like_memory_profiler = query->format == VBT_TEXT && query->like == VBT_LIKE_MEMORY_PROFILER;
    bool like_line_profiler = query->format == VBT_TEXT && query->like == VBT_LIKE_LINE_PROFILER;
    if (like_memory_profiler || (query->format == VBT_TEXT && query->like == VBT_LIKE_OURS))
        vbt_fold_comprehensions(profile);
    if (like_memory_profiler)
        vbt_fold_nested(profile, sources);
    vbt_fold_costs(profile, !like_line_profiler); /* line_profiler does not see into generators */
}

/* Does the query ask for counted lines, where there are any? */
static bool shows_profile(const struct vbt_query *query) { return query->format != VBT_JSON && !query->sorted && !query->by_leaf; }

/* Prints what line mode counted; false if the query asks for the list of lines instead. */
static bool print_profile(const struct vbt_line_profile *profile, const struct vbt_query *query, const struct vbt_trace *trace,
                          struct vbt_output *output) {
    bool data = query->format != VBT_TEXT, asked_for = !data && (query->own || query->like != VBT_LIKE_OURS);
    if ((profile->count == 0 && !asked_for) || !shows_profile(query))
        return false;
    struct vbt_sources *sources = trace->sources;
    size_t shown = profile->count;
    if (data)
        vbt_line_profile_csv_print(profile, query->limit, sources, output->stream);
    else if (query->like == VBT_LIKE_MEMORY_PROFILER)
        shown = vbt_line_profile_print_as_memory_profiler(profile, sources, output->stream);
    else if (query->like == VBT_LIKE_LINE_PROFILER)
        shown = vbt_line_profile_print_as_line_profiler(profile, sources, output->stream);
    else if (shown > 0)
        vbt_line_profile_print(profile, query->own, query->limit, sources, output);
    if (shown == 0)
        vbt_warn("%s: %s", query->trace,
                 profile->count == 0 ? "no line that was counted passes --filter"
                                     : "no lines of functions were counted; without --like, those of modules are shown");
    else
        vbt_trace_warn_if_empty(trace, query, shown);
    return true;
}

/* Prints every line that allocated. */
static void print_lines(const struct vbt_trace *trace, const struct vbt_line_profile *profile, const struct vbt_query *query,
                        struct vbt_output *output) {
    struct vbt_lines lines;
    vbt_lines_build(&lines, &trace->model, trace->places, query->by_leaf ? trace->attribution.leaf : trace->attribution.user,
                    trace->counts, !query->by_leaf);
    vbt_lines_filter(&lines, trace->filter);
    vbt_lines_sort(&lines, query->sort);
    vbt_trace_warn_if_empty(trace, query, lines.count + profile->count);
    if (query->format == VBT_JSON)
        print_json(&lines, profile, trace, query, output->stream);
    else if (query->format == VBT_CSV)
        vbt_line_csv_print(&lines, query->limit, trace->sources, output->stream);
    else
        print_text(&lines, query, output);
    vbt_lines_free(&lines);
}

/* Warns of lines that were to be counted and were not. */
static void warn(const struct vbt_model *model, const char *path) {
    char *uncounted = vbt_uncounted_lines(model);
    if (uncounted != NULL)
        vbt_warn("%s: %s", path, uncounted);
    free(uncounted);
}

/* One of these sentences. It may name files, as the trace does. */
static void print_sentence(const char *text, bool beside, const char *gap, FILE *out) {
    if (beside) {
        vbt_warn("%s", text);
        return;
    }
    char *printable = vbt_utf8_printable(text, strlen(text));
    fprintf(out, "%s%s\n", gap, printable);
    free(printable);
}

/* What the numbers may lack: in vbtrace's own text within the report, otherwise as warnings. */
static void print_trouble(const struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    bool beside = query->format != VBT_TEXT || query->like != VBT_LIKE_OURS;
    char *changed;
    const char *uncounted, *gap = "\n";
    for (size_t i = 0; (uncounted = vbt_uncounted_since(&trace->model, i)) != NULL; i++, gap = "")
        print_sentence(uncounted, beside, gap, out);
    for (size_t i = 0; (changed = vbt_sources_trouble(trace->sources, i)) != NULL; i++, gap = "") {
        print_sentence(changed, beside, gap, out);
        free(changed);
    }
}

int vbt_cmd_lines(const struct vbt_query *query) {
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, query, query->format == VBT_JSON))
        return 2;
    vbt_trace_attribute(&trace);
    warn(&trace.model, query->trace);
    if (trace.model.line_counts_count > 0 && shows_profile(query) &&
        (vbt_filter_selects_domains(trace.filter) || query->user != NULL)) {
        vbt_trace_free(&trace);
        return query->user != NULL
                   ? vbt_fail("lines: --user has no effect on counted lines, which were chosen when they ran; it needs --sort")
                   : vbt_fail("lines: counted lines do not know their domain: --filter domain=... needs --sort or --by leaf");
    }
    struct vbt_line_profile profile;
    vbt_line_profile_build(&profile, &trace.model, trace.places, trace.filter);
    fold(&profile, query, trace.sources);
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    vbt_part_print(&trace.model, query, &output);
    if (!print_profile(&profile, query, &trace, &output))
        print_lines(&trace, &profile, query, &output);
    print_trouble(&trace, query, output.stream);
    vbt_line_profile_free(&profile);
    vbt_incomplete_print(&trace.model, query, &output);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}
