/* See lines.h. */
#include "lines.h"

#include "analyzer/base/allocate.h"
#include "analyzer/trace/counters.h"

#include <stdlib.h>
#include <string.h>

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }
static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

void vbt_sums_add(struct vbt_sums *sums, const struct vbt_sums *other) {
    sums->allocs += other->allocs;
    sums->frees += other->frees;
    sums->allocated += other->allocated;
    sums->freed += other->freed;
    sums->temporary += other->temporary;
    sums->live_blocks = plus(sums->live_blocks, other->live_blocks);
    sums->live_bytes = plus(sums->live_bytes, other->live_bytes);
    sums->at_peak_bytes = plus(sums->at_peak_bytes, other->at_peak_bytes);
    sums->grown_blocks = plus(sums->grown_blocks, other->grown_blocks);
    sums->grown_bytes = plus(sums->grown_bytes, other->grown_bytes);
    sums->sizes_unknown = sums->sizes_unknown || other->sizes_unknown;
    sums->smallest = sums->sizes_unknown ? UINT64_MAX : smaller(sums->smallest, other->smallest);
    sums->largest = sums->sizes_unknown ? 0 : larger(sums->largest, other->largest);
    sums->max_rss_bytes = larger(sums->max_rss_bytes, other->max_rss_bytes);
}

static void add_counters(struct vbt_sums *sums, const struct vbt_model_counters *c) {
    const struct vbt_sums one = {
        .allocs = c->allocs,
        .frees = vbt_model_frees(c),
        .allocated = c->allocated,
        .freed = vbt_model_freed(c),
        .temporary = c->temporary,
        .live_blocks = c->live_blocks,
        .live_bytes = c->live_bytes,
        .at_peak_bytes = c->at_peak_bytes,
        .grown_blocks = vbt_counters_grown(c->live_blocks, c->start_blocks),
        .grown_bytes = vbt_counters_grown(c->live_bytes, c->start_bytes),
        .sizes_unknown = !vbt_counters_know_sizes(c),
        .smallest = c->allocs > 0 ? c->smallest : UINT64_MAX,
        .largest = c->allocs > 0 ? c->largest : 0,
        .max_rss_bytes = c->max_rss_kib * 1024,
    };
    vbt_sums_add(sums, &one);
}

static void add_sizes(struct vbt_line_row *line, const struct vbt_model_counters *c) {
    if (line->sizes == NULL)
        line->sizes = vbt_new(VBT_SIZE_BUCKETS, sizeof *line->sizes);
    uint32_t count = c->sizes != NULL ? c->sizes->count : 0;
    if (count == 0)
        line->sizes[vbt_size_bucket(c->smallest)] += c->allocs;
    for (uint32_t i = 0; i < count; i++)
        line->sizes[c->sizes->rows[i].bucket] += c->sizes->rows[i].allocs;
}

/* row_of_place: row + 1, for places with an index below `known`. */
static void add_hits(struct vbt_lines *lines, const struct vbt_model *m, struct vbt_places *places, const uint32_t *row_of_place,
                     size_t known) {
    for (size_t i = 0; i < m->line_counts_count; i++) {
        const struct vbt_model_line_counts *c = &m->line_counts[i];
        const struct vbt_source_place *place = vbt_place_of_site(places, c->site);
        if (place->index >= known || row_of_place[place->index] == 0)
            continue;
        struct vbt_line_row *line = &lines->rows[row_of_place[place->index] - 1];
        line->hits += c->hits;
        line->entries += c->entries;
        line->rss = larger(line->rss, c->rss);
    }
}

void vbt_lines_build(struct vbt_lines *lines, const struct vbt_model *m, struct vbt_places *places, const uint32_t *line_of,
                     const bool *counts, bool users) {
    uint32_t *row_of_site = vbt_new(m->site_count + 1, sizeof *row_of_site); /* row + 1 */
    uint32_t *row_of_place = NULL;
    size_t place_capacity = 0, places_known = 0, capacity = 0;
    *lines = (struct vbt_lines){0};
    for (size_t i = 1; i <= m->node_count; i++) {
        if (!counts[i])
            continue;
        uint32_t site = line_of[i];
        if (row_of_site[site] == 0) {
            const struct vbt_source_place *place = users ? vbt_place_of_user(places, site) : vbt_place_of_site(places, site);
            row_of_place = vbt_grow(row_of_place, &place_capacity, (size_t)place->index + 1, sizeof *row_of_place);
            while (places_known <= place->index)
                row_of_place[places_known++] = 0;
            if (row_of_place[place->index] == 0) {
                lines->rows = vbt_grow(lines->rows, &capacity, lines->count + 1, sizeof *lines->rows);
                lines->rows[lines->count++] = (struct vbt_line_row){.place = place, .sums = VBT_NO_SUMS};
                row_of_place[place->index] = (uint32_t)lines->count;
            }
            row_of_site[site] = row_of_place[place->index];
        }
        struct vbt_line_row *line = &lines->rows[row_of_site[site] - 1];
        const struct vbt_model_counters counters = vbt_counters_of(m, i);
        add_counters(&line->sums, &counters);
        if (m->with_sizes)
            add_sizes(line, &counters);
    }
    add_hits(lines, m, places, row_of_place, places_known);
    free(row_of_site);
    free(row_of_place);
}

void vbt_lines_build_outside(struct vbt_lines *lines, const struct vbt_model *m, struct vbt_places *places, const uint32_t *user,
                             const uint32_t *leaf, const bool *counts) {
    bool *outside = vbt_new(m->node_count + 1, sizeof *outside);
    for (size_t i = 1; i <= m->node_count; i++)
        outside[i] = counts[i] && user[i] == 0;
    vbt_lines_build(lines, m, places, leaf, outside, false);
    free(outside);
}

void vbt_lines_free(struct vbt_lines *lines) {
    for (size_t i = 0; i < lines->count; i++)
        free(lines->rows[i].sizes);
    free(lines->rows);
    *lines = (struct vbt_lines){0};
}

struct vbt_sums vbt_lines_total(const struct vbt_lines *lines) {
    struct vbt_sums total = VBT_NO_SUMS;
    for (size_t i = 0; i < lines->count; i++)
        vbt_sums_add(&total, &lines->rows[i].sums);
    return total;
}

const char *const vbt_line_keys[] = {"bytes", "allocs", "frees", "freed", "net", "peak", "temporary", "rss", "grown", "file", NULL};

enum line_key { BY_BYTES, BY_ALLOCS, BY_FREES, BY_FREED, BY_NET, BY_PEAK, BY_TEMPORARY, BY_RSS, BY_GROWN, BY_FILE };

static int64_t value_of(const struct vbt_sums *s, enum line_key key) {
    switch (key) {
    case BY_ALLOCS:
        return (int64_t)s->allocs;
    case BY_FREES:
        return (int64_t)s->frees;
    case BY_FREED:
        return (int64_t)s->freed;
    case BY_NET:
        return s->live_bytes;
    case BY_PEAK:
        return s->at_peak_bytes;
    case BY_TEMPORARY:
        return (int64_t)s->temporary;
    case BY_RSS:
        return (int64_t)s->max_rss_bytes;
    case BY_GROWN:
        return s->grown_bytes;
    case BY_FILE:
        return 0;
    default:
        return (int64_t)s->allocated;
    }
}

static int compare(const void *left, const void *right, void *by) {
    const struct vbt_line_row *a = left, *b = right;
    int64_t x = value_of(&a->sums, *(enum line_key *)by), y = value_of(&b->sums, *(enum line_key *)by);
    if (x != y)
        return x > y ? -1 : 1;
    return vbt_place_compare(a->place, b->place);
}

bool vbt_lines_sort(struct vbt_lines *lines, const char *name) {
    for (int i = 0; vbt_line_keys[i] != NULL; i++)
        if (strcmp(vbt_line_keys[i], name) == 0) {
            enum line_key key = (enum line_key)i;
            if (lines->count > 0)
                qsort_r(lines->rows, lines->count, sizeof *lines->rows, compare, &key);
            return true;
        }
    return false;
}

void vbt_lines_filter(struct vbt_lines *lines, const struct vbt_filter *filter) {
    size_t kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        struct vbt_line_row *line = &lines->rows[i];
        if (vbt_filter_row(filter, line->place, NULL, NULL))
            lines->rows[kept++] = *line;
        else
            free(line->sizes);
    }
    lines->count = kept;
}
