/* See snapshot.h. */
#include "snapshot.h"

#include "line_snapshot.h"
#include "preload/ledger/interval.h"
#include "preload/lines/books/line_books.h"
#include "preload/stream/history/counter_rows.h"
#include "preload/stream/resident/resident_times.h"
#include "preload/tree/tree.h"

#include <errno.h>
#include <string.h>

static void put_pair(struct vbt_writer *w, uint64_t key, int64_t value) {
    if (value == 0)
        return; /* what was never written is 0, and nothing else becomes 0 again */
    vbt_put_varint(w, key);
    vbt_put_zigzag(w, value);
}

void vbt_snapshot_state(struct vbt_chunk_writer *writer, const struct vbt_books *books, const struct vbt_tick *tick) {
    struct vbt_writer *w = vbt_chunk_begin(writer);
    put_pair(w, VBT_STATE_TIME, tick->time);
    put_pair(w, VBT_STATE_RSS, tick->rss);
    put_pair(w, VBT_STATE_MAX_RSS, tick->max_rss);
    put_pair(w, VBT_STATE_THREADS, books->threads);
    put_pair(w, VBT_STATE_PEAK, books->peak);
    put_pair(w, VBT_STATE_PEAK_ERROR, books->peak_error);
    put_pair(w, VBT_STATE_PEAK_TIME, tick->peak_time);
    uint64_t captured = 0;
    for (uint64_t domain = 0; domain < VBT_DOMAINS; domain++) {
        const struct vbt_totals *totals = &books->totals[domain];
        uint64_t key = VBT_STATE_DOMAIN + 16 * domain;
        put_pair(w, key + VBT_FIELD_ALLOCS, (int64_t)totals->allocs);
        put_pair(w, key + VBT_FIELD_FREES, (int64_t)totals->frees);
        put_pair(w, key + VBT_FIELD_ALLOCATED, (int64_t)totals->allocated);
        put_pair(w, key + VBT_FIELD_FREED, (int64_t)totals->freed);
        put_pair(w, key + VBT_FIELD_TEMPORARY, (int64_t)totals->temporary);
        put_pair(w, key + VBT_FIELD_INHERITED_BLOCKS, (int64_t)books->inherited_blocks[domain]);
        put_pair(w, key + VBT_FIELD_INHERITED_BYTES, (int64_t)books->inherited_bytes[domain]);
        put_pair(w, VBT_STATE_UNKNOWN_FREES + domain, (int64_t)books->unknown_frees[domain]);
        captured += totals->allocs;
    }
    for (uint64_t reason = 0; reason < VBT_LOST_KINDS; reason++)
        put_pair(w, VBT_STATE_LOST + reason, (int64_t)books->lost[reason]);
    put_pair(w, VBT_STATE_STACKS_CAPTURED, (int64_t)captured);
    put_pair(w, VBT_STATE_STACKS_TRUNCATED, (int64_t)books->truncated);
    put_pair(w, VBT_STATE_VERIFY_COMPARED, (int64_t)books->compared);
    put_pair(w, VBT_STATE_VERIFY_DIFFERENT, (int64_t)books->different);
    put_pair(w, VBT_STATE_LINE_EVENT_COST, vbt_line_event_cost);
    put_pair(w, VBT_STATE_MAPS_PEAK, books->maps.peak);
    if (tick->maps_held >= 0) {
        vbt_put_varint(w, VBT_STATE_MAPS_HELD);
        vbt_put_zigzag(w, tick->maps_held);
    }
    put_pair(w, VBT_STATE_OBJECTS, vbt_line_objects);
    put_pair(w, VBT_STATE_PAUSES, tick->pauses.count);
    put_pair(w, VBT_STATE_PAUSED_TIME, tick->pauses.time);
    put_pair(w, VBT_STATE_LIMITED_TIME, tick->limited);
    put_pair(w, VBT_STATE_SHUTDOWN_TIME, tick->shutdown);
    put_pair(w, VBT_STATE_DETAILS, VBT_ALL_DETAILS);
    vbt_chunk_end(writer, VBT_CHUNK_STATE);
}

void vbt_snapshot_maps(struct vbt_chunk_writer *writer, const struct vbt_books *books, const struct vbt_tick *tick) {
    const struct vbt_resident_at *at = vbt_resident_times;
    struct vbt_writer *w = vbt_chunk_begin(writer);
    vbt_put_varint(w, (uint64_t)tick->time);
    vbt_put_varint(w, VBT_MAP_KINDS);
    for (int kind = 0; kind < VBT_MAP_KINDS; kind++) {
        const struct vbt_map_totals *totals = &books->maps.kinds[kind];
        vbt_put_varint(w, totals->flow.allocs);
        vbt_put_varint(w, totals->flow.frees);
        vbt_put_varint(w, totals->flow.allocated);
        vbt_put_varint(w, totals->flow.freed);
        vbt_put_varint(w, totals->flow.temporary);
        vbt_put_varint(w, totals->inherited_blocks);
        vbt_put_varint(w, totals->inherited_bytes);
    }
    uint64_t count = 0;
    for (int i = 0; i < VBT_RESIDENT_TIMES; i++)
        count += at[i].resident.total > 0;
    vbt_put_varint(w, count);
    for (int i = 0; i < VBT_RESIDENT_TIMES; i++) {
        if (at[i].resident.total == 0)
            continue;
        vbt_put_varint(w, (uint64_t)i);
        vbt_put_varint(w, (uint64_t)at[i].time);
        vbt_put_zigzag(w, at[i].live[VBT_DOMAIN_HEAP]);
        vbt_put_zigzag(w, at[i].live[VBT_DOMAIN_PYTHON]);
        vbt_put_varint(w, VBT_RESIDENT_CLASSES);
        for (int class = 0; class < VBT_RESIDENT_CLASSES; class ++)
            vbt_put_varint(w, at[i].resident.bytes[class]);
    }
    vbt_chunk_end(writer, VBT_CHUNK_MAPS);
}

/* Rows of one COUNTERS chunk are collected, column by column, before they are written. */
enum { MAX_ROWS = 2048, MAX_ENTRIES = 8192 };

static VBT_CHANGED_BY_FORK struct {
    uint32_t count;
    uint32_t entries; /* of the histograms of all rows: most rows have none */
    uint32_t node;    /* of the last row */
    struct {
        uint32_t nodes[MAX_ROWS]; /* whose rows are being collected */
        struct vbt_writer columns[VBT_COUNTER_COLUMNS], histograms;
        uint8_t column_bytes[VBT_COUNTER_COLUMNS][MAX_ROWS * VBT_VARINT_MAX];
        uint8_t histogram_bytes[(MAX_ENTRIES + VBT_SIZE_BUCKETS) * 2 * VBT_VARINT_MAX];
    } * room; /* mapped when first needed; only what is used takes memory */
} batch;

/* The largest resident set at a tick in which a node changed, KiB; by slip. */
static struct vbt_vector highest_rss;

static uint32_t note_rss(uint32_t node, const struct vbt_tick *tick) {
    uint32_t slip = vbt_account_slip(atomic_load_explicit(&vbt_node_at(node)->account, memory_order_relaxed));
    while (highest_rss.count <= slip)
        if (vbt_vector_add(&highest_rss, sizeof(uint32_t)) == 0 && highest_rss.count != 1)
            return 0;
    uint32_t *highest = vbt_vector_at(&highest_rss, slip);
    uint32_t now = (uint32_t)(tick->rss / 1024);
    if (now > *highest)
        *highest = now;
    return *highest;
}

static int64_t live_blocks(const struct vbt_node_totals *sum) {
    return (int64_t)(sum->inherited_blocks + sum->allocs - sum->frees);
}

static int64_t live_bytes(const struct vbt_node_totals *sum) {
    return (int64_t)(sum->inherited_bytes + sum->allocated - sum->freed);
}

static void put_all(struct vbt_writer *w, const uint8_t *bytes, const struct vbt_writer *column) {
    vbt_put_bytes(w, bytes, (size_t)(column->at - bytes));
}

static void begin_batch(void) {
    for (int column = 0; column < VBT_COUNTER_COLUMNS; column++) {
        uint8_t *bytes = batch.room->column_bytes[column];
        batch.room->columns[column] = (struct vbt_writer){.at = bytes, .end = bytes + sizeof batch.room->column_bytes[column]};
    }
    uint8_t *bytes = batch.room->histogram_bytes;
    batch.room->histograms = (struct vbt_writer){.at = bytes, .end = bytes + sizeof batch.room->histogram_bytes};
    batch.count = batch.entries = batch.node = 0;
}

static void write_batch(struct vbt_chunk_writer *writer, const struct vbt_tick *tick) {
    if (batch.count == 0)
        return;
    struct vbt_writer *w = vbt_chunk_begin(writer);
    vbt_put_varint(w, (uint64_t)tick->time);
    vbt_put_varint(w, batch.count);
    for (int column = 0; column < VBT_COUNTER_COLUMNS; column++)
        put_all(w, batch.room->column_bytes[column], &batch.room->columns[column]);
    put_all(w, batch.room->histogram_bytes, &batch.room->histograms);
    vbt_chunk_end(writer, VBT_CHUNK_COUNTERS);
    batch.count = 0;
}

/* A single bucket that has all requests follows from the smallest size, and is not written. */
static uint32_t add_histogram(const struct vbt_node_sum *sum) {
    uint32_t before = batch.entries;
    for (uint32_t bucket = 0; sum->totals.buckets > 1 && bucket < VBT_SIZE_BUCKETS; bucket++) {
        if (sum->sizes[bucket] == 0)
            continue;
        vbt_put_varint(&batch.room->histograms, bucket);
        vbt_put_varint(&batch.room->histograms, sum->sizes[bucket]);
        batch.entries++;
    }
    return batch.entries - before;
}

/* Returns how many rows that is: 0 or 1. */
static uint32_t add_row(uint32_t node, const struct vbt_books *books, const struct vbt_tick *tick) {
    struct vbt_node_sum sum;
    const struct vbt_node_totals *totals = &sum.totals;
    if (!vbt_books_node(books, node, &sum))
        return 0;
    if (batch.count == 0)
        begin_batch();
    uint64_t numbers[VBT_COUNTER_COLUMNS] = {node - batch.node,
                                             totals->allocs,
                                             vbt_zigzag(live_blocks(totals)),
                                             totals->allocated,
                                             vbt_zigzag(live_bytes(totals)),
                                             vbt_zigzag(totals->at_peak - live_bytes(totals)),
                                             totals->temporary,
                                             totals->min_size,
                                             totals->max_size - totals->min_size,
                                             note_rss(node, tick),
                                             totals->inherited_blocks,
                                             totals->inherited_bytes,
                                             add_histogram(&sum)};
    for (int column = 0; column < VBT_COUNTER_COLUMNS; column++)
        vbt_put_varint(&batch.room->columns[column], numbers[column]);
    batch.node = node;
    batch.count++;
    return 1;
}

bool vbt_snapshot_reserve(void) {
    if (batch.room == NULL)
        batch.room = vbt_map_for_helper(sizeof *batch.room);
    return batch.room != NULL;
}

uint32_t vbt_snapshot_counters(struct vbt_chunk_writer *writer, const struct vbt_books *books, const struct vbt_tick *tick,
                               const struct vbt_dictionary *defined, uint64_t since) {
    if (!vbt_snapshot_reserve()) {
        writer->error = ENOMEM;
        return 0;
    }
    uint32_t rows = 0;
    for (uint32_t position = 0; position != VBT_BOOKS_END;) {
        uint32_t count = vbt_books_changed(since, defined->nodes, &position, batch.room->nodes, MAX_ROWS);
        for (uint32_t i = 0; i < count; i++) {
            rows += add_row(batch.room->nodes[i], books, tick);
            if (batch.entries > MAX_ENTRIES)
                write_batch(writer, tick);
        }
        write_batch(writer, tick);
    }
    return rows;
}

static bool is_defined(const struct vbt_interval_group *group, const struct vbt_dictionary *defined) {
    return group->from <= defined->sites && group->to <= defined->sites && group->label <= defined->strings;
}

static void put_group(struct vbt_writer *w, uint32_t id, const struct vbt_interval_group *group) {
    vbt_put_varint(w, id);
    vbt_put_varint(w, group->kind);
    vbt_put_varint(w, group->from);
    vbt_put_varint(w, group->to);
    vbt_put_varint(w, group->label);
    vbt_put_varint(w, group->count);
    vbt_put_varint(w, group->iterations);
    vbt_put_f64(w, group->m2);
    for (int quantity = 0; quantity < VBT_QUANTITIES; quantity++) {
        vbt_put_zigzag(w, group->stats[quantity].min);
        vbt_put_zigzag(w, group->stats[quantity].max);
        vbt_put_zigzag(w, group->stats[quantity].total);
    }
}

/* A row takes at most 32 varints. */
enum { ROWS_A_CHUNK = 2048 };

static bool group_changed(uint32_t id, const struct vbt_dictionary *defined, uint64_t since) {
    const struct vbt_interval_group *group = vbt_interval_group_at(id);
    return group != NULL && (group->count > 0 || group->begun > 0) && group->epoch >= since && is_defined(group, defined);
}

static bool site_changed(uint32_t id, const struct vbt_dictionary *defined, uint64_t since) {
    const struct vbt_interval_site *site = vbt_interval_site_at(id);
    const struct vbt_interval_group *group = site != NULL ? vbt_interval_group_at(site->group) : NULL;
    return group != NULL && site->epoch >= since && site->node <= defined->nodes && group->count > 0 && is_defined(group, defined);
}

/* The rows are ids[1] to ids[count]. */
static void put_sites(struct vbt_writer *w, const uint32_t *ids, uint32_t count) {
    for (uint32_t i = 1; i <= count; i++)
        vbt_put_zigzag(w, (int64_t)vbt_interval_site_at(ids[i])->group - (i == 1 ? 0 : vbt_interval_site_at(ids[i - 1])->group));
    for (uint32_t i = 1; i <= count; i++)
        vbt_put_zigzag(w, (int64_t)vbt_interval_site_at(ids[i])->node - (i == 1 ? 0 : vbt_interval_site_at(ids[i - 1])->node));
    for (uint32_t i = 1; i <= count; i++)
        vbt_put_varint(w, vbt_interval_site_at(ids[i])->flow.allocs);
    for (uint32_t i = 1; i <= count; i++)
        vbt_put_zigzag(w, (int64_t)(vbt_interval_site_at(ids[i])->flow.frees - vbt_interval_site_at(ids[i])->flow.allocs));
    for (uint32_t i = 1; i <= count; i++)
        vbt_put_varint(w, vbt_interval_site_at(ids[i])->flow.allocated);
    for (uint32_t i = 1; i <= count; i++)
        vbt_put_zigzag(w, (int64_t)(vbt_interval_site_at(ids[i])->flow.freed - vbt_interval_site_at(ids[i])->flow.allocated));
}

static void put_groups(struct vbt_writer *w, const uint32_t *ids, uint32_t count) {
    for (uint32_t i = 1; i <= count; i++)
        put_group(w, ids[i], vbt_interval_group_at(ids[i]));
    for (uint32_t i = 1; i <= count; i++) {
        const struct vbt_interval_group *group = vbt_interval_group_at(ids[i]);
        vbt_put_varint(w, group->begun > group->count ? group->begun - group->count : 0);
    }
}

/* Writes all rows of one kind that changed, in as many chunks as it takes. */
static void write_rows(struct vbt_chunk_writer *writer, enum vbt_chunk_kind kind, const struct vbt_dictionary *defined,
                       uint64_t since) {
    static uint32_t ids[1 + ROWS_A_CHUNK]; /* from 1 on */
    bool groups = kind == VBT_CHUNK_INTERVALS;
    uint32_t end = groups ? vbt_interval_groups.groups.count : vbt_interval_groups.sites.count;
    for (uint32_t id = 1; id < end;) {
        uint32_t count = 0;
        for (; id < end && count < ROWS_A_CHUNK; id++)
            if (groups ? group_changed(id, defined, since) : site_changed(id, defined, since))
                ids[++count] = id;
        if (count == 0)
            break;
        struct vbt_writer *w = vbt_chunk_begin(writer);
        vbt_put_varint(w, count);
        (groups ? put_groups : put_sites)(w, ids, count);
        vbt_chunk_end(writer, kind);
    }
}

void vbt_snapshot_intervals(struct vbt_chunk_writer *writer, const struct vbt_dictionary *defined, uint64_t since) {
    bool locked = vbt_lock_patiently(&vbt_interval_lock);
    write_rows(writer, VBT_CHUNK_INTERVALS, defined, since);
    write_rows(writer, VBT_CHUNK_INTERVAL_SITES, defined, since);
    if (locked)
        vbt_unlock(&vbt_interval_lock);
}

void vbt_snapshot_end(struct vbt_chunk_writer *writer, const struct vbt_tick *tick, const char *reason) {
    struct vbt_writer *w = vbt_chunk_begin(writer);
    vbt_put_varint(w, (uint64_t)tick->time);
    vbt_put_string(w, reason, strlen(reason));
    vbt_chunk_end(writer, VBT_CHUNK_END);
}

uint64_t vbt_snapshot_lost_paths(const struct vbt_books *books) {
    uint64_t allocs = 0;
    for (int domain = 0; domain < VBT_DOMAINS; domain++) {
        struct vbt_node_sum sum;
        if (vbt_books_node(books, vbt_tree.lost_nodes[domain], &sum))
            allocs += sum.totals.allocs;
    }
    return allocs;
}

void vbt_snapshot_timeline(struct vbt_chunk_writer *writer, const struct vbt_timeline *timeline) {
    if (timeline->count == 0)
        return;
    static const struct vbt_timeline_point zero;
    struct vbt_writer *w = vbt_chunk_begin(writer);
    vbt_put_varint(w, timeline->count);
    for (uint32_t i = 0; i < timeline->count; i++)
        vbt_put_varint(w, (uint64_t)(timeline->points[i].time - (i == 0 ? 0 : timeline->points[i - 1].time)));
    for (uint32_t i = 0; i < timeline->count; i++)
        vbt_put_zigzag(w, timeline->points[i].rss - (i == 0 ? &zero : &timeline->points[i - 1])->rss);
    for (uint32_t i = 0; i < timeline->count; i++)
        vbt_put_zigzag(w, timeline->points[i].heap - (i == 0 ? &zero : &timeline->points[i - 1])->heap);
    for (uint32_t i = 0; i < timeline->count; i++)
        vbt_put_zigzag(w, timeline->points[i].python - (i == 0 ? &zero : &timeline->points[i - 1])->python);
    vbt_chunk_end(writer, VBT_CHUNK_TIMELINE);
}

void vbt_snapshot_after_fork(void) {
    if (batch.room == NULL && highest_rss.count == 0)
        return; /* a page less to copy from the parent */
    batch.room = NULL;
    batch.count = batch.entries = 0;
    vbt_vector_empty(&highest_rss);
    vbt_snapshot_threads_after_fork();
    vbt_snapshot_lines_after_fork();
}
