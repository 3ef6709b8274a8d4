/* See page_timeline.h. */
#include "page_timeline.h"

#include "analyzer/analysis/measure.h"
#include "analyzer/base/allocate.h"

#include <stdlib.h>

/* Ticks that are drawn: of each part of the time the two highest. */
enum { MOST_TICKS = 1000, PARTS = MOST_TICKS / 2 };

/* The first step at or after a time; null if there is none. */
static json_t *step_at(const struct vbt_steps *steps, uint64_t time) {
    for (size_t i = 1; i < steps->count; i++)
        if (steps->ns[i] >= time)
            return json_integer((json_int_t)i);
    return json_null();
}

void vbt_page_steps_write(struct vbt_json *json, const struct vbt_trace *trace) {
    const struct vbt_model *m = &trace->model;
    const struct vbt_steps *steps = &trace->steps;
    json_t *list = json_array();
    for (size_t i = 0; i < steps->count; i++)
        json_array_append_new(list, vbt_json_unsigned(steps->ns[i]));
    vbt_json_member(json, "steps_ns", list);
    bool one = !vbt_model_is_merged(m), peak = one && vbt_measure_is_known(VBT_MEASURE_PEAK);
    uint64_t shutdown = (uint64_t)m->state[VBT_STATE_SHUTDOWN_TIME];
    vbt_json_member(json, "peak_step", peak ? step_at(steps, (uint64_t)m->state[VBT_STATE_PEAK_TIME]) : json_null());
    vbt_json_member(json, "shutdown_step", one && shutdown > 0 ? step_at(steps, shutdown) : json_null());
}

/* The number of the part that a tick is in. */
static uint64_t part_of(const struct vbt_model_ticks *ticks, size_t i) {
    uint64_t first = ticks->rows[ticks->first].time, span = ticks->rows[ticks->count - 1].time - first;
    return span > 0 ? (uint64_t)((double)(ticks->rows[i].time - first) / (double)span * PARTS) : 0;
}

static int64_t live_of(const struct vbt_model_tick *tick) { return (int64_t)((uint64_t)tick->heap + (uint64_t)tick->python); }

/* Marks the first and the last tick, and of each part the one with the most live bytes, and that
 * with the largest resident set. */
static bool *choose_ticks(const struct vbt_model_ticks *ticks) {
    bool *chosen = vbt_new(ticks->count, sizeof *chosen);
    for (size_t i = ticks->first, end; i < ticks->count; i = end) {
        size_t live = i, rss = i;
        for (end = i + 1; end < ticks->count && part_of(ticks, end) == part_of(ticks, i); end++) {
            live = live_of(&ticks->rows[end]) > live_of(&ticks->rows[live]) ? end : live;
            rss = ticks->rows[end].rss > ticks->rows[rss].rss ? end : rss;
        }
        chosen[live] = chosen[rss] = true;
    }
    chosen[ticks->first] = chosen[ticks->count - 1] = true;
    return chosen;
}

void vbt_page_timeline_write(struct vbt_json *json, const struct vbt_model *m) {
    const struct vbt_model_ticks *ticks = &m->ticks;
    json_t *time = json_array(), *rss = json_array(), *heap = json_array(), *python = json_array(), *timeline = json_object();
    bool *chosen = ticks->count - ticks->first > MOST_TICKS ? choose_ticks(ticks) : NULL;
    for (size_t i = ticks->first; i < ticks->count; i++) {
        const struct vbt_model_tick *tick = &ticks->rows[i];
        if (chosen != NULL && !chosen[i])
            continue;
        json_array_append_new(time, vbt_json_unsigned(tick->time));
        json_array_append_new(rss, json_integer(tick->rss));
        json_array_append_new(heap, json_integer(tick->heap));
        json_array_append_new(python, json_integer(tick->python));
    }
    free(chosen);
    json_object_set_new(timeline, "time_ns", time);
    json_object_set_new(timeline, "rss_bytes", rss);
    json_object_set_new(timeline, "heap_bytes", heap);
    json_object_set_new(timeline, "python_bytes", python);
    vbt_json_member(json, "timeline", timeline);
}
