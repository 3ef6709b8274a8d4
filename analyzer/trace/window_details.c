/* See window_details.h. */
#include "window_details.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/wrapping.h"
#include "analyzer/trace/decode/decode_intervals.h"

#include <stdlib.h>
#include <string.h>

/* The totals of threads at a state, by row. */
struct totals_then {
    struct vbt_model_thread_totals (*rows)[VBT_DOMAINS];
    size_t count;
    bool taken;
};

struct vbt_window_details {
    bool begun;
    int64_t known; /* bits of enum vbt_detail: at the beginning */
    struct totals_then first, last;
    struct vbt_model_interval *intervals; /* at the beginning, in order of id */
    size_t interval_count;
    struct vbt_model_line_counts *lines; /* in the order of the model's */
    size_t line_count;
    uint64_t maps[VBT_MAP_KINDS][VBT_FIELDS];
};

struct vbt_window_details *vbt_window_details_new(void) {
    return vbt_new(1, sizeof(struct vbt_window_details));
}

void vbt_window_details_free(struct vbt_window_details *details) {
    if (details == NULL)
        return;
    free(details->first.rows);
    free(details->last.rows);
    free(details->intervals);
    free(details->lines);
    free(details);
}

/* As long as there is one thread, it did everything. */
static void take_totals(struct totals_then *then, const struct vbt_model *m) {
    then->taken = true;
    then->count = m->thread_count > 0 ? m->thread_count : 1;
    then->rows = vbt_new(then->count + 1, sizeof *then->rows);
    for (size_t i = 1; i <= m->thread_count; i++)
        memcpy(then->rows[i], m->threads[i].totals, sizeof then->rows[i]);
    for (int domain = 0; domain < VBT_DOMAINS && m->thread_count == 0; domain++)
        then->rows[1][domain] = (struct vbt_model_thread_totals){
            .allocs = (uint64_t)vbt_model_domain(m, (enum vbt_domain)domain, VBT_FIELD_ALLOCS),
            .frees = (uint64_t)vbt_model_domain(m, (enum vbt_domain)domain, VBT_FIELD_FREES),
            .allocated = (uint64_t)vbt_model_domain(m, (enum vbt_domain)domain, VBT_FIELD_ALLOCATED),
            .freed = (uint64_t)vbt_model_domain(m, (enum vbt_domain)domain, VBT_FIELD_FREED),
            .temporary = (uint64_t)vbt_model_domain(m, (enum vbt_domain)domain, VBT_FIELD_TEMPORARY),
        };
}

void vbt_window_details_begin(struct vbt_window_details *d, struct vbt_model *m) {
    d->begun = true;
    d->known = m->state[VBT_STATE_DETAILS];
    take_totals(&d->first, m);
    vbt_decode_intervals_finish(m);
    d->interval_count = m->interval_count;
    d->intervals = vbt_new(m->interval_count, sizeof *d->intervals);
    if (m->interval_count > 0)
        memcpy(d->intervals, m->intervals, m->interval_count * sizeof *d->intervals);
    d->line_count = m->line_counts_count;
    d->lines = vbt_new(m->line_counts_count, sizeof *d->lines);
    if (m->line_counts_count > 0)
        memcpy(d->lines, m->line_counts, m->line_counts_count * sizeof *d->lines);
    memcpy(d->maps, m->maps, sizeof d->maps);
}

void vbt_window_details_end(struct vbt_window_details *d, const struct vbt_model *m) {
    if (!d->last.taken)
        take_totals(&d->last, m);
}

static struct vbt_model_thread_totals totals_of(const struct totals_then *then, size_t row, int domain) {
    return row <= then->count && then->taken ? then->rows[row][domain] : (struct vbt_model_thread_totals){0};
}

static void subtract_threads(const struct vbt_window_details *d, struct vbt_model *m) {
    for (size_t i = 1; i <= m->thread_count; i++)
        for (int domain = 0; domain < VBT_DOMAINS; domain++) {
            struct vbt_model_thread_totals first = totals_of(&d->first, i, domain), last = totals_of(&d->last, i, domain);
            m->threads[i].totals[domain] = (struct vbt_model_thread_totals){.allocs = last.allocs - first.allocs,
                                                                            .frees = last.frees - first.frees,
                                                                            .allocated = last.allocated - first.allocated,
                                                                            .freed = last.freed - first.freed,
                                                                            .temporary = last.temporary - first.temporary};
        }
}

/* Of the sum of squared differences from the mean, what is left when some of the values are
 * removed. */
static double m2_without(const struct vbt_model_interval *all, const struct vbt_model_interval *some) {
    double n = (double)all->count, before = (double)some->count, left = (double)(all->count - some->count);
    if (left <= 1)
        return 0;
    double mean_before = (double)some->of[VBT_Q_TIME].total / before;
    double mean_left = (double)vbt_minus(all->of[VBT_Q_TIME].total, some->of[VBT_Q_TIME].total) / left,
           apart = mean_left - mean_before;
    double m2 = all->time_m2 - some->time_m2 - apart * apart * before * left / n;
    return m2 > 0 ? m2 : 0;
}

static void subtract_interval(struct vbt_model_interval *row, const struct vbt_model_interval *before) {
    if (before->count == 0)
        return;
    row->time_m2 = m2_without(row, before);
    row->count -= before->count;
    row->iterations -= before->iterations;
    for (int q = 0; q < VBT_QUANTITIES; q++)
        row->of[q].total = vbt_minus(row->of[q].total, before->of[q].total);
    row->ran_before = true;
}

/* Both are in order of id. */
static void subtract_intervals(const struct vbt_window_details *d, struct vbt_model *m) {
    size_t kept = 0, at = 0;
    for (size_t i = 0; i < m->interval_count; i++) {
        struct vbt_model_interval row = m->intervals[i];
        while (at < d->interval_count && d->intervals[at].id < row.id)
            at++;
        if (at < d->interval_count && d->intervals[at].id == row.id)
            subtract_interval(&row, &d->intervals[at]);
        if (row.count > 0 || row.unended > 0)
            m->intervals[kept++] = row;
    }
    m->interval_count = kept;
}

static void subtract_sums(struct vbt_model_line_sums *sums, const struct vbt_model_line_sums *before) {
    sums->time = vbt_minus(sums->time, before->time);
    sums->events = vbt_minus(sums->events, before->events);
    sums->allocs = vbt_minus(sums->allocs, before->allocs);
    sums->frees = vbt_minus(sums->frees, before->frees);
    sums->allocated = vbt_minus(sums->allocated, before->allocated);
    sums->freed = vbt_minus(sums->freed, before->freed);
    sums->temporary = vbt_minus(sums->temporary, before->temporary);
    sums->objects = vbt_minus(sums->objects, before->objects);
}

/* A line that was counted before: its extremes are those of the whole time. */
static void subtract_line(struct vbt_model_line_counts *row, const struct vbt_model_line_counts *before) {
    bool ran_before = before->hits > 0 || before->entries > 0;
    row->hits -= before->hits;
    row->entries -= before->entries;
    subtract_sums(&row->own, &before->own);
    subtract_sums(&row->called, &before->called);
    row->ran_before = ran_before;
    if (ran_before)
        row->rss = row->rss > before->rss ? row->rss : 0;
}

static bool is_nothing(const struct vbt_model_line_sums *s) {
    return s->events == 0 && s->allocs == 0 && s->frees == 0 && s->allocated == 0 && s->freed == 0 && s->temporary == 0 &&
           s->objects == 0;
}

/* A time alone is none: it changes a little as the clock's rate becomes known better. */
static bool did_nothing(const struct vbt_model_line_counts *row) {
    return row->hits == 0 && row->entries == 0 && is_nothing(&row->own) && is_nothing(&row->called);
}

static void subtract_lines(const struct vbt_window_details *d, struct vbt_model *m) {
    size_t kept = 0;
    for (size_t i = 0; i < m->line_counts_count; i++) {
        struct vbt_model_line_counts row = m->line_counts[i];
        if (i < d->line_count)
            subtract_line(&row, &d->lines[i]);
        bool keeps = !did_nothing(&row);
        m->line_of_site[row.site] = keeps ? (uint32_t)kept + 1 : 0;
        if (keeps)
            m->line_counts[kept++] = row;
    }
    m->line_counts_count = kept;
}

static void subtract_maps(const struct vbt_window_details *d, struct vbt_model *m) {
    for (int kind = 0; kind < VBT_MAP_KINDS; kind++)
        for (int field = VBT_FIELD_ALLOCS; field <= VBT_FIELD_TEMPORARY; field++)
            m->maps[kind][field] -= d->maps[kind][field];
    struct vbt_model_resident *highest = &m->resident[VBT_RESIDENT_HIGHEST];
    highest->known = highest->known && (!d->begun || highest->time > m->window.from);
}

static void forget_maps(struct vbt_model *m) {
    m->has_maps = false;
    memset(m->maps, 0, sizeof m->maps);
    memset(m->resident, 0, sizeof m->resident);
}

static void forget_lines(struct vbt_model *m) {
    for (size_t i = 0; i < m->line_counts_count; i++)
        m->line_of_site[m->line_counts[i].site] = 0;
    m->line_counts_count = 0;
}

void vbt_window_details_rewind(struct vbt_window_details *d, struct vbt_model *m) {
    free(d->last.rows);
    d->last = (struct totals_then){.taken = true};
    subtract_threads(d, m);
    m->interval_count = 0;
    forget_lines(m);
    for (int kind = 0; kind < VBT_MAP_KINDS; kind++)
        memset(m->maps[kind], 0, VBT_FIELD_INHERITED_BLOCKS * sizeof m->maps[kind][0]);
    memset(m->resident, 0, sizeof m->resident);
    m->window.details = VBT_ALL_DETAILS;
}

void vbt_window_details_finish(struct vbt_window_details *d, struct vbt_model *m) {
    int64_t known = m->state[VBT_STATE_DETAILS] & (d->begun ? d->known : -1);
    vbt_window_details_end(d, m);
    m->window.details = known;
    subtract_threads(d, m);
    if ((known >> VBT_DETAIL_INTERVALS & 1) == 0)
        m->interval_count = 0;
    else
        subtract_intervals(d, m);
    if ((known >> VBT_DETAIL_LINES & 1) == 0)
        forget_lines(m);
    else
        subtract_lines(d, m);
    if ((known >> VBT_DETAIL_MAPS & 1) == 0)
        forget_maps(m);
    else
        subtract_maps(d, m);
}
