/* See decode_threads.h. */
#include "decode_threads.h"

#include "analyzer/base/allocate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static char *get_name(struct vbt_payload *p) {
    size_t size;
    const char *bytes = vbt_get_string(&p->r, &size);
    return vbt_copy(bytes, size);
}

char *vbt_decode_threads(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    struct vbt_reader *r = &p->r;
    uint64_t count;
    char *wrong = vbt_get_count(p, &count, 5 + 5 * VBT_DOMAINS, 0, VBT_MAX_THREADS);
    if (wrong == NULL && count < m->thread_count)
        wrong = vbt_text("%s has %" PRIu64 " rows, fewer than before: %zu", p->chunk, count, m->thread_count);
    if (wrong != NULL)
        return wrong;
    struct vbt_model_thread *threads = vbt_new(count + 1, sizeof *threads);
    for (uint64_t i = 1; i <= count; i++) {
        struct vbt_model_thread *row = &threads[i];
        row->tid = (uint32_t)vbt_get_varint(r);
        row->name = get_name(p);
        row->begun = vbt_get_varint(r);
        row->ended = vbt_get_varint(r);
        row->threads = vbt_get_varint(r);
        for (int domain = 0; domain < VBT_DOMAINS; domain++) {
            row->totals[domain].allocs = vbt_get_varint(r);
            row->totals[domain].frees = vbt_get_varint(r);
            row->totals[domain].allocated = vbt_get_varint(r);
            row->totals[domain].freed = vbt_get_varint(r);
            row->totals[domain].temporary = vbt_get_varint(r);
        }
    }
    if (r->bad) {
        vbt_model_threads_free(threads, count);
        return vbt_payload_too_short(p);
    }
    vbt_model_threads_free(m->threads, m->thread_count);
    m->threads = threads;
    m->thread_count = count;
    return NULL;
}

/* Reads the first columns of THREAD_COUNTERS: the nodes, and how many parts each has. */
static char *get_rows(struct vbt_payload *p, uint32_t *nodes, struct vbt_model_node_parts *rows, uint64_t count,
                      uint64_t *part_count) {
    const struct vbt_model *m = p->model;
    struct vbt_reader *r = &p->r;
    uint64_t node = 0, all = 0;
    bool order = true, sound = true;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t step = vbt_get_varint(r);
        order = order && step > 0 && step <= m->node_count - node;
        node = order ? node + step : 0;
        nodes[i] = (uint32_t)node;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t of_node = vbt_get_varint(r);
        sound = sound && of_node > 0 && of_node <= m->thread_count;
        rows[i] = (struct vbt_model_node_parts){.first = (uint32_t)all, .count = sound ? (uint32_t)of_node : 0};
        all += rows[i].count;
        sound = sound && all <= (uint64_t)(r->end - r->at);
    }
    if (r->bad)
        return vbt_payload_too_short(p);
    if (!order)
        return vbt_text("%s counts nodes that are not defined before it, or out of order", p->chunk);
    if (!sound)
        return vbt_text("%s: a node with no threads, or more than there are", p->chunk);
    *part_count = all;
    return NULL;
}

/* Reads the other columns, over the parts of all nodes. */
static char *get_parts(struct vbt_payload *p, const struct vbt_model_node_parts *rows, uint64_t count,
                       struct vbt_model_node_part *parts) {
    struct vbt_reader *r = &p->r;
    struct vbt_model_node_part *part = parts;
    uint64_t bad_thread = 0;
    bool order = true;
    for (uint64_t i = 0; i < count; i++)
        for (uint32_t k = 0, last = 0; k < rows[i].count; k++, part++) {
            part->thread = vbt_get_id(p, p->model->thread_count, &bad_thread);
            order = order && part->thread > last;
            last = part->thread;
        }
    if (bad_thread == 0 && !order && !r->bad)
        return vbt_text("%s: the threads of a node are out of order", p->chunk);
#define EACH_PART(statement)                                                                                                       \
    for (uint64_t i = 0; i < count; i++)                                                                                           \
        for (uint32_t k = 1; k < rows[i].count; k++) {                                                                             \
            part = &parts[rows[i].first + k];                                                                                      \
            statement;                                                                                                             \
        }
    EACH_PART(part->allocs = vbt_get_varint(r))
    EACH_PART(part->frees = part->allocs + (uint64_t)vbt_get_zigzag(r))
    EACH_PART(part->allocated = vbt_get_varint(r))
    EACH_PART(part->freed = part->allocated + (uint64_t)vbt_get_zigzag(r))
    EACH_PART(part->at_peak_bytes = (int64_t)(part->allocated - part->freed + (uint64_t)vbt_get_zigzag(r)))
    EACH_PART(part->temporary = vbt_get_varint(r))
#undef EACH_PART
    return vbt_check_ids(p, bad_thread, "thread");
}

char *vbt_decode_thread_counters(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t count, part_count = 0;
    uint64_t time = vbt_get_varint(&p->r);
    char *wrong = vbt_get_count(p, &count, 3, 0, VBT_MAX_NODES);
    if (wrong != NULL)
        return wrong;
    uint32_t *nodes = vbt_new(count, sizeof *nodes);
    struct vbt_model_node_parts *rows = vbt_new(count, sizeof *rows);
    wrong = get_rows(p, nodes, rows, count, &part_count);
    struct vbt_model_node_part *parts = vbt_new(part_count, sizeof *parts);
    if (wrong == NULL)
        wrong = get_parts(p, rows, count, parts);
    if (wrong == NULL && part_count > VBT_MAX_PARTS - m->part_count)
        wrong = vbt_text("%s: more than %u rows in all, which no trace has", p->chunk, VBT_MAX_PARTS);
    for (uint64_t i = 0; i < count && wrong == NULL; i++) {
        m->node_parts = vbt_grow(m->node_parts, &m->node_parts_capacity, (size_t)nodes[i] + 1, sizeof *m->node_parts);
        while (m->node_parts_count <= nodes[i])
            m->node_parts[m->node_parts_count++] = (struct vbt_model_node_parts){0};
        struct vbt_model_node_parts *to = &m->node_parts[nodes[i]];
        if (rows[i].count > to->capacity) {
            to->first = (uint32_t)m->part_count;
            to->capacity = rows[i].count;
            m->part_count += rows[i].count;
            m->parts = vbt_grow(m->parts, &m->part_capacity, m->part_count, sizeof *m->parts);
        }
        to->count = rows[i].count;
        to->time = time;
        memcpy(&m->parts[to->first], &parts[rows[i].first], rows[i].count * sizeof *parts);
    }
    free(nodes);
    free(rows);
    free(parts);
    return wrong;
}

/* As for COUNTERS: what has not changed since the newest peak was live then. */
void vbt_decode_threads_finish(struct vbt_model *m) {
    for (size_t i = 0; i < m->node_parts_count && m->has_state; i++) {
        const struct vbt_model_node_parts *of = &m->node_parts[i];
        for (uint32_t k = 1; k < of->count && of->time < (uint64_t)m->state[VBT_STATE_PEAK_TIME]; k++) {
            struct vbt_model_node_part *part = &m->parts[of->first + k];
            part->at_peak_bytes = (int64_t)(part->allocated - part->freed);
        }
    }
}
