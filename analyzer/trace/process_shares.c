/* See process_shares.h. There may be as many shares as the traces had nodes: they are packed. */
#include "process_shares.h"

#include "analyzer/base/allocate.h"
#include "format/varint.h"

#include <stdlib.h>

/* The numbers of a row, those that are often 0 last. */
enum {
    ALLOCS,
    ALLOCATED,
    SMALLEST,
    LIVE_BLOCKS,
    LIVE_BYTES,
    SPAN,
    AT_PEAK,
    TEMPORARY,
    INHERITED_BLOCKS,
    INHERITED_BYTES,
    START_BLOCKS,
    START_BYTES,
    NUMBERS
};

static int64_t minus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

static uint32_t put(struct vbt_model *m, uint32_t row, const struct vbt_model_counters *c) {
    const uint64_t v[NUMBERS] = {
        [ALLOCS] = c->allocs,
        [ALLOCATED] = c->allocated,
        [SMALLEST] = c->smallest,
        [LIVE_BLOCKS] = vbt_zigzag(c->live_blocks),
        [LIVE_BYTES] = vbt_zigzag(c->live_bytes),
        [SPAN] = c->largest - c->smallest,
        [AT_PEAK] = vbt_zigzag(minus(c->at_peak_bytes, c->live_bytes)),
        [TEMPORARY] = c->temporary,
        [INHERITED_BLOCKS] = c->inherited_blocks,
        [INHERITED_BYTES] = c->inherited_bytes,
        [START_BLOCKS] = vbt_zigzag(minus(c->start_blocks, (int64_t)c->inherited_blocks)),
        [START_BYTES] = vbt_zigzag(minus(c->start_bytes, (int64_t)c->inherited_bytes)),
    };
    return vbt_packed_put(&m->process_counters, row, v, NUMBERS);
}

static struct vbt_model_counters get(const struct vbt_model *m, uint32_t row) {
    uint64_t v[NUMBERS];
    vbt_packed_get(&m->process_counters, row, v, NUMBERS);
    int64_t live = vbt_unzigzag(v[LIVE_BYTES]);
    return (struct vbt_model_counters){
        .allocs = v[ALLOCS],
        .allocated = v[ALLOCATED],
        .temporary = v[TEMPORARY],
        .smallest = v[SMALLEST],
        .largest = v[SMALLEST] + v[SPAN],
        .inherited_blocks = v[INHERITED_BLOCKS],
        .inherited_bytes = v[INHERITED_BYTES],
        .live_blocks = vbt_unzigzag(v[LIVE_BLOCKS]),
        .live_bytes = live,
        .at_peak_bytes = plus(live, vbt_unzigzag(v[AT_PEAK])),
        .start_blocks = plus(vbt_unzigzag(v[START_BLOCKS]), (int64_t)v[INHERITED_BLOCKS]),
        .start_bytes = plus(vbt_unzigzag(v[START_BYTES]), (int64_t)v[INHERITED_BYTES]),
        .without_inherited = true,
    };
}

void vbt_process_shares_add(struct vbt_model *m, uint32_t node, uint32_t process, const struct vbt_model_counters *c) {
    if (m->process_counters.bytes == NULL)
        vbt_packed_begin(&m->process_counters);
    m->process_parts = vbt_grow(m->process_parts, &m->process_part_capacity, m->process_part_count + 1, sizeof *m->process_parts);
    m->process_parts[m->process_part_count++] = (struct vbt_model_process_part){node, process, put(m, 0, c)};
}

static int by_node_and_process(const void *left, const void *right) {
    const struct vbt_model_process_part *a = left, *b = right;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return a->process < b->process ? -1 : a->process > b->process;
}

/* Adds up the shares of one process at one node: in its trace these were several. */
static void join(struct vbt_model *m) {
    struct vbt_model_process_part *parts = m->process_parts;
    size_t kept = 0;
    for (size_t i = 0; i < m->process_part_count; i++) {
        if (kept > 0 && by_node_and_process(&parts[kept - 1], &parts[i]) == 0) {
            struct vbt_model_counters sum = get(m, parts[kept - 1].row), more = get(m, parts[i].row);
            vbt_counters_add(&sum, &more);
            parts[kept - 1].row = put(m, parts[kept - 1].row, &sum);
        } else {
            parts[kept++] = parts[i];
        }
    }
    m->process_part_count = kept;
}

/* Sets where the parts of each node begin. */
static void find_nodes(struct vbt_model *m) {
    uint32_t *at = m->process_part_at;
    memset(at, 0, (m->node_count + 2) * sizeof *at);
    for (size_t i = 0; i < m->process_part_count; i++)
        at[m->process_parts[i].node + 1]++;
    for (size_t node = 1; node <= m->node_count + 1; node++)
        at[node] += at[node - 1];
}

/* There are millions, a few at each node: they are put to their nodes, and ordered there. */
static void sort(struct vbt_model *m) {
    struct vbt_model_process_part *sorted = vbt_new(m->process_part_count, sizeof *sorted);
    uint32_t *at = m->process_part_at;
    for (size_t i = 0; i < m->process_part_count; i++)
        sorted[at[m->process_parts[i].node]++] = m->process_parts[i];
    for (size_t begin = 0, node = 0; node <= m->node_count; begin = at[node++])
        if (at[node] > begin + 1)
            qsort(sorted + begin, at[node] - begin, sizeof *sorted, by_node_and_process);
    free(m->process_parts);
    m->process_parts = sorted;
    m->process_part_capacity = m->process_part_count;
}

void vbt_process_shares_order(struct vbt_model *m) {
    free(m->process_part_at);
    m->process_part_at = vbt_new(m->node_count + 2, sizeof *m->process_part_at);
    find_nodes(m);
    sort(m);
    join(m);
    find_nodes(m);
}

size_t vbt_process_shares(const struct vbt_model *m, uint32_t node, struct vbt_process_share *shares) {
    if (m->process_part_at == NULL)
        return 0;
    size_t begin = m->process_part_at[node], end = m->process_part_at[node + 1];
    for (size_t i = begin; i < end; i++)
        *shares++ = (struct vbt_process_share){m->process_parts[i].process, get(m, m->process_parts[i].row)};
    return end - begin;
}

void vbt_process_shares_free(struct vbt_model *m) {
    free(m->process_parts);
    free(m->process_part_at);
    vbt_packed_free(&m->process_counters);
    m->process_parts = NULL;
    m->process_part_at = NULL;
    m->process_part_count = m->process_part_capacity = 0;
}
