/* vbtrace lines: every line with its exact counts. */
#include "options.h"
#include "analyzer/analysis/line_mode/line_fold.h"
#include "analyzer/analysis/line_mode/line_profile.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/analysis/uncounted.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/json.h"
#include "analyzer/base/message.h"
#include "analyzer/base/short_name.h"
#include "analyzer/base/table.h"
#include "analyzer/base/units.h"
#include "analyzer/report/line_csv.h"
#include "analyzer/report/line_mode/line_profile_data.h"

#include <stdlib.h>

static const struct vbt_column columns[] = {
    {.title = "Line", .least = 20, .cut = VBT_CUT_START},
    {.title = "Function", .gap = 2, .least = 10},
    {.title = "Allocs", .align = VBT_RIGHT, .gap = 2},
    {.title = "Bytes", .align = VBT_RIGHT, .gap = 2, .width = 8},
    {.title = "Freed", .align = VBT_RIGHT, .gap = 2, .width = 8, .drop = 4},
    {.title = "Net", .align = VBT_RIGHT, .gap = 2, .width = 8},
    {.title = "At peak", .align = VBT_RIGHT, .gap = 2, .width = 8, .drop = 2},
    {.title = "Temp", .align = VBT_RIGHT, .gap = 2, .drop = 1},
    {.title = "Sizes", .align = VBT_RIGHT, .gap = 2, .drop = 3},
    {.title = "Max RSS", .align = VBT_RIGHT, .gap = 2, .drop = 5},
};

enum { LONGEST_NAME = 40 };

static void put_row(struct vbt_table *table, const struct vbt_place *place, const char *name, const struct vbt_sums *s) {
    if (place == NULL || place->kind == VBT_PLACE_SPECIAL)
        vbt_table_cell(table, "%s", name);
    else if (place->line > 0)
        vbt_table_cell(table, "%s:%lld", place->file, (long long)place->line);
    else
        vbt_table_cell(table, "%s", place->file);
    char *function = vbt_short_name(place != NULL && place->kind != VBT_PLACE_SPECIAL ? place->function : "", LONGEST_NAME);
    vbt_table_cell(table, "%s", function);
    free(function);
    vbt_table_cell(table, "%s", vbt_count((int64_t)s->allocs).text);
    vbt_table_cell(table, "%s", vbt_bytes((int64_t)s->allocated).text);
    vbt_table_cell(table, "%s", vbt_bytes((int64_t)s->freed).text);
    vbt_table_cell(table, "%s", vbt_bytes(s->live_bytes).text);
    vbt_table_cell(table, "%s", vbt_bytes(s->at_peak_bytes).text);
    vbt_table_cell(table, "%s", vbt_count((int64_t)s->temporary).text);
    if (s->smallest > s->largest)
        vbt_table_cell(table, "%s", "");
    else if (s->smallest == s->largest)
        vbt_table_cell(table, "%s", vbt_bytes((int64_t)s->smallest).text);
    else
        vbt_table_cell(table, "%s – %s", vbt_bytes((int64_t)s->smallest).text, vbt_bytes((int64_t)s->largest).text);
    vbt_table_cell(table, "%s", s->max_rss_bytes > 0 ? vbt_bytes((int64_t)s->max_rss_bytes).text : "");
}

static void print_text(const struct vbt_lines *lines, uint64_t limit, struct vbt_output *output) {
    struct vbt_table *table = vbt_table_new(columns, sizeof columns / sizeof *columns);
    struct vbt_sums others = VBT_NO_SUMS, total = vbt_lines_total(lines);
    for (size_t i = 0; i < lines->count; i++)
        if (i < limit)
            put_row(table, lines->rows[i].place, lines->rows[i].place->function, &lines->rows[i].sums);
        else
            vbt_sums_add(&others, &lines->rows[i].sums);
    if (lines->count > limit) {
        char *name = vbt_text("%s other lines", vbt_count((int64_t)(lines->count - limit)).text);
        put_row(table, NULL, name, &others);
        free(name);
    }
    put_row(table, NULL, "total", &total);
    vbt_table_print(table, output, '-');
    vbt_table_free(table);
}

static void print_json(const struct vbt_lines *lines, const struct vbt_line_profile *profile, const struct vbt_options *options,
                       struct vbt_sources *sources, FILE *out) {
    struct vbt_json json;
    vbt_json_begin(&json, out);
    vbt_json_member(&json, "by", json_string(options->by_leaf ? "leaf" : "user"));
    vbt_json_array_begin(&json, "lines");
    for (size_t i = 0; i < lines->count && i < options->limit; i++)
        vbt_json_item(&json, vbt_json_line(&lines->rows[i], sources));
    vbt_json_array_end(&json);
    if (profile->count > 0)
        vbt_json_line_profile(&json, profile, sources);
    vbt_json_end(&json);
}

/* Makes of the profile what the view wants to see as one function. */
static void fold(struct vbt_line_profile *profile, const struct vbt_options *options, struct vbt_sources *sources) {
    bool like_memory_profiler = options->format == VBT_TEXT && options->like == VBT_LIKE_MEMORY_PROFILER;
    if (like_memory_profiler || (options->format == VBT_TEXT && options->like == VBT_LIKE_OURS))
        vbt_fold_comprehensions(profile);
    if (like_memory_profiler)
        vbt_fold_nested(profile, sources);
    vbt_fold_costs(profile);
}

/* What line mode counted; false if there is nothing to show in this way. */
static bool print_profile(const struct vbt_line_profile *profile, const struct vbt_options *options, struct vbt_sources *sources,
                          struct vbt_output *output) {
    bool data = options->format != VBT_TEXT, asked_for = !data && (options->own || options->like != VBT_LIKE_OURS);
    if ((profile->count == 0 && !asked_for) || options->format == VBT_JSON || options->sorted || options->by_leaf)
        return false;
    size_t shown = profile->count;
    if (data)
        vbt_line_profile_csv_print(profile, sources, output->stream);
    else if (options->like == VBT_LIKE_MEMORY_PROFILER)
        shown = vbt_line_profile_print_as_memory_profiler(profile, sources, output->stream);
    else if (options->like == VBT_LIKE_LINE_PROFILER)
        shown = vbt_line_profile_print_as_line_profiler(profile, sources, output->stream);
    else if (shown > 0)
        vbt_line_profile_print(profile, options->own, options->limit, sources, output);
    if (shown == 0)
        vbt_warn("%s: %s", options->trace,
                 profile->count == 0 ? "no line that was counted passes --filter"
                                     : "no line of a function was counted; those of modules are shown without --like");
    return true;
}

/* Every line that allocated. */
static void print_lines(const struct vbt_trace *trace, const struct vbt_line_profile *profile, const struct vbt_options *options,
                        struct vbt_output *output) {
    struct vbt_lines lines;
    vbt_lines_build(&lines, &trace->model, trace->places, options->by_leaf ? trace->attribution.leaf : trace->attribution.user,
                    trace->counts, !options->by_leaf);
    vbt_lines_filter(&lines, trace->filter);
    vbt_lines_sort(&lines, options->sort);
    if (options->format == VBT_JSON)
        print_json(&lines, profile, options, trace->sources, output->stream);
    else if (options->format == VBT_CSV)
        vbt_line_csv_print(&lines, options->limit, trace->sources, output->stream);
    else
        print_text(&lines, options->limit, output);
    vbt_lines_free(&lines);
}

/* Of what is not in the report, and was to be. */
static void warn(const struct vbt_model *model, const char *path) {
    char *uncounted = vbt_uncounted(model);
    if (uncounted != NULL)
        vbt_warn("%s: %s", path, uncounted);
    free(uncounted);
}

/* Of files that are not what they were: in the report where that is text of ours, else beside it. */
static void print_trouble(const struct vbt_sources *sources, const struct vbt_options *options, FILE *out) {
    bool beside = options->format != VBT_TEXT || options->like != VBT_LIKE_OURS;
    char *trouble;
    for (size_t i = 0; (trouble = vbt_sources_trouble(sources, i)) != NULL; i++) {
        if (beside)
            vbt_warn("%s", trouble);
        else
            fprintf(out, "%s%s\n", i == 0 ? "\n" : "", trouble);
        free(trouble);
    }
}

static int run(const struct vbt_options *options) {
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, options, options->format == VBT_JSON))
        return 2;
    warn(&trace.model, options->trace);
    struct vbt_line_profile profile;
    vbt_line_profile_build(&profile, &trace.model, trace.places, trace.filter);
    fold(&profile, options, trace.sources);
    struct vbt_output output;
    vbt_output_begin(&output, options->output);
    if (!print_profile(&profile, options, trace.sources, &output))
        print_lines(&trace, &profile, options, &output);
    print_trouble(trace.sources, options, output.stream);
    vbt_line_profile_free(&profile);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}

const struct vbt_command vbt_command_lines = {
    .name = "lines",
    .summary = "every line with its exact counts",
    .help = "Lists lines with allocations, bytes, what of it is live at the end and at the peak, and temporary allocations (freed\n"
            "before their thread allocated again). json has the histogram of sizes too.\n"
            "If lines were counted (VBTRACE_LINES), shows them instead, function by function: hits, time and memory in one table.\n"
            "With --sort or --by leaf the list comes all the same.",
    .sort_keys = vbt_line_keys,
    .takes = VBT_TAKES_LIMIT | VBT_TAKES_FILTER | VBT_TAKES_BY | VBT_TAKES_LIKE,
    .text_limit = 40,
    .run = run,
};
