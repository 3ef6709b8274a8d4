/* See trace.h. */
#include "trace.h"

#include "moments.h"
#include "analyzer/analysis/line_mode/uncounted_lines.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/csv.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/base/units.h"
#include "analyzer/merge/load_several.h"

#include <inttypes.h>
#include <stdlib.h>

/* Limit on the size of a report: so many bytes, plus so many times the size of the trace. A small
 * file can be crafted to name thousands of frames with the longest of names; no trace that vbtrace
 * writes comes near the limit. */
enum { LEAST_REPORT = 1 << 30, REPORT_RATIO = 1024 };

/* Moments that a view of everything tells apart: a stretch of a picture as wide as a screen is a
 * few pixels. */
enum { MOST_STEPS = 200 };

char *vbt_trace_damage(const struct vbt_model *model) {
    if (model->damage == NULL)
        return NULL;
    return vbt_text("damaged at byte %" PRIu64 ": %s; everything before it is reported", model->damage_offset, model->damage);
}

/* The same of a merged trace. */
static char *incomplete_parts(const struct vbt_model *model) {
    size_t missing = 0;
    for (size_t i = 0; i < model->process_rows; i++)
        missing += !vbt_model_complete(&model->processes[i]);
    return vbt_text("%zu of %zu traces %s not complete: cut off, damaged or still being written. Sums may differ a little.",
                    missing, model->process_rows, missing == 1 ? "is" : "are");
}

char *vbt_trace_incomplete(const struct vbt_model *model) {
    if (vbt_model_complete(model) || (model->window.is_part && model->damage == NULL))
        return NULL;
    if (vbt_model_is_merged(model))
        return incomplete_parts(model);
    char *damage = vbt_trace_damage(model);
    char *text = damage != NULL
                     ? vbt_text("The trace is %s.", damage)
                     : vbt_text("The trace was cut off, or is still being written; it holds the state at %s. Call paths were "
                                "written slightly before or after the totals, so sums may differ a little.",
                                vbt_time((double)vbt_model_duration(model)).text);
    free(damage);
    return text;
}

/* False after a message if the query asks for counted lines and there are none. */
static bool has_lines(const struct vbt_model *model, const struct vbt_query *query, const char *damage) {
    if (model->line_counts_count > 0 || (query->like == VBT_LIKE_OURS && !query->own))
        return true;
    char *why = vbt_uncounted_lines(model);
    if (damage != NULL)
        vbt_fail("%s: %s, and no line was counted there", query->trace, damage);
    else
        vbt_fail("%s: %s", query->trace, why != NULL ? why : "no line was counted; trace with VBTRACE_LINES=1");
    free(why);
    return false;
}

/* Has the view say which part of the run it shows. */
static void show_part(const struct vbt_model *model, const struct vbt_query *query) {
    const struct vbt_model_window *part = &model->window;
    char *values = part->asked ? vbt_text(",%" PRIu64 ",%" PRIu64, part->from, part->to) : vbt_copy("", 0);
    vbt_csv_end_rows_with(part->asked ? ",from_ns,to_ns" : "", values);
    vbt_measure_peak_is_known(!part->peak_unknown);
    free(values);
    char *text = query->format == VBT_EXPORT ? vbt_part_text(model, query) : NULL;
    if (text != NULL)
        vbt_warn("%s: %s", query->trace, text);
    free(text);
}

struct wish {
    struct vbt_filter *filter;
    const struct vbt_query *query;
};

static bool wants(void *context, const struct vbt_model *process) {
    const struct wish *wish = context;
    int64_t pid = wish->query->process;
    return (pid == 0 || vbt_model_process_number(process, "pid") == pid) && vbt_filter_process(wish->filter, process);
}

static char *find_part(void *context, const char *path, const struct vbt_span *whole, struct vbt_window *window) {
    const struct wish *wish = context;
    return vbt_window_find(window, wish->query, path, whole);
}

static void fail_of_none(const struct vbt_query *query) {
    if (query->process != 0)
        vbt_fail("%s: no process %" PRId64 " (--process) that passes the filters; vbtrace list shows which there are", query->trace,
                 query->process);
    else
        vbt_fail("%s: no process passes --filter; vbtrace list shows which there are", query->trace);
}

/* Why the traces do not have what is asked for, for the caller to free; NULL if they do. */
static char *refusal(const struct vbt_model *model, const struct vbt_filter *filter, const struct vbt_query *query) {
    const struct vbt_model_window *part = &model->window;
    if (query->intervals_alone && part->is_part && !vbt_part_knows(part, VBT_DETAIL_INTERVALS))
        return vbt_text("this trace has intervals of the whole run only, not of a part of it (--from, --to, --at)");
    if (query->intervals_alone && part->is_part && (query->sites || vbt_filter_selects_stacks(filter)))
        return vbt_text("the call stacks in intervals are known of the whole run only: --from, --to and --at go with neither "
                        "--sites nor --filter FIELD=REGEX");
    if (query->by == VBT_BY_THREAD && vbt_model_is_merged(model))
        return vbt_text("--by thread needs a single process; choose one with --process PID");
    return vbt_part_refusal(model, query);
}

/* Loads several traces again: now it is known when all had most together. */
static bool load_moment(struct vbt_trace *trace, const struct vbt_several *how) {
    struct vbt_several then = *how;
    bool none;
    then.moment = trace->model.together.time;
    then.started = vbt_model_process_number(&trace->model, "started");
    vbt_model_free(&trace->model);
    return vbt_load_several(&trace->model, &trace->inputs, &then, &none);
}

/* Loads the model. False after a message; then nothing is left to be freed but the filter and the
 * inputs. */
static bool load(struct vbt_trace *trace, const struct vbt_query *query, bool with_sizes) {
    struct wish wish = {trace->filter, query};
    const struct vbt_several how = {.with_sizes = with_sizes,
                                    .by_process = vbt_group_is_of_processes(query->by) || query->by_process,
                                    .part = vbt_query_asks_part(query) ? find_part : NULL,
                                    .steps = query->everything || query->history ? &trace->steps : NULL,
                                    .wants = wants,
                                    .context = &wish};
    bool given = query->trace_count > 0, none = false;
    char *problem = vbt_inputs_find(&trace->inputs, given ? query->traces : &query->trace, given ? query->trace_count : 1);
    bool good = problem == NULL;
    if (!good)
        vbt_fail("%s", problem);
    free(problem);
    if (good) {
        good = vbt_load_several(&trace->model, &trace->inputs, &how, &none);
        if (good && query->together && trace->model.process_rows > 1 && how.part == NULL)
            good = load_moment(trace, &how);
        if (none)
            fail_of_none(query);
        problem = good ? refusal(&trace->model, trace->filter, query) : NULL;
        if (problem != NULL)
            vbt_fail("%s: %s", query->trace, problem);
        good = good && problem == NULL;
        free(problem);
        if (vbt_model_is_merged(&trace->model))
            trace->model.path = query->trace;
        if (!good)
            vbt_model_free(&trace->model);
    }
    return good;
}

/* Says of each process of a merged trace what of it could not be read. */
static void warn_of_parts(const struct vbt_model *model) {
    for (size_t i = 0; i < model->process_rows; i++) {
        char *damage = vbt_trace_damage(&model->processes[i]);
        if (damage != NULL)
            vbt_warn("%s: %s", model->processes[i].path, damage);
        free(damage);
    }
}

bool vbt_trace_load(struct vbt_trace *trace, const struct vbt_query *query, bool with_sizes) {
    trace->filter = vbt_filter_new(query);
    trace->steps = (struct vbt_steps){.count = MOST_STEPS};
    if (!load(trace, query, with_sizes)) {
        vbt_filter_free(trace->filter);
        vbt_inputs_free(&trace->inputs);
        free(trace->steps.ns);
        return false;
    }
    char *damage = vbt_trace_damage(&trace->model);
    if (!has_lines(&trace->model, query, damage)) {
        free(damage);
        vbt_model_free(&trace->model);
        vbt_filter_free(trace->filter);
        vbt_inputs_free(&trace->inputs);
        free(trace->steps.ns);
        return false;
    }
    if (damage != NULL)
        vbt_warn("%s: %s", query->trace, damage);
    else if (!trace->model.ended && !trace->model.window.is_part && query->format != VBT_JSON &&
             (query->format != VBT_TEXT || query->like != VBT_LIKE_OURS))
        vbt_warn("%s: cut off at %" PRIu64 " bytes, or still being written; everything before that is reported", query->trace,
                 trace->model.file_bytes);
    free(damage);
    show_part(&trace->model, query);
    warn_of_parts(&trace->model);
    vbt_output_allow(LEAST_REPORT + REPORT_RATIO * trace->model.file_bytes);
    trace->places = vbt_places_new(&trace->model);
    if (query->user != NULL)
        vbt_places_claim(trace->places, query->user);
    trace->attribution = (struct vbt_attribution){0};
    trace->sources = vbt_sources_new(&trace->model);
    trace->counts = vbt_filter_nodes(trace->filter, &trace->model, trace->places);
    return true;
}

void vbt_trace_attribute(struct vbt_trace *trace) {
    if (trace->attribution.leaf == NULL)
        vbt_attribute(&trace->attribution, &trace->model, trace->places);
}

static bool any_counts(const struct vbt_trace *trace) {
    for (size_t i = 1; i <= trace->model.node_count; i++)
        if (trace->counts[i])
            return true;
    return false;
}

void vbt_trace_warn_if_empty(const struct vbt_trace *trace, const struct vbt_query *query, size_t rows) {
    if (query->filter_count > 0 && (rows == 0 || (rows == SIZE_MAX && !any_counts(trace))))
        vbt_warn("%s: nothing passes --filter", query->trace);
    const char *idle;
    for (size_t i = 0; (idle = vbt_filter_idle(trace->filter, i)) != NULL; i++)
        vbt_warn("%s: --filter %s leaves nothing out", query->trace, idle);
}

void vbt_trace_forget_paths(struct vbt_trace *trace) {
    vbt_model_forget_paths(&trace->model);
    vbt_attribution_free(&trace->attribution);
    free(trace->counts);
    trace->counts = NULL;
}

void vbt_trace_free(struct vbt_trace *trace) {
    free(trace->counts);
    vbt_filter_free(trace->filter);
    vbt_attribution_free(&trace->attribution);
    vbt_places_free(trace->places);
    vbt_sources_free(trace->sources);
    vbt_model_free(&trace->model);
    vbt_inputs_free(&trace->inputs);
    free(trace->steps.ns);
}
