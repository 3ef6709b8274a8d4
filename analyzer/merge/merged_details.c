/* Adds intervals, counted lines and source lines of a trace to the sum of traces. See merging.h. */
#include "merging.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

static uint32_t hash_pair(uint64_t a, uint64_t b) {
    uint64_t hash = (a ^ b << 29 ^ b >> 13) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(hash >> 32);
}

struct wanted_row {
    const struct vbt_model *sum;
    const void *row;
};

static bool is_interval(const void *context, uint32_t id) {
    const struct wanted_row *w = context;
    const struct vbt_model_interval *a = &w->sum->intervals[id - 1], *b = w->row;
    return a->kind == b->kind && a->from == b->from && a->to == b->to && a->label == b->label;
}

static void add_quantity(struct vbt_model_quantities *to, const struct vbt_model_quantities *q) {
    to->min = q->min < to->min ? q->min : to->min;
    to->max = q->max > to->max ? q->max : to->max;
    to->total = plus(to->total, q->total);
}

/* Repetitions of the same interval; those of which the iterations are not known make the sum's
 * unknown. */
static void add_interval(struct vbt_model_interval *to, const struct vbt_model_interval *i) {
    to->unended += i->unended;
    if (i->count == 0)
        return;
    if (to->count == 0) {
        uint64_t unended = to->unended, id = to->id;
        *to = *i;
        to->unended = unended;
        to->id = id;
        return;
    }
    double a = (double)to->count, b = (double)i->count;
    double apart = (double)i->of[VBT_Q_TIME].total / b - (double)to->of[VBT_Q_TIME].total / a;
    to->time_m2 += i->time_m2 + apart * apart * a * b / (a + b);
    to->ran_before = to->ran_before || i->ran_before;
    to->iterations = to->iterations > 0 && i->iterations > 0 ? to->iterations + i->iterations : 0;
    to->count += i->count;
    for (int q = 0; q < VBT_QUANTITIES; q++)
        add_quantity(&to->of[q], &i->of[q]);
}

static void add_intervals(struct vbt_merging *g, struct vbt_translation *t) {
    struct vbt_model *sum = &g->sum;
    const struct vbt_model *from = t->from;
    t->intervals = vbt_new(from->interval_count, sizeof *t->intervals);
    for (size_t i = 0; i < from->interval_count; i++) {
        struct vbt_model_interval row = from->intervals[i];
        row.from = vbt_merged_site(g, t, row.from);
        row.to = vbt_merged_site(g, t, row.to);
        row.label = vbt_merged_string(g, t, row.label);
        const struct wanted_row w = {sum, &row};
        uint32_t hash = hash_pair((uint64_t)row.from << 32 | row.to, (uint64_t)row.label << 1 | (row.kind & 1));
        struct vbt_id_slot *slot = vbt_id_table_find(&g->intervals, hash, is_interval, &w);
        if (slot->id == 0) {
            vbt_id_table_take(&g->intervals, slot, (uint32_t)sum->interval_count + 1);
            sum->intervals = vbt_grow(sum->intervals, &sum->interval_capacity, sum->interval_count + 1, sizeof *sum->intervals);
            row.id = slot->id;
            sum->intervals[sum->interval_count++] = row;
        } else {
            add_interval(&sum->intervals[slot->id - 1], &row);
        }
        t->intervals[i] = slot->id;
    }
}

static bool is_interval_site(const void *context, uint32_t id) {
    const struct wanted_row *w = context;
    const struct vbt_model_interval_site *a = &w->sum->interval_sites[id - 1], *b = w->row;
    return a->interval == b->interval && a->node == b->node;
}

static void add_interval_sites(struct vbt_merging *g, const struct vbt_translation *t) {
    struct vbt_model *sum = &g->sum;
    const struct vbt_model *from = t->from;
    size_t interval = 0; /* both are in order of id */
    for (size_t i = 0; i < from->interval_site_count; i++) {
        struct vbt_model_interval_site row = from->interval_sites[i];
        while (interval < from->interval_count && from->intervals[interval].id < row.interval)
            interval++;
        if (interval == from->interval_count || from->intervals[interval].id != row.interval)
            continue; /* of an interval that has no row, and means nothing */
        row.interval = t->intervals[interval];
        row.node = t->nodes[row.node];
        const struct wanted_row w = {sum, &row};
        struct vbt_id_slot *slot = vbt_id_table_find(&g->interval_sites, hash_pair(row.interval, row.node), is_interval_site, &w);
        if (slot->id == 0) {
            vbt_id_table_take(&g->interval_sites, slot, (uint32_t)sum->interval_site_count + 1);
            sum->interval_sites = vbt_grow(sum->interval_sites, &sum->interval_site_capacity, sum->interval_site_count + 1,
                                           sizeof *sum->interval_sites);
            sum->interval_sites[sum->interval_site_count++] = row;
            continue;
        }
        struct vbt_model_interval_site *to = &sum->interval_sites[slot->id - 1];
        to->allocs += row.allocs;
        to->frees += row.frees;
        to->allocated += row.allocated;
        to->freed += row.freed;
    }
}

static void add_line_sums(struct vbt_model_line_sums *to, const struct vbt_model_line_sums *s) {
    to->time = plus(to->time, s->time);
    to->events = plus(to->events, s->events);
    to->allocs = plus(to->allocs, s->allocs);
    to->frees = plus(to->frees, s->frees);
    to->allocated = plus(to->allocated, s->allocated);
    to->freed = plus(to->freed, s->freed);
    to->temporary = plus(to->temporary, s->temporary);
    to->objects = plus(to->objects, s->objects);
}

/* What reporting a line's events costs differs between processes: it is taken off the times. */
static int64_t without_events(const struct vbt_model *m, const struct vbt_model_line_sums *s) {
    int64_t cost = (int64_t)((__int128)s->events * m->state[VBT_STATE_LINE_EVENT_COST] / 1000);
    return (int64_t)((uint64_t)s->time - (uint64_t)cost);
}

static bool is_line(const void *context, uint32_t id) {
    const struct wanted_row *w = context;
    const struct vbt_model_line_counts *b = w->row;
    return w->sum->line_counts[id - 1].site == b->site;
}

static void add_lines(struct vbt_merging *g, struct vbt_translation *t) {
    struct vbt_model *sum = &g->sum;
    for (size_t i = 0; i < t->from->line_counts_count; i++) {
        struct vbt_model_line_counts row = t->from->line_counts[i];
        row.site = vbt_merged_site(g, t, row.site);
        row.own.time = without_events(t->from, &row.own);
        row.called.time = without_events(t->from, &row.called);
        const struct wanted_row w = {sum, &row};
        struct vbt_id_slot *slot = vbt_id_table_find(&g->lines, hash_pair(row.site, 0), is_line, &w);
        if (slot->id == 0) {
            vbt_id_table_take(&g->lines, slot, (uint32_t)sum->line_counts_count + 1);
            sum->line_counts =
                vbt_grow(sum->line_counts, &sum->line_counts_capacity, sum->line_counts_count + 1, sizeof *sum->line_counts);
            sum->line_counts[sum->line_counts_count++] = row;
            continue;
        }
        struct vbt_model_line_counts *to = &sum->line_counts[slot->id - 1];
        to->decorated = to->decorated || row.decorated;
        to->ran_before = to->ran_before || row.ran_before;
        to->hits += row.hits;
        to->entries += row.entries;
        add_line_sums(&to->own, &row.own);
        add_line_sums(&to->called, &row.called);
        to->least = row.least < to->least ? row.least : to->least;
        to->most = row.most > to->most ? row.most : to->most;
        to->high = row.high > to->high ? row.high : to->high;
        to->rss = row.rss > to->rss ? row.rss : to->rss;
    }
}

static bool is_source(const void *context, uint32_t id) {
    const struct wanted_row *w = context;
    const struct vbt_model_source_row *a = &w->sum->source_rows[id - 1], *b = w->row;
    return a->file == b->file && a->line == b->line;
}

/* Of two texts of the same line, that of an unchanged file is taken; else the first in order. */
static bool is_better(const struct vbt_model *a_of, const struct vbt_model_source_row *a, const struct vbt_model *b_of,
                      const struct vbt_model_source_row *b) {
    if (a->changed != b->changed)
        return !a->changed;
    int order = memcmp(a_of->source_text + a->text, b_of->source_text + b->text, a->size < b->size ? a->size : b->size);
    return order != 0 ? order < 0 : a->size < b->size;
}

static void add_sources(struct vbt_merging *g, struct vbt_translation *t) {
    struct vbt_model *sum = &g->sum;
    for (size_t i = 0; i < t->from->source_row_count; i++) {
        const struct vbt_model_source_row *given = &t->from->source_rows[i];
        struct vbt_model_source_row row = *given;
        row.file = vbt_merged_string(g, t, row.file);
        const struct wanted_row w = {sum, &row};
        struct vbt_id_slot *slot = vbt_id_table_find(&g->sources, hash_pair(row.file, (uint64_t)row.line), is_source, &w);
        bool is_new = slot->id == 0;
        if (is_new) {
            vbt_id_table_take(&g->sources, slot, (uint32_t)sum->source_row_count + 1);
            sum->source_rows =
                vbt_grow(sum->source_rows, &sum->source_row_capacity, sum->source_row_count + 1, sizeof *sum->source_rows);
            sum->source_row_count++;
        } else if (!is_better(t->from, given, sum, &sum->source_rows[slot->id - 1])) {
            continue;
        }
        row.text = sum->source_text_size;
        sum->source_text = vbt_grow(sum->source_text, &sum->source_text_capacity, row.text + row.size + 1, 1);
        memcpy(sum->source_text + row.text, t->from->source_text + given->text, row.size);
        sum->source_text_size += row.size;
        sum->source_rows[slot->id - 1] = row;
    }
}

void vbt_merging_add_details(struct vbt_merging *g, struct vbt_translation *t, bool all) {
    add_sources(g, t);
    if (!all)
        return;
    add_intervals(g, t);
    add_interval_sites(g, t);
    add_lines(g, t);
}
