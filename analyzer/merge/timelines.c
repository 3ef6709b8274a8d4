/* See timelines.h. */
#include "timelines.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>

/* Ticks that are kept of the sum: text, pictures and data need no more. */
enum { MOST_TICKS = 1 << 16 };

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
static int64_t minus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t without_inherited(const struct vbt_model *m, enum vbt_domain domain, int64_t live) {
    return larger(minus(live, vbt_model_domain(m, domain, VBT_FIELD_INHERITED_BYTES)), 0);
}

int64_t vbt_process_peak(const struct vbt_model *m) { return larger(minus(m->state[VBT_STATE_PEAK], (int64_t)m->taken.peak), 0); }

/* From `time` on, the sum is more by this. */
struct change {
    uint64_t time;
    int64_t rss, heap, python;
    int64_t live; /* of heap and python, with the exact peak */
    int32_t processes;
};

struct change_list {
    struct change *rows;
    size_t count, capacity;
};

/* What a tick says, without what was inherited. */
struct process_level {
    int64_t rss, heap, python, live;
};

static void add(struct change_list *list, uint64_t time, const struct process_level *before, const struct process_level *after,
                int processes) {
    list->rows = vbt_grow(list->rows, &list->capacity, list->count + 1, sizeof *list->rows);
    list->rows[list->count++] = (struct change){.time = time,
                                                .rss = minus(after->rss, before->rss),
                                                .heap = minus(after->heap, before->heap),
                                                .python = minus(after->python, before->python),
                                                .live = minus(after->live, before->live),
                                                .processes = processes};
}

/* Adds the changes of a process. What a tick says holds since the tick before. The exact peak,
 * which may lie between two ticks, is that of the later one. */
static void add_process(struct change_list *list, const struct vbt_model *m, uint64_t offset) {
    static const struct process_level nothing;
    struct process_level last = nothing;
    uint64_t time = offset, peak_time = (uint64_t)m->state[VBT_STATE_PEAK_TIME];
    bool had_peak = false;
    for (size_t i = m->ticks.first; i < m->ticks.count; i++) {
        const struct vbt_model_tick *tick = &m->ticks.rows[i];
        struct process_level level = {tick->rss, without_inherited(m, VBT_DOMAIN_HEAP, tick->heap),
                                      without_inherited(m, VBT_DOMAIN_PYTHON, tick->python), 0};
        level.live = plus(level.heap, level.python);
        if (!had_peak && (tick->time >= peak_time || i + 1 == m->ticks.count)) {
            level.live = larger(level.live, vbt_process_peak(m));
            had_peak = true;
        }
        add(list, time, &last, &level, i == m->ticks.first);
        time = offset + tick->time;
        last = level;
    }
    uint64_t end = offset + vbt_model_duration(m);
    if (m->ticks.count > m->ticks.first)
        add(list, end > time ? end : time, &last, &nothing, -1);
}

static int by_time(const void *left, const void *right) {
    const struct change *a = left, *b = right;
    return a->time < b->time ? -1 : a->time > b->time;
}

/* Joins pairs of ticks; each keeps the largest values. */
static void thin(struct vbt_model_ticks *ticks) {
    size_t kept = 0;
    for (size_t i = 0; i < ticks->count; i += 2) {
        struct vbt_model_tick tick = ticks->rows[i];
        if (i + 1 < ticks->count) {
            const struct vbt_model_tick *next = &ticks->rows[i + 1];
            tick = (struct vbt_model_tick){next->time, larger(tick.rss, next->rss), larger(tick.heap, next->heap),
                                           larger(tick.python, next->python)};
        }
        ticks->rows[kept++] = tick;
    }
    ticks->count = kept;
}

void vbt_timeline_thin(struct vbt_model_ticks *ticks, size_t most) {
    while (ticks->count > most)
        thin(ticks);
}

static void add_tick(struct vbt_model_ticks *ticks, const struct vbt_model_tick *tick) {
    ticks->rows = vbt_grow(ticks->rows, &ticks->capacity, ticks->count + 1, sizeof *ticks->rows);
    ticks->rows[ticks->count++] = *tick;
}

/* What the sum is between two changes is known at the later one, as with the ticks of a process. */
static void sum_up(struct vbt_timelines *t, const struct change_list *list) {
    struct vbt_model_tick now = {0};
    int64_t live = 0, processes = 0;
    for (size_t i = 0; i < list->count;) {
        uint64_t time = list->rows[i].time;
        for (; i < list->count && list->rows[i].time == time; i++) {
            now.rss = plus(now.rss, list->rows[i].rss);
            now.heap = plus(now.heap, list->rows[i].heap);
            now.python = plus(now.python, list->rows[i].python);
            live = plus(live, list->rows[i].live);
            processes += list->rows[i].processes;
        }
        now.time = i < list->count ? list->rows[i].time : time;
        if (i == list->count)
            break; /* everything has ended */
        add_tick(&t->sum, &now);
        if (live > t->together.bytes)
            t->together = (struct vbt_model_together){.bytes = live, .time = now.time, .processes = (uint32_t)processes};
    }
}

void vbt_timelines_lay(struct vbt_timelines *t, const struct vbt_model *m) {
    struct change_list list = {0};
    *t = (struct vbt_timelines){0};
    for (size_t i = 0; i < m->process_rows; i++) {
        int64_t started = vbt_model_process_number(&m->processes[i], "started");
        t->started = started > 0 && (t->started == 0 || started < t->started) ? started : t->started;
    }
    for (size_t i = 0; i < m->process_rows; i++) {
        const struct vbt_model *row = &m->processes[i];
        int64_t started = vbt_model_process_number(row, "started");
        uint64_t offset = started > 0 ? (uint64_t)(started - t->started) : 0, end = offset + vbt_model_duration(row);
        t->duration = end > t->duration ? end : t->duration;
        add_process(&list, row, offset);
    }
    if (list.count > 0)
        qsort(list.rows, list.count, sizeof *list.rows, by_time);
    sum_up(t, &list);
    free(list.rows);
    vbt_timeline_thin(&t->sum, MOST_TICKS);
}
