/* See counters.h. What can be told from other numbers is packed as the difference from that. */
#include "counters.h"

#include "analyzer/base/allocate.h"
#include "format/varint.h"

#include <stdlib.h>

/* The numbers of a row, those that are often 0 last. */
enum {
    ALLOCS,
    ALLOCATED,
    LIVE_BLOCKS,
    LIVE_BYTES, /* less likely_live */
    CHUNK,      /* index into counter_chunks */
    RSS,        /* less that of the chunk */
    AT_PEAK,    /* less live bytes */
    TEMPORARY,
    SMALLEST, /* xor the only size */
    SPAN,     /* largest less smallest */
    INHERITED_BLOCKS,
    INHERITED_BYTES,
    SIZES, /* index into sizes */
    NUMBERS
};

_Static_assert((int)NUMBERS <= (int)VBT_PACKED_MOST, "they fit");

static int64_t minus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

/* What is live if nothing was freed, or everything. */
static int64_t likely_live(uint64_t allocs, uint64_t allocated, int64_t live_blocks) {
    return live_blocks != 0 && (uint64_t)live_blocks == allocs ? (int64_t)allocated : 0;
}

static uint64_t only_size(uint64_t allocs, uint64_t allocated) { return allocs == 1 ? allocated : 0; }

static bool is_older_than_peak(const struct vbt_model *m, uint64_t time) {
    return m->has_state && time < (uint64_t)m->state[VBT_STATE_PEAK_TIME];
}

struct vbt_model_counters vbt_counters_of(const struct vbt_model *m, size_t node) {
    uint64_t v[NUMBERS];
    vbt_packed_get(&m->counters, m->nodes[node].counters, v, NUMBERS);
    const struct vbt_model_counter_chunk *chunk = &m->counter_chunks[v[CHUNK]];
    uint64_t smallest = v[SMALLEST] ^ only_size(v[ALLOCS], v[ALLOCATED]);
    int64_t live_blocks = vbt_unzigzag(v[LIVE_BLOCKS]);
    int64_t live_bytes = plus(vbt_unzigzag(v[LIVE_BYTES]), likely_live(v[ALLOCS], v[ALLOCATED], live_blocks));
    return (struct vbt_model_counters){
        .allocs = v[ALLOCS],
        .allocated = v[ALLOCATED],
        .temporary = v[TEMPORARY],
        .smallest = smallest,
        .largest = smallest + v[SPAN],
        .inherited_blocks = v[INHERITED_BLOCKS],
        .inherited_bytes = v[INHERITED_BYTES],
        .live_blocks = live_blocks,
        .live_bytes = live_bytes,
        .at_peak_bytes = is_older_than_peak(m, chunk->time) ? live_bytes : plus(live_bytes, vbt_unzigzag(v[AT_PEAK])),
        .time = chunk->time,
        .max_rss_kib = (uint64_t)plus(vbt_unzigzag(v[RSS]), (int64_t)chunk->rss_kib),
        .sizes = v[SIZES] != 0 ? &m->sizes[v[SIZES]] : NULL,
    };
}

int64_t vbt_counters_at_peak(const struct vbt_model *m, size_t node) {
    uint64_t v[AT_PEAK + 1];
    vbt_packed_get(&m->counters, m->nodes[node].counters, v, AT_PEAK + 1);
    int64_t live = plus(vbt_unzigzag(v[LIVE_BYTES]), likely_live(v[ALLOCS], v[ALLOCATED], vbt_unzigzag(v[LIVE_BLOCKS])));
    return is_older_than_peak(m, m->counter_chunks[v[CHUNK]].time) ? live : plus(live, vbt_unzigzag(v[AT_PEAK]));
}

void vbt_counters_begin(struct vbt_model *m) {
    vbt_packed_begin(&m->counters);
    m->counter_chunks = vbt_grow(NULL, &m->counter_chunk_capacity, 1, sizeof *m->counter_chunks);
    m->counter_chunks[0] = (struct vbt_model_counter_chunk){0};
    m->counter_chunk_count = 1;
    m->sizes = vbt_grow(NULL, &m->sizes_capacity, 1, sizeof *m->sizes);
    m->sizes[0] = (struct vbt_model_sizes){0};
    m->sizes_count = 1;
}

void vbt_counters_begin_chunk(struct vbt_model *m, uint64_t time, uint64_t rss_kib) {
    m->counter_chunks =
        vbt_grow(m->counter_chunks, &m->counter_chunk_capacity, m->counter_chunk_count + 1, sizeof *m->counter_chunks);
    m->counter_chunks[m->counter_chunk_count++] = (struct vbt_model_counter_chunk){time, rss_kib};
}

/* Writes a row, where it stood before if it fits there. */
static bool put(struct vbt_model *m, uint32_t node, const uint64_t v[NUMBERS]) {
    uint32_t row = vbt_packed_put(&m->counters, m->nodes[node].counters, v, NUMBERS);
    m->nodes[node].counters = row & (VBT_PACKED_END - 1);
    return row != 0;
}

bool vbt_counters_put(struct vbt_model *m, uint32_t node, const struct vbt_model_counters *row) {
    uint32_t old = m->nodes[node].counters;
    const struct vbt_model_counter_chunk *chunk = &m->counter_chunks[m->counter_chunk_count - 1];
    const uint64_t v[NUMBERS] = {
        [ALLOCS] = row->allocs,
        [ALLOCATED] = row->allocated,
        [LIVE_BLOCKS] = vbt_zigzag(row->live_blocks),
        [LIVE_BYTES] = vbt_zigzag(minus(row->live_bytes, likely_live(row->allocs, row->allocated, row->live_blocks))),
        [CHUNK] = m->counter_chunk_count - 1,
        [RSS] = vbt_zigzag((int64_t)(row->max_rss_kib - chunk->rss_kib)),
        [AT_PEAK] = vbt_zigzag(minus(row->at_peak_bytes, row->live_bytes)),
        [TEMPORARY] = row->temporary,
        [SMALLEST] = row->smallest ^ only_size(row->allocs, row->allocated),
        [SPAN] = row->largest - row->smallest,
        [INHERITED_BLOCKS] = row->inherited_blocks,
        [INHERITED_BYTES] = row->inherited_bytes,
        [SIZES] = old != 0 && m->with_sizes ? vbt_packed_one(&m->counters, old, SIZES) : 0,
    };
    m->counted_nodes += old == 0;
    m->any_inherited = m->any_inherited || row->inherited_blocks > 0 || row->inherited_bytes > 0;
    return put(m, node, v);
}

struct vbt_model_bucket *vbt_counters_put_sizes(struct vbt_model *m, uint32_t node, uint32_t count) {
    if (!m->with_sizes)
        return NULL;
    uint64_t v[NUMBERS];
    vbt_packed_get(&m->counters, m->nodes[node].counters, v, NUMBERS);
    if (v[SIZES] == 0 && count == 0)
        return NULL;
    if (v[SIZES] == 0) {
        m->sizes = vbt_grow(m->sizes, &m->sizes_capacity, m->sizes_count + 1, sizeof *m->sizes);
        m->sizes[m->sizes_count] = (struct vbt_model_sizes){0};
        v[SIZES] = m->sizes_count++;
        if (!put(m, node, v))
            return NULL;
    }
    struct vbt_model_sizes *sizes = &m->sizes[v[SIZES]];
    if (count > sizes->count) /* else there is room */
        sizes->rows = vbt_grow(sizes->rows, &(size_t){0}, count, sizeof *sizes->rows);
    sizes->count = count;
    return sizes->rows;
}

void vbt_counters_tidy(struct vbt_model *m) {
    if (m->counters.unused < m->counters.size / 2 || m->counters.unused < VBT_PACKED_UNIT * m->node_count)
        return;
    struct vbt_packed_rows old = m->counters;
    vbt_packed_begin(&m->counters);
    for (size_t i = 1; i <= m->node_count; i++)
        if (m->nodes[i].counters != 0)
            m->nodes[i].counters = vbt_packed_copy(&m->counters, &old, m->nodes[i].counters) & (VBT_PACKED_END - 1);
    vbt_packed_free(&old);
}
