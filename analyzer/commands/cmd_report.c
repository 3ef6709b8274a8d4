/* vbtrace report: the overview that a person wants first, and JSON for programs. */
#include "commands.h"
#include "analyzer/analysis/notes.h"
#include "analyzer/analysis/threads.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/command_line.h"
#include "analyzer/report/interval_report.h"
#include "analyzer/report/json_rows.h"
#include "analyzer/report/lines/largest.h"
#include "analyzer/report/lines/line_csv.h"
#include "analyzer/report/lines/line_table.h"
#include "analyzer/report/overview.h"
#include "analyzer/report/paragraph.h"
#include "analyzer/report/report_json.h"
#include "analyzer/report/resident_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Rows shown as text. Sections were marked in order to be seen; many programs read clocks for other
 * reasons. */
enum { SECTIONS_SHOWN = 60, CLOCK_INTERVALS_SHOWN = 8, TICKS_WORTH_A_PICTURE = 20 };

static const uint32_t *line_of(const struct vbt_trace *trace, bool by_leaf) {
    return by_leaf ? trace->attribution.leaf : trace->attribution.user;
}

static void print_title(struct vbt_output *output, const char *title, const char *more) {
    fprintf(output->stream, "\n%s%s%s%s\n\n", output->bold, title, output->normal, more);
}

static void print_more(struct vbt_output *output, size_t all, size_t shown, const char *what) {
    if (all > shown)
        fprintf(output->stream, "… and %s\n", vbt_counted((int64_t)(all - shown), what).text);
}

static void print_intervals(struct vbt_interval_list *groups, const struct vbt_query *query, struct vbt_output *output) {
    size_t sections = 0;
    for (size_t i = 0; i < groups->count; i++)
        sections += groups->rows[i].section;
    if (sections > 0) {
        print_title(output, "Sections", "");
        print_more(output, vbt_sections_print(groups, SECTIONS_SHOWN, query->per, false, output), SECTIONS_SHOWN, "more section");
    }
    if (groups->count > sections) {
        vbt_interval_list_sort(groups, "time");
        char *per =
            query->per > 0 ? vbt_text(", cost of one of %s", vbt_counted((int64_t)query->per, "iteration").text) : vbt_copy("", 0);
        char *more = vbt_text(", from one line that read the clock to the next%s", per);
        print_title(output, "Intervals", more);
        print_more(output, vbt_clock_intervals_print(groups, CLOCK_INTERVALS_SHOWN, query->per, false, output),
                   CLOCK_INTERVALS_SHOWN, "more interval");
        free(more);
        free(per);
    }
}

static void print_notes(const struct vbt_notes *notes, struct vbt_output *output) {
    if (notes->count == 0)
        return;
    print_title(output, "Notes", "");
    for (size_t i = 0; i < notes->count; i++)
        vbt_paragraph_print(output, "- ", notes->text[i], true);
}

/* Lists commands that show more of this trace. */
static void print_next(const struct vbt_trace *trace, const struct vbt_query *query, const struct vbt_lines *lines,
                       const struct vbt_interval_list *groups, struct vbt_output *output) {
    char *word = vbt_shell_word(query->trace), *file = vbt_utf8_printable(word, strlen(word));
    FILE *out = output->stream;
    print_title(output, "Next", "");
    if (trace->model.damage != NULL)
        fprintf(out, "vbtrace info %s\n    how much of the file could be read\n", file);
    if (trace->model.line_counts_count > 0)
        fprintf(out, "vbtrace lines %s\n    every line that was counted: hits, time, memory\n", file);
    if (!query->by_leaf)
        fprintf(out, "vbtrace report --by leaf %s\n    the lines that allocate, including those in libraries\n", file);
    else if (lines->count > query->limit)
        fprintf(out, "vbtrace lines --limit 0 %s\n    all %s\n", file, vbt_counted((int64_t)lines->count, "line").text);
    fprintf(out, "vbtrace functions --sort cum-bytes %s\n    which calls the bytes come from\n", file);
    fprintf(out, "vbtrace flamegraph -o graph.svg %s\n    the same as a picture to search and zoom, in a browser\n", file);
    fprintf(out, "vbtrace peak %s\n    what was live when the heap was largest, by call stack\n", file);
    if (vbt_model_process(&trace->model, "python") == NULL && trace->model.state[VBT_STATE_DOMAIN] > 0)
        fprintf(out, "vbtrace leaks %s\n    what was never freed\n", file);
    if (trace->model.state[VBT_STATE_SHUTDOWN_TIME] != 0)
        fprintf(out, "vbtrace leaks --before-exit %s\n    what was live before the interpreter shut down\n", file);
    if (groups->count > 0)
        fprintf(out, "vbtrace intervals --sites %s\n    which lines allocate inside each interval\n", file);
    if (trace->model.ticks.count >= TICKS_WORTH_A_PICTURE)
        fprintf(out, "vbtrace timeline %s\n    memory over time\n", file);
    free(file);
    free(word);
}

static void print_memory(const struct vbt_model *model, struct vbt_output *output) {
    bool resident = vbt_resident_known(model);
    if (!resident && !vbt_domains_differ(model))
        return;
    print_title(output, "Memory", "");
    if (vbt_domains_print(model, output) && resident)
        putc('\n', output->stream);
    vbt_resident_print(model, output);
}

/* Prints the lines of the user's own files; where there is none, those that allocate. */
static void print_lines(const struct vbt_trace *trace, const struct vbt_query *query, const struct vbt_lines *lines,
                        const struct vbt_lines *outside, struct vbt_output *output) {
    bool any = false;
    for (size_t i = 0; i < lines->count; i++)
        any = any || lines->rows[i].place->kind != VBT_PLACE_SPECIAL;
    any = any || outside->count == 0;
    const char *more = query->by_leaf ? ", the lines that allocate themselves"
                       : any          ? ", each with everything that was allocated on its behalf"
                                      : ": none is in your files; these allocate themselves";
    print_title(output, "Hottest lines", more);
    vbt_line_table_print(any ? lines : outside, query->sort, query->limit, query->limited, trace->sources, output);
}

static void print_text(const struct vbt_trace *trace, const struct vbt_query *query, struct vbt_lines *lines,
                       struct vbt_interval_list *groups, const struct vbt_conservation *conservation, struct vbt_output *output) {
    struct vbt_lines outside = {0};
    if (!query->by_leaf) {
        vbt_lines_build_outside(&outside, &trace->model, trace->places, trace->attribution.user, trace->attribution.leaf,
                                trace->counts);
        vbt_lines_filter(&outside, trace->filter);
        vbt_lines_sort(&outside, query->sort);
    }
    vbt_program_print(&trace->model, output);
    putc('\n', output->stream);
    vbt_part_print(&trace->model, query, output);
    vbt_largest_print(trace, query, lines, &outside, output);
    print_lines(trace, query, lines, &outside, output);
    vbt_lines_free(&outside);
    print_intervals(groups, query, output);
    print_memory(&trace->model, output);
    struct vbt_notes notes;
    vbt_notes_collect(&notes, trace, conservation, groups);
    print_notes(&notes, output);
    vbt_notes_free(&notes);
    print_next(trace, query, lines, groups, output);
}

/* Returns how many lines there are. */
static size_t print_json_lines(struct vbt_json *json, const char *name, const struct vbt_trace *trace, bool by_leaf,
                               const struct vbt_query *query) {
    struct vbt_lines lines;
    vbt_lines_build(&lines, &trace->model, trace->places, line_of(trace, by_leaf), trace->counts, !by_leaf);
    vbt_lines_filter(&lines, trace->filter);
    vbt_lines_sort(&lines, query->sort);
    vbt_json_array_begin(json, name);
    for (size_t i = 0; i < lines.count && i < query->limit; i++)
        vbt_json_item(json, vbt_json_line(&lines.rows[i], trace->sources));
    vbt_json_array_end(json);
    size_t count = lines.count;
    vbt_lines_free(&lines);
    return count;
}

static void print_json(const struct vbt_trace *trace, const struct vbt_query *query, const struct vbt_interval_list *groups,
                       const struct vbt_conservation *conservation, FILE *out) {
    const struct vbt_model *model = &trace->model;
    struct vbt_json json;
    vbt_json_begin(&json, out, "report");
    vbt_json_report_head(&json, model, conservation);
    size_t lines = print_json_lines(&json, "lines", trace, true, query);
    lines += print_json_lines(&json, "user_lines", trace, false, query);
    vbt_trace_warn_if_empty(trace, query, lines + groups->count);
    vbt_json_array_begin(&json, "intervals");
    for (size_t i = 0; i < groups->count; i++)
        vbt_json_item(&json, vbt_json_interval(&groups->rows[i], query->per));
    vbt_json_array_end(&json);
    vbt_json_unended(&json, groups);

    struct vbt_notes notes;
    vbt_notes_collect(&notes, trace, conservation, groups);
    vbt_json_array_begin(&json, "notes");
    for (size_t i = 0; i < notes.count; i++)
        vbt_json_item(&json, vbt_json_text(notes.text[i]));
    vbt_json_array_end(&json);
    vbt_notes_free(&notes);
    vbt_json_end(&json);
}

int vbt_cmd_report(const struct vbt_query *query) {
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, query, false))
        return 2;
    vbt_trace_attribute(&trace);
    struct vbt_conservation conservation;
    vbt_conservation_check(&conservation, &trace.model);
    struct vbt_interval_list groups;
    vbt_interval_list_build(&groups, &trace.model, trace.places, trace.attribution.leaf,
                            vbt_filter_selects_stacks(trace.filter) ? trace.counts : NULL);
    if (query->per > 0 && !vbt_interval_list_asks(&groups))
        vbt_warn("%s: --per has no effect: there is no interval whose iterations are not known", query->trace);
    vbt_interval_list_filter(&groups, trace.filter);
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    if (query->format == VBT_JSON) {
        print_json(&trace, query, &groups, &conservation, output.stream);
    } else {
        struct vbt_lines lines;
        vbt_lines_build(&lines, &trace.model, trace.places, line_of(&trace, query->by_leaf), trace.counts, !query->by_leaf);
        vbt_lines_filter(&lines, trace.filter);
        vbt_lines_sort(&lines, query->sort);
        vbt_trace_warn_if_empty(&trace, query, lines.count + (query->format == VBT_CSV ? 0 : groups.count));
        if (query->format == VBT_CSV)
            vbt_line_csv_print(&lines, query->limit, trace.sources, output.stream);
        else
            print_text(&trace, query, &lines, &groups, &conservation, &output);
        vbt_lines_free(&lines);
    }
    vbt_interval_list_free(&groups);
    vbt_conservation_free(&conservation);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}
