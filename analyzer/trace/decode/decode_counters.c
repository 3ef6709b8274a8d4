/* See decode_counters.h. The columns are looked over first, and then read row by row, all at once:
 * a row is in no form in memory but the one that is kept. */
#include "decode_counters.h"

#include "analyzer/base/allocate.h"
#include "analyzer/trace/changes.h"

#include <inttypes.h>

/* The columns with one number a row, which precede the histograms. */
enum {
    NODE,
    ALLOCS,
    LIVE_BLOCKS,
    ALLOCATED,
    LIVE_BYTES,
    AT_PEAK,
    TEMPORARY,
    SMALLEST,
    SPAN,
    RSS,
    INHERITED_BLOCKS,
    INHERITED_BYTES,
    ENTRIES,
    COLUMNS
};

/* Where the next number of each column is. */
struct columns {
    const uint8_t *at[COLUMNS];
};

/* Reads a number that was looked over before. */
static inline uint64_t next(struct columns *columns, int column) {
    const uint8_t *at = columns->at[column];
    uint64_t number = *at & 0x7f;
    for (unsigned shift = 7; (*at++ & 0x80) != 0; shift += 7)
        number |= (uint64_t)(*at & 0x7f) << shift;
    columns->at[column] = at;
    return number;
}

static char *check_nodes(struct vbt_payload *p, uint64_t count) {
    uint64_t node = 0;
    bool order = true;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t step = vbt_get_varint(&p->r);
        order = order && step > 0 && step <= p->model->node_count - node;
        node = order ? node + step : 0;
    }
    if (!p->r.bad && !order)
        return vbt_text("%s counts nodes that are not defined before it, or out of order", p->chunk);
    return NULL;
}

/* Looks the columns over, and finds where they begin. */
static char *find_columns(struct vbt_payload *p, struct columns *columns, uint64_t count) {
    columns->at[NODE] = p->r.at;
    char *wrong = check_nodes(p, count);
    for (int i = ALLOCS; i < ENTRIES && wrong == NULL; i++) {
        columns->at[i] = p->r.at;
        vbt_skip_numbers(&p->r, count);
    }
    columns->at[ENTRIES] = p->r.at;
    for (uint64_t i = 0; i < count && wrong == NULL; i++) {
        uint64_t entries = vbt_get_varint(&p->r);
        if (entries > VBT_SIZE_BUCKETS)
            wrong = vbt_text("%s: a histogram of %" PRIu64 " entries, expected at most %d", p->chunk, entries, VBT_SIZE_BUCKETS);
    }
    return wrong == NULL && p->r.bad ? vbt_payload_too_short(p) : wrong;
}

static char *check_histograms(struct vbt_payload *p, struct columns columns, uint64_t count) {
    for (uint64_t i = 0; i < count && !p->r.bad; i++)
        for (uint64_t k = next(&columns, ENTRIES); k > 0; k--) {
            uint64_t bucket = vbt_get_varint(&p->r);
            vbt_get_varint(&p->r);
            if (bucket >= VBT_SIZE_BUCKETS)
                return vbt_text("%s: histogram bucket %" PRIu64 ", expected less than %d", p->chunk, bucket, VBT_SIZE_BUCKETS);
        }
    return p->r.bad ? vbt_payload_too_short(p) : NULL;
}

static struct vbt_model_counters next_row(struct columns *columns) {
    struct vbt_model_counters row;
    row.allocs = next(columns, ALLOCS);
    row.live_blocks = vbt_unzigzag(next(columns, LIVE_BLOCKS));
    row.allocated = next(columns, ALLOCATED);
    row.live_bytes = vbt_unzigzag(next(columns, LIVE_BYTES));
    row.at_peak_bytes = (int64_t)((uint64_t)row.live_bytes + (uint64_t)vbt_unzigzag(next(columns, AT_PEAK)));
    row.temporary = next(columns, TEMPORARY);
    row.smallest = next(columns, SMALLEST);
    row.largest = row.smallest + next(columns, SPAN);
    row.max_rss_kib = next(columns, RSS);
    row.inherited_blocks = next(columns, INHERITED_BLOCKS);
    row.inherited_bytes = next(columns, INHERITED_BYTES);
    row.start_blocks = (int64_t)row.inherited_blocks;
    row.start_bytes = (int64_t)row.inherited_bytes;
    return row;
}

static void keep_histogram(struct vbt_reader *pairs, struct vbt_model_bucket *to, uint32_t count) {
    for (uint32_t k = 0; k < count; k++) {
        uint32_t bucket = (uint32_t)vbt_get_varint(pairs);
        uint64_t allocs = vbt_get_varint(pairs);
        if (to != NULL)
            to[k] = (struct vbt_model_bucket){.bucket = bucket, .allocs = allocs};
    }
}

/* The rows of a history lie anywhere in memory: they are asked for some rows ahead, nodes first, so
 * that the processor need not wait for them. */
struct rows_ahead {
    struct columns nodes, rows; /* only the column NODE */
    uint64_t nodes_left, rows_left;
    uint32_t node, row;
};

enum { NODES_AHEAD = 16, ROWS_AHEAD = 8 };

static void look_ahead(struct rows_ahead *ahead, const struct vbt_model *m) {
    if (ahead->nodes_left > 0) {
        ahead->nodes_left--;
        ahead->node += (uint32_t)next(&ahead->nodes, NODE);
        __builtin_prefetch(&m->nodes[ahead->node], 1);
    }
    if (ahead->nodes_left + NODES_AHEAD - ROWS_AHEAD <= ahead->rows_left && ahead->rows_left > 0) {
        ahead->rows_left--;
        ahead->row += (uint32_t)next(&ahead->rows, NODE);
        __builtin_prefetch(m->counters.bytes + (size_t)VBT_PACKED_UNIT * m->nodes[ahead->row].counters, 1);
    }
}

char *vbt_decode_counters(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    struct columns columns;
    uint64_t count;
    uint64_t time = vbt_get_varint(&p->r);
    char *wrong = vbt_get_count(p, &count, COLUMNS, 0, VBT_MAX_NODES);
    if (wrong == NULL)
        wrong = find_columns(p, &columns, count);
    struct vbt_reader pairs = p->r;
    if (wrong == NULL)
        wrong = check_histograms(p, columns, count);
    if (wrong != NULL || count == 0)
        return wrong;
    struct columns ahead = columns;
    vbt_counters_begin_chunk(m, time, next(&ahead, RSS));
    uint32_t node = 0;
    struct rows_ahead first = {.nodes = columns, .rows = columns, .nodes_left = count, .rows_left = count};
    for (int i = 0; i < NODES_AHEAD; i++)
        look_ahead(&first, m);
    for (uint64_t i = 0; i < count; i++) {
        look_ahead(&first, m);
        node += (uint32_t)next(&columns, NODE);
        const struct vbt_model_counters row = next_row(&columns);
        uint32_t entries = (uint32_t)next(&columns, ENTRIES);
        if (m->changes != NULL)
            vbt_changes_note(m, node, &row);
        if (!vbt_counters_put(m, node, &row))
            return vbt_text("%s: more than 4 GiB of counters in all, which no trace has", p->chunk);
        keep_histogram(&pairs, vbt_counters_put_sizes(m, node, entries), entries);
    }
    vbt_counters_tidy(m);
    return NULL;
}
