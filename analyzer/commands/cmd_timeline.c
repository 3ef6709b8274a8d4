/* vbtrace timeline: resident set and live heap over time. */
#include "commands.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/csv.h"
#include "analyzer/base/json.h"
#include "analyzer/base/output.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/json_rows.h"
#include "analyzer/report/overview.h"
#include "analyzer/report/paragraph.h"

#include <stdlib.h>
#include <string.h>

enum { HEIGHT = 6, LABEL_WIDTH = 10, MOST_COLUMNS = 200 };

enum series { RSS, HEAP };

static int64_t value_of(const struct vbt_model_tick *tick, enum series series) {
    return series == RSS ? tick->rss : (int64_t)((uint64_t)tick->heap + (uint64_t)tick->python);
}

/* What is drawn, ns. */
struct span {
    uint64_t from, to;
};

/* Finds the largest value in each of `columns` equal spans of time; a span without a tick repeats
 * the one before it. */
static void spread(const struct vbt_model_ticks *ticks, enum series series, struct span span, int64_t *values, size_t columns) {
    bool *seen = vbt_new(columns, sizeof *seen);
    for (size_t i = ticks->first; i < ticks->count; i++) {
        double share = span.to > span.from ? (double)(ticks->rows[i].time - span.from) / (double)(span.to - span.from) : 0;
        size_t column = share < 1 ? (size_t)(share * (double)columns) : columns - 1;
        int64_t value = value_of(&ticks->rows[i], series);
        if (!seen[column] || value > values[column])
            values[column] = value;
        seen[column] = true;
    }
    for (size_t c = 1; c < columns; c++)
        if (!seen[c])
            values[c] = values[c - 1];
    free(seen);
}

/* exact: the peak as the library recorded it, which may lie between two ticks. */
static void print_chart(const char *title, int64_t exact, const struct vbt_model_ticks *ticks, enum series series, struct span span,
                        struct vbt_output *output) {
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    FILE *out = output->stream;
    size_t columns = output->width > LABEL_WIDTH + 12 ? output->width - LABEL_WIDTH - 2 : 10;
    if (columns > MOST_COLUMNS)
        columns = MOST_COLUMNS;
    int64_t *values = vbt_new(columns, sizeof *values), peak = 0;
    uint64_t peak_time = 0;
    spread(ticks, series, span, values, columns);
    for (size_t i = ticks->first; i < ticks->count; i++)
        if (value_of(&ticks->rows[i], series) > peak) {
            peak = value_of(&ticks->rows[i], series);
            peak_time = ticks->rows[i].time;
        }
    fprintf(out, "%s%s%s: peak %s; highest tick %s, at %s\n", output->bold, title, output->normal,
            vbt_bytes(exact > peak ? exact : peak).text, vbt_bytes(peak).text, vbt_time((double)peak_time).text);
    for (int row = HEIGHT - 1; row >= 0; row--) {
        const char *label = row == HEIGHT - 1 ? vbt_bytes(peak).text : row == 0 ? "0 B" : "";
        fprintf(out, "%*s ", LABEL_WIDTH, label);
        fputs(row == HEIGHT - 1 || row == 0 ? "┤" : "│", out);
        for (size_t c = 0; c < columns; c++) {
            double height = peak > 0 && values[c] > 0 ? (double)values[c] / (double)peak * HEIGHT * 8 : 0;
            int eighths = (int)(height + 0.5) - 8 * row;
            if (row == 0 && eighths == 0 && values[c] > 0)
                eighths = 1; /* small, but not zero */
            fputs(blocks[eighths < 0 ? 0 : eighths > 8 ? 8 : eighths], out);
        }
        putc('\n', out);
    }
    struct vbt_unit begin = span.from > 0 ? vbt_time((double)span.from) : (struct vbt_unit){"0"}, end = vbt_time((double)span.to);
    fprintf(out, "%*s └", LABEL_WIDTH, "");
    for (size_t c = 0; c < columns; c++)
        fputs("─", out);
    size_t labels = vbt_utf8_width(begin.text) + vbt_utf8_width(end.text);
    fprintf(out, "\n%*s  %s%*s%s\n", LABEL_WIDTH, "", begin.text, (int)(columns > labels ? columns - labels : 1), "", end.text);
    free(values);
}

/* Says what of the resident set is not the program's. */
static void print_own(const struct vbt_model *model, struct vbt_output *output) {
    int64_t without = vbt_peak_rss_without_vbtrace(model);
    char *peak = without > 0 ? vbt_text(": without it the peak is %s", vbt_bytes(without).text) : vbt_copy("", 0);
    char *text = vbt_text("vbtrace's own memory is included%s.", peak);
    vbt_paragraph_print(output, "", text, false);
    free(text);
    free(peak);
}

static void print_text(const struct vbt_model *model, struct vbt_output *output) {
    if (model->ticks.count == 0) {
        fputs("No ticks: the trace ends before the first one.\n", output->stream);
        return;
    }
    const struct vbt_model_window *part = &model->window;
    struct span span = {part->from, part->is_part ? part->to : vbt_model_duration(model)};
    int64_t rss = part->rss_unknown ? 0 : model->state[VBT_STATE_MAX_RSS],
            heap = part->peak_unknown ? 0 : model->state[VBT_STATE_PEAK];
    print_chart("Resident set", rss, &model->ticks, RSS, span, output);
    print_own(model, output);
    putc('\n', output->stream);
    print_chart("Live heap", heap, &model->ticks, HEAP, span, output);
}

static void print_json(const struct vbt_model *model, FILE *out) {
    struct vbt_json json;
    vbt_json_begin(&json, out, "timeline");
    vbt_json_completeness(&json, model);
    vbt_json_member(&json, "duration_ns", vbt_json_unsigned(vbt_model_duration(model)));
    vbt_json_member(&json, "peak_bytes", vbt_json_measure(VBT_MEASURE_PEAK, model->state[VBT_STATE_PEAK]));
    vbt_json_member(&json, "max_rss_bytes",
                    model->window.rss_unknown ? json_null() : json_integer(model->state[VBT_STATE_MAX_RSS]));
    int64_t without = vbt_peak_rss_without_vbtrace(model);
    vbt_json_member(&json, "max_rss_without_vbtrace_bytes", without > 0 ? json_integer(without) : json_null());
    vbt_json_array_begin(&json, "timeline");
    for (size_t i = model->ticks.first; i < model->ticks.count; i++) {
        const struct vbt_model_tick *tick = &model->ticks.rows[i];
        json_t *row = json_object();
        json_object_set_new(row, "time_ns", vbt_json_unsigned(tick->time));
        json_object_set_new(row, "rss_bytes", json_integer(tick->rss));
        json_object_set_new(row, "heap_bytes", json_integer(tick->heap));
        json_object_set_new(row, "python_bytes", json_integer(tick->python));
        vbt_json_item(&json, row);
    }
    vbt_json_array_end(&json);
    vbt_json_end(&json);
}

static void print_csv(const struct vbt_model *model, FILE *out) {
    struct vbt_csv csv;
    vbt_csv_begin(&csv, out, "time_ns,rss_bytes,heap_bytes,python_bytes");
    for (size_t i = model->ticks.first; i < model->ticks.count; i++) {
        const struct vbt_model_tick *tick = &model->ticks.rows[i];
        vbt_csv_unsigned(&csv, tick->time);
        vbt_csv_integer(&csv, tick->rss);
        vbt_csv_integer(&csv, tick->heap);
        vbt_csv_integer(&csv, tick->python);
        vbt_csv_end_row(&csv);
    }
}

int vbt_cmd_timeline(const struct vbt_query *query) {
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, query, false))
        return 2;
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    vbt_part_print(&trace.model, query, &output);
    if (query->format == VBT_JSON)
        print_json(&trace.model, output.stream);
    else if (query->format == VBT_CSV)
        print_csv(&trace.model, output.stream);
    else
        print_text(&trace.model, &output);
    vbt_incomplete_print(&trace.model, query, &output);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}
