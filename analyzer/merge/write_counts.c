/* See write_counts.h. */
#include "write_counts.h"

#include "write_merged.h"
#include "analyzer/base/allocate.h"
#include "analyzer/trace/process_shares.h"

#include <stdlib.h>

/* The most bytes of a row, and rows of a chunk whose rows have parts. */
enum {
    COUNTER_ROW = 13 * 10 + VBT_SIZE_BUCKETS * 11,
    INTERVAL_ROW = 8 * 10 + 8 + 3 * 10 * VBT_QUANTITIES,
    INTERVAL_SITE_ROW = 6 * 10,
    LINE_ROW = 25 * 10,
    SHARE_ROW = 11 * 10,
};

static int64_t minus(uint64_t a, uint64_t b) { return (int64_t)(a - b); }

/* Nodes with counters, in order. */
struct counted_nodes {
    uint32_t *ids;
    size_t count;
};

static struct counted_nodes list_counted(const struct vbt_model *m) {
    struct counted_nodes list = {.ids = vbt_new(m->counted_nodes + 1, sizeof *list.ids)};
    for (uint32_t node = 1; node <= m->node_count && list.count < m->counted_nodes; node++)
        if (m->nodes[node].counters != 0)
            list.ids[list.count++] = node;
    return list;
}

/* A number of a row of COUNTERS, by its column. */
static uint64_t counter_number(const struct vbt_model_counters *c, int column) {
    switch (column) {
    case 0:
        return c->allocs;
    case 1:
        return vbt_zigzag(c->live_blocks);
    case 2:
        return c->allocated;
    case 3:
        return vbt_zigzag(c->live_bytes);
    case 4:
        return vbt_zigzag(minus((uint64_t)c->at_peak_bytes, (uint64_t)c->live_bytes));
    case 5:
        return c->temporary;
    case 6:
        return c->smallest;
    case 7:
        return c->largest - c->smallest;
    case 8:
        return c->max_rss_kib;
    case 9:
        return c->inherited_blocks;
    case 10:
        return c->inherited_bytes;
    default:
        return c->sizes != NULL ? c->sizes->count : 0;
    }
}

static void write_counters(struct vbt_trace_writer *out, const struct vbt_model *m, const struct counted_nodes *nodes) {
    enum { COLUMNS = 12 };
    struct vbt_model_counters *rows = vbt_new(VBT_CHUNK_RAW_MAX / COUNTER_ROW, sizeof *rows);
    for (size_t at = 0, count; at < nodes->count; at += count) {
        const uint32_t *ids = nodes->ids + at;
        count = vbt_merged_rows(at, nodes->count, COUNTER_ROW);
        for (size_t i = 0; i < count; i++)
            rows[i] = vbt_counters_of(m, ids[i]);
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        vbt_put_varint(w, (uint64_t)m->state[VBT_STATE_TIME]);
        vbt_put_varint(w, count);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, ids[i] - (i > 0 ? ids[i - 1] : 0));
        for (int column = 0; column < COLUMNS; column++)
            for (size_t i = 0; i < count; i++)
                vbt_put_varint(w, counter_number(&rows[i], column));
        for (size_t i = 0; i < count; i++)
            for (uint32_t k = 0; rows[i].sizes != NULL && k < rows[i].sizes->count; k++) {
                vbt_put_varint(w, rows[i].sizes->rows[k].bucket);
                vbt_put_varint(w, rows[i].sizes->rows[k].allocs);
            }
        vbt_trace_writer_end(out, VBT_CHUNK_COUNTERS);
    }
    free(rows);
}

/* The columns of PROCESS_COUNTERS: those of COUNTERS, but for the histogram and resident set. */
static void put_shares(struct vbt_writer *w, const struct vbt_process_share *shares, const size_t *counts, size_t nodes) {
    static const int numbers[] = {0, 1, 2, 3, 4, 5, 9, 10}, sizes[] = {6, 7};
    const struct vbt_process_share *share = shares;
    for (size_t i = 0; i < nodes; i++)
        for (size_t k = 0; k < counts[i]; k++)
            vbt_put_varint(w, (share++)->process + 1);
    for (size_t column = 0; column < sizeof numbers / sizeof *numbers; column++) {
        share = shares;
        for (size_t i = 0; i < nodes; share += counts[i++])
            for (size_t k = 1; k < counts[i]; k++)
                vbt_put_varint(w, counter_number(&share[k].counts, numbers[column]));
    }
    for (size_t column = 0; column < sizeof sizes / sizeof *sizes; column++) {
        share = shares;
        for (size_t i = 0; i < nodes; share += counts[i++])
            for (size_t k = 0; k < counts[i] && counts[i] > 1; k++)
                vbt_put_varint(w, counter_number(&share[k].counts, sizes[column]));
    }
}

static size_t share_count(const struct vbt_model *m, uint32_t node) {
    return m->process_part_at[node + 1] - m->process_part_at[node];
}

/* Of a merged trace that was cut off, it may not be known whose a node is. */
static void keep_shared(const struct vbt_model *m, struct counted_nodes *nodes) {
    size_t kept = 0;
    for (size_t i = 0; i < nodes->count; i++)
        if (share_count(m, nodes->ids[i]) > 0)
            nodes->ids[kept++] = nodes->ids[i];
    nodes->count = kept;
}

static void write_shares(struct vbt_trace_writer *out, const struct vbt_model *m, const struct counted_nodes *nodes) {
    enum { MOST = VBT_CHUNK_RAW_MAX / SHARE_ROW };
    size_t room = MOST > m->process_rows ? MOST : m->process_rows;
    struct vbt_process_share *shares = vbt_new(room, sizeof *shares);
    size_t *counts = vbt_new(MOST, sizeof *counts);
    for (size_t at = 0; at < nodes->count;) {
        size_t count = 0, parts = 0, bytes = 0;
        for (; at + count < nodes->count && count < MOST; count++) {
            size_t more = share_count(m, nodes->ids[at + count]), size = 10 + (more > 1 ? SHARE_ROW * more : 5);
            if (count > 0 && (bytes + size > VBT_CHUNK_RAW_MAX - 64 || parts + more > room))
                break;
            counts[count] = vbt_process_shares(m, nodes->ids[at + count], shares + parts);
            parts += more;
            bytes += size;
        }
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        vbt_put_varint(w, count);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, nodes->ids[at + i] - (i > 0 ? nodes->ids[at + i - 1] : 0));
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, counts[i]);
        put_shares(w, shares, counts, count);
        vbt_trace_writer_end(out, VBT_CHUNK_PROCESS_COUNTERS);
        at += count;
    }
    free(shares);
    free(counts);
}

static void put_interval(struct vbt_writer *w, const struct vbt_model_interval *row) {
    vbt_put_varint(w, row->id);
    vbt_put_varint(w, row->kind);
    vbt_put_varint(w, row->from);
    vbt_put_varint(w, row->to);
    vbt_put_varint(w, row->label);
    vbt_put_varint(w, row->count);
    vbt_put_varint(w, row->iterations);
    vbt_put_f64(w, row->time_m2);
    for (int q = 0; q < VBT_QUANTITIES; q++) {
        vbt_put_zigzag(w, row->of[q].min);
        vbt_put_zigzag(w, row->of[q].max);
        vbt_put_zigzag(w, row->of[q].total);
    }
}

static void write_intervals(struct vbt_trace_writer *out, const struct vbt_model *m) {
    for (size_t at = 0, count; at < m->interval_count; at += count) {
        count = vbt_merged_rows(at, m->interval_count, INTERVAL_ROW);
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        vbt_put_varint(w, count);
        for (size_t i = 0; i < count; i++)
            put_interval(w, &m->intervals[at + i]);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, m->intervals[at + i].unended);
        vbt_trace_writer_end(out, VBT_CHUNK_INTERVALS);
    }
}

static void write_interval_sites(struct vbt_trace_writer *out, const struct vbt_model *m) {
    for (size_t at = 0, count; at < m->interval_site_count; at += count) {
        const struct vbt_model_interval_site *rows = m->interval_sites + at;
        count = vbt_merged_rows(at, m->interval_site_count, INTERVAL_SITE_ROW);
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        vbt_put_varint(w, count);
        for (size_t i = 0; i < count; i++)
            vbt_put_zigzag(w, minus(rows[i].interval, i > 0 ? rows[i - 1].interval : 0));
        for (size_t i = 0; i < count; i++)
            vbt_put_zigzag(w, minus(rows[i].node, i > 0 ? rows[i - 1].node : 0));
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, rows[i].allocs);
        for (size_t i = 0; i < count; i++)
            vbt_put_zigzag(w, minus(rows[i].frees, rows[i].allocs));
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, rows[i].allocated);
        for (size_t i = 0; i < count; i++)
            vbt_put_zigzag(w, minus(rows[i].freed, rows[i].allocated));
        vbt_trace_writer_end(out, VBT_CHUNK_INTERVAL_SITES);
    }
}

/* A number of a row of LINES, by its column, in zigzag where it may be below 0. */
static uint64_t line_number(const struct vbt_model_line_counts *row, int column) {
    enum { OWN = 2, CALLED = 9, REST = 16 };
    const struct vbt_model_line_sums *s = column < CALLED ? &row->own : &row->called;
    const int64_t sums[] = {s->time, s->events, s->allocs, s->frees, s->allocated, s->freed, s->temporary};
    if (column >= OWN && column < REST)
        return vbt_zigzag(sums[(column - OWN) % 7]);
    const uint64_t others[] = {row->decorated,        row->hits, vbt_zigzag(row->least),       vbt_zigzag(row->most),
                               vbt_zigzag(row->high), row->rss,  vbt_zigzag(row->own.objects), vbt_zigzag(row->called.objects),
                               row->entries};
    return others[column < OWN ? column : column - REST + OWN];
}

static void write_lines(struct vbt_trace_writer *out, const struct vbt_model *m) {
    enum { COLUMNS = 23 };
    for (size_t at = 0, count; at < m->line_counts_count; at += count) {
        const struct vbt_model_line_counts *rows = m->line_counts + at;
        count = vbt_merged_rows(at, m->line_counts_count, LINE_ROW);
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        vbt_put_varint(w, count);
        for (size_t i = 0; i < count; i++)
            vbt_put_zigzag(w, minus(rows[i].site, i > 0 ? rows[i - 1].site : 0));
        for (int column = 0; column < COLUMNS; column++)
            for (size_t i = 0; i < count; i++)
                vbt_put_varint(w, line_number(&rows[i], column));
        vbt_trace_writer_end(out, VBT_CHUNK_LINES);
    }
}

void vbt_merged_write_counts(struct vbt_trace_writer *out, const struct vbt_model *m) {
    struct counted_nodes nodes = list_counted(m);
    write_counters(out, m, &nodes);
    keep_shared(m, &nodes);
    write_shares(out, m, &nodes);
    free(nodes.ids);
    write_intervals(out, m);
    write_interval_sites(out, m);
    write_lines(out, m);
}
