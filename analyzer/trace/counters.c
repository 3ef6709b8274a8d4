/* See counters.h. What can be told from other numbers is packed as the difference from that. */
#include "counters.h"

#include "analyzer/base/allocate.h"
#include "format/varint.h"

#include <stdlib.h>
#include <string.h>

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
    SIZES,        /* index into sizes */
    START_BLOCKS, /* less inherited ones */
    START_BYTES,  /* likewise */
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
        .start_blocks = plus(vbt_unzigzag(v[START_BLOCKS]), (int64_t)v[INHERITED_BLOCKS]),
        .start_bytes = plus(vbt_unzigzag(v[START_BYTES]), (int64_t)v[INHERITED_BYTES]),
        .time = chunk->time,
        .max_rss_kib = (uint64_t)plus(vbt_unzigzag(v[RSS]), (int64_t)chunk->rss_kib),
        .without_inherited = vbt_model_is_merged(m),
        .sizes = v[SIZES] != 0 ? &m->sizes[v[SIZES]] : NULL,
    };
}

int64_t vbt_counters_at_peak(const struct vbt_model *m, size_t node) {
    uint64_t v[AT_PEAK + 1];
    vbt_packed_get(&m->counters, m->nodes[node].counters, v, AT_PEAK + 1);
    int64_t live = plus(vbt_unzigzag(v[LIVE_BYTES]), likely_live(v[ALLOCS], v[ALLOCATED], vbt_unzigzag(v[LIVE_BLOCKS])));
    return is_older_than_peak(m, m->counter_chunks[v[CHUNK]].time) ? live : plus(live, vbt_unzigzag(v[AT_PEAK]));
}

void vbt_counters_add(struct vbt_model_counters *to, const struct vbt_model_counters *c) {
    if (!vbt_counters_know_sizes(c) || !vbt_counters_know_sizes(to)) {
        to->smallest = to->largest = 0;
    } else if (c->allocs > 0) {
        to->smallest = to->allocs > 0 && to->smallest < c->smallest ? to->smallest : c->smallest;
        to->largest = to->largest > c->largest ? to->largest : c->largest;
    }
    to->allocs += c->allocs;
    to->allocated += c->allocated;
    to->temporary += c->temporary;
    to->inherited_blocks += c->inherited_blocks;
    to->inherited_bytes += c->inherited_bytes;
    to->start_blocks = plus(to->start_blocks, c->start_blocks);
    to->start_bytes = plus(to->start_bytes, c->start_bytes);
    to->live_blocks = plus(to->live_blocks, c->live_blocks);
    to->live_bytes = plus(to->live_bytes, c->live_bytes);
    to->at_peak_bytes = plus(to->at_peak_bytes, c->at_peak_bytes);
    to->max_rss_kib = to->max_rss_kib > c->max_rss_kib ? to->max_rss_kib : c->max_rss_kib;
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

/* Rows as they were where the part of a run begins that is being loaded: those of nodes that have
 * changed since. */
struct vbt_counter_base {
    size_t chunks;     /* of COUNTERS, until then */
    size_t node_count; /* nodes defined until then */
    uint32_t *of;      /* by node: its row, 0: it has none */
    struct vbt_packed_rows rows;
};

static bool is_before(const struct vbt_counter_base *base, const uint64_t v[NUMBERS]) { return v[CHUNK] < base->chunks; }

/* A histogram is overwritten in place, so it is copied. */
static uint64_t copy_sizes(struct vbt_model *m, uint64_t index) {
    if (index == 0)
        return 0;
    m->sizes = vbt_grow(m->sizes, &m->sizes_capacity, m->sizes_count + 1, sizeof *m->sizes);
    const struct vbt_model_sizes *old = &m->sizes[index];
    struct vbt_model_sizes copy = {.count = old->count};
    copy.rows = vbt_grow(NULL, &(size_t){0}, old->count, sizeof *copy.rows);
    if (old->count > 0)
        memcpy(copy.rows, old->rows, old->count * sizeof *copy.rows);
    m->sizes[m->sizes_count] = copy;
    return m->sizes_count++;
}

/* Before a node's row is replaced. */
static void keep_row(struct vbt_model *m, uint32_t node) {
    struct vbt_counter_base *base = m->base;
    uint32_t old = m->nodes[node].counters;
    if (base == NULL || old == 0 || node > base->node_count || vbt_packed_one(&m->counters, old, CHUNK) >= base->chunks)
        return;
    uint64_t v[NUMBERS];
    vbt_packed_get(&m->counters, old, v, NUMBERS);
    v[SIZES] = copy_sizes(m, v[SIZES]);
    base->of[node] = vbt_packed_put(&base->rows, 0, v, NUMBERS);
    if (base->of[node] == 0)
        vbt_out_of_memory();
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
        [START_BLOCKS] = vbt_zigzag(minus(row->start_blocks, (int64_t)row->inherited_blocks)),
        [START_BYTES] = vbt_zigzag(minus(row->start_bytes, (int64_t)row->inherited_bytes)),
    };
    keep_row(m, node);
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

void vbt_counters_keep(struct vbt_model *m) {
    vbt_counters_forget_base(m);
    m->base = vbt_new(1, sizeof *m->base);
    m->base->chunks = m->counter_chunk_count;
    m->base->node_count = m->node_count;
    m->base->of = vbt_new(m->node_count + 1, sizeof *m->base->of);
    vbt_packed_begin(&m->base->rows);
}

void vbt_counters_forget_base(struct vbt_model *m) {
    if (m->base == NULL)
        return;
    free(m->base->of);
    vbt_packed_free(&m->base->rows);
    free(m->base);
    m->base = NULL;
}

/* The buckets of a row; without a histogram, all allocations are in that of the smallest. */
static void get_buckets(const struct vbt_model *m, const uint64_t v[NUMBERS], uint64_t buckets[VBT_SIZE_BUCKETS]) {
    const struct vbt_model_sizes *sizes = &m->sizes[v[SIZES]];
    memset(buckets, 0, VBT_SIZE_BUCKETS * sizeof *buckets);
    for (uint32_t i = 0; i < sizes->count; i++)
        buckets[sizes->rows[i].bucket] = sizes->rows[i].allocs;
    if (sizes->count == 0)
        buckets[vbt_size_bucket(v[SMALLEST] ^ only_size(v[ALLOCS], v[ALLOCATED]))] = v[ALLOCS];
}

/* Gives a row, which has a histogram of its own or none, what is left of it. */
static void subtract_sizes(struct vbt_model *m, uint64_t v[NUMBERS], const uint64_t before[NUMBERS]) {
    uint64_t buckets[VBT_SIZE_BUCKETS], subtracted[VBT_SIZE_BUCKETS];
    get_buckets(m, v, buckets);
    get_buckets(m, before, subtracted);
    uint32_t count = 0;
    for (int i = 0; i < VBT_SIZE_BUCKETS; i++) {
        buckets[i] -= subtracted[i];
        count += buckets[i] != 0;
    }
    m->sizes = vbt_grow(m->sizes, &m->sizes_capacity, m->sizes_count + 1, sizeof *m->sizes);
    struct vbt_model_sizes *sizes = &m->sizes[m->sizes_count];
    *sizes = (struct vbt_model_sizes){.rows = vbt_grow(NULL, &(size_t){0}, count, sizeof *sizes->rows)};
    for (uint32_t i = 0; i < VBT_SIZE_BUCKETS; i++)
        if (buckets[i] != 0)
            sizes->rows[sizes->count++] = (struct vbt_model_bucket){.bucket = i, .allocs = buckets[i]};
    v[SIZES] = m->sizes_count++;
}

/* Turns a row into what happened since it was `before`. */
static void subtract(struct vbt_model *m, uint64_t v[NUMBERS], const uint64_t before[NUMBERS]) {
    bool one_size = v[SPAN] == 0, some = v[ALLOCS] != before[ALLOCS];
    uint64_t smallest = v[SMALLEST] ^ only_size(v[ALLOCS], v[ALLOCATED]);
    int64_t blocks = vbt_unzigzag(before[LIVE_BLOCKS]);
    int64_t bytes = plus(vbt_unzigzag(before[LIVE_BYTES]), likely_live(before[ALLOCS], before[ALLOCATED], blocks));
    int64_t live = plus(vbt_unzigzag(v[LIVE_BYTES]), likely_live(v[ALLOCS], v[ALLOCATED], vbt_unzigzag(v[LIVE_BLOCKS])));
    if (m->with_sizes && before[ALLOCS] > 0 && some && (v[SIZES] != 0 || !one_size))
        subtract_sizes(m, v, before);
    else if (!some)
        v[SIZES] = 0;
    v[START_BLOCKS] = vbt_zigzag(minus(blocks, (int64_t)v[INHERITED_BLOCKS]));
    v[START_BYTES] = vbt_zigzag(minus(bytes, (int64_t)v[INHERITED_BYTES]));
    v[RSS] = 0;
    v[TEMPORARY] -= before[TEMPORARY];
    if (before[ALLOCS] > 0 && !(one_size && some))
        smallest = v[SPAN] = 0; /* not known: see vbt_counters_know_sizes */
    v[ALLOCS] -= before[ALLOCS];
    v[ALLOCATED] -= before[ALLOCATED];
    v[LIVE_BYTES] = vbt_zigzag(minus(live, likely_live(v[ALLOCS], v[ALLOCATED], vbt_unzigzag(v[LIVE_BLOCKS]))));
    v[SMALLEST] = smallest ^ only_size(v[ALLOCS], v[ALLOCATED]);
}

/* Is there nothing to say of the node: no event, and nothing live at either end? */
static bool is_idle(const uint64_t v[NUMBERS]) {
    return v[ALLOCS] == 0 && v[ALLOCATED] == 0 && v[TEMPORARY] == 0 && v[LIVE_BLOCKS] == 0 && v[LIVE_BYTES] == 0 &&
           v[AT_PEAK] == 0 && plus(vbt_unzigzag(v[START_BLOCKS]), (int64_t)v[INHERITED_BLOCKS]) == 0 &&
           plus(vbt_unzigzag(v[START_BYTES]), (int64_t)v[INHERITED_BYTES]) == 0;
}

/* Puts the new numbers of a node; one that has nothing to say loses its row. */
static void put_changed(struct vbt_model *m, uint32_t node, const uint64_t v[NUMBERS]) {
    if (is_idle(v)) {
        m->nodes[node].counters = 0;
        m->counted_nodes--;
    } else if (!put(m, node, v)) {
        vbt_out_of_memory();
    }
}

int64_t vbt_counters_rewind(struct vbt_model *m) {
    uint64_t bytes = 0;
    for (size_t i = 1; i <= m->node_count; i++) {
        if (m->nodes[i].counters == 0)
            continue;
        const struct vbt_model_counters c = vbt_counters_of(m, i);
        const uint64_t v[NUMBERS] = {
            [LIVE_BLOCKS] = vbt_zigzag((int64_t)c.inherited_blocks),
            [LIVE_BYTES] = vbt_zigzag((int64_t)c.inherited_bytes),
            [INHERITED_BLOCKS] = c.inherited_blocks,
            [INHERITED_BYTES] = c.inherited_bytes,
        };
        bytes += m->nodes[i].domain != VBT_DOMAIN_MAP ? c.inherited_bytes : 0;
        put_changed(m, (uint32_t)i, v);
    }
    return (int64_t)bytes;
}

void vbt_counters_subtract(struct vbt_model *m) {
    const struct vbt_counter_base *base = m->base;
    for (size_t i = 1; i <= m->node_count; i++) {
        if (m->nodes[i].counters == 0)
            continue;
        uint64_t v[NUMBERS], before[NUMBERS];
        vbt_packed_get(&m->counters, m->nodes[i].counters, v, NUMBERS);
        if (is_before(base, v))
            memcpy(before, v, sizeof before);
        else
            vbt_packed_get(&base->rows, i <= base->node_count ? base->of[i] : 0, before, NUMBERS);
        subtract(m, v, before);
        put_changed(m, (uint32_t)i, v);
    }
    for (size_t i = 0; i < m->counter_chunk_count; i++)
        m->counter_chunks[i].rss_kib = 0;
    vbt_counters_forget_base(m);
}
