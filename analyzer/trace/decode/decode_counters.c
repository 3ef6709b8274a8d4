/* See decode_counters.h. */
#include "decode_counters.h"

#include "analyzer/base/allocate.h"

#include <inttypes.h>
#include <stdlib.h>

/* Reads the twelve columns with one number per row that precede the histograms. */
static char *get_counter_columns(struct vbt_payload *p, struct vbt_model_counters *rows, uint32_t *nodes, uint64_t count) {
    struct vbt_reader *r = &p->r;
    uint64_t node = 0;
    bool order = true;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t step = vbt_get_varint(r);
        order = order && step > 0 && step <= p->model->node_count - node;
        node = order ? node + step : 0;
        nodes[i] = (uint32_t)node;
        rows[i] = (struct vbt_model_counters){0};
    }
    if (!r->bad && !order)
        return vbt_text("%s counts nodes that are not defined before it, or out of order", p->chunk);
    for (uint64_t i = 0; i < count; i++)
        rows[i].allocs = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].live_blocks = vbt_get_zigzag(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].allocated = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].live_bytes = vbt_get_zigzag(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].at_peak_bytes = (int64_t)((uint64_t)rows[i].live_bytes + (uint64_t)vbt_get_zigzag(r));
    for (uint64_t i = 0; i < count; i++)
        rows[i].temporary = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].smallest = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].largest = rows[i].smallest + vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].max_rss_kib = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].inherited_blocks = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].inherited_bytes = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t entries = vbt_get_varint(r);
        if (entries > VBT_SIZE_BUCKETS)
            return vbt_text("%s: a histogram of %" PRIu64 " entries, expected at most %d", p->chunk, entries, VBT_SIZE_BUCKETS);
        rows[i].size_count = (uint32_t)entries;
    }
    return r->bad ? vbt_payload_too_short(p) : NULL;
}

static char *check_histograms(struct vbt_payload *p, const struct vbt_model_counters *rows, uint64_t count) {
    for (uint64_t i = 0; i < count && !p->r.bad; i++)
        for (uint32_t k = 0; k < rows[i].size_count; k++) {
            uint64_t bucket = vbt_get_varint(&p->r);
            vbt_get_varint(&p->r);
            if (bucket >= VBT_SIZE_BUCKETS)
                return vbt_text("%s: histogram bucket %" PRIu64 ", expected less than %d", p->chunk, bucket, VBT_SIZE_BUCKETS);
        }
    return p->r.bad ? vbt_payload_too_short(p) : NULL;
}

static void keep_histogram(struct vbt_reader *pairs, struct vbt_model_counters *to, uint32_t count, bool wanted) {
    if (wanted && count > to->size_count)
        to->sizes = vbt_grow(to->sizes, &(size_t){0}, count, sizeof *to->sizes);
    for (uint32_t k = 0; k < count; k++) {
        uint32_t bucket = (uint32_t)vbt_get_varint(pairs);
        uint64_t allocs = vbt_get_varint(pairs);
        if (wanted)
            to->sizes[k] = (struct vbt_model_bucket){.bucket = bucket, .allocs = allocs};
    }
    to->size_count = wanted ? count : 0;
}

void vbt_decode_counters_begin(struct vbt_model *m) {
    m->counters = vbt_grow(NULL, &m->counters_capacity, 1, sizeof *m->counters);
    m->counters[0] = (struct vbt_model_counters){0};
    m->counters_count = 1;
}

char *vbt_decode_counters(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t count;
    uint64_t time = vbt_get_varint(&p->r);
    char *wrong = vbt_get_count(p, &count, 13, 0, VBT_MAX_NODES);
    if (wrong != NULL)
        return wrong;
    m->scratch = vbt_grow(m->scratch, &m->scratch_capacity, count, sizeof *m->scratch);
    uint32_t *nodes = vbt_new(count, sizeof *nodes);
    wrong = get_counter_columns(p, m->scratch, nodes, count);
    struct vbt_reader pairs = p->r;
    if (wrong == NULL)
        wrong = check_histograms(p, m->scratch, count);
    for (uint64_t i = 0; i < count && wrong == NULL; i++) {
        struct vbt_model_node *node = &m->nodes[nodes[i]];
        if (node->counters == 0) {
            m->counters = vbt_grow(m->counters, &m->counters_capacity, m->counters_count + 1, sizeof *m->counters);
            node->counters = (uint32_t)m->counters_count++ & 0x3fffffff;
            m->counters[node->counters] = (struct vbt_model_counters){0};
        }
        struct vbt_model_counters *to = &m->counters[node->counters], from = m->scratch[i];
        uint32_t entries = from.size_count;
        from.time = time;
        from.sizes = to->sizes;
        from.size_count = to->size_count;
        *to = from;
        keep_histogram(&pairs, to, entries, m->with_sizes);
    }
    free(nodes);
    return wrong;
}

/* Nodes last written before the newest peak have not changed since: what is live at them was live
 * at the peak. */
void vbt_decode_counters_finish(struct vbt_model *m) {
    for (size_t i = 0; i < m->counters_count && m->has_state; i++)
        if (m->counters[i].time < (uint64_t)m->state[VBT_STATE_PEAK_TIME])
            m->counters[i].at_peak_bytes = m->counters[i].live_bytes;
    free(m->scratch);
    m->scratch = NULL;
    m->scratch_capacity = 0;
}
