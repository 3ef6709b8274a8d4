/* See decode_intervals.h. */
#include "decode_intervals.h"

#include "analyzer/base/allocate.h"

#include <inttypes.h>
#include <stdlib.h>

static int by_interval(const void *left, const void *right) {
    const struct vbt_model_interval *a = left, *b = right;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Sorts the rows and keeps the newest of each id. */
static void compact_intervals(struct vbt_model *m) {
    if (m->interval_count == 0)
        return;
    qsort(m->intervals, m->interval_count, sizeof *m->intervals, by_interval);
    size_t kept = 0;
    for (size_t i = 0; i < m->interval_count; i++) {
        if (kept > 0 && m->intervals[kept - 1].id == m->intervals[i].id)
            kept--;
        m->intervals[kept++] = m->intervals[i];
    }
    m->interval_count = m->interval_compacted = kept;
}

char *vbt_decode_intervals(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    struct vbt_reader *r = &p->r;
    uint64_t count, bad_kind = 0, bad_site = 0, bad_string = 0;
    /* A file repeats an interval whenever it has changed. Dropping the old rows each time their
     * number has doubled costs little. */
    if (m->interval_count > 2 * m->interval_compacted + 1024)
        compact_intervals(m);
    char *wrong = vbt_get_count(p, &count, 7 + 8 + 3 * VBT_QUANTITIES, m->interval_count, VBT_MAX_INTERVALS);
    if (wrong != NULL)
        return wrong;
    m->intervals = vbt_grow(m->intervals, &m->interval_capacity, m->interval_count + count, sizeof *m->intervals);
    for (uint64_t i = 0; i < count; i++) {
        struct vbt_model_interval *row = &m->intervals[m->interval_count + i];
        row->order = m->rows_seen + i;
        row->id = vbt_get_varint(r);
        row->kind = vbt_get_id(p, VBT_INTERVAL_SECTION, &bad_kind);
        row->from = vbt_get_id(p, m->site_count, &bad_site);
        row->to = vbt_get_id(p, m->site_count, &bad_site);
        row->label = vbt_get_id(p, m->string_count, &bad_string);
        row->count = vbt_get_varint(r);
        row->iterations = vbt_get_varint(r);
        row->time_m2 = vbt_get_f64(r);
        row->unended = 0;
        row->ran_before = false;
        for (int q = 0; q < VBT_QUANTITIES; q++) {
            row->of[q].min = vbt_get_zigzag(r);
            row->of[q].max = vbt_get_zigzag(r);
            row->of[q].total = vbt_get_zigzag(r);
        }
    }
    bool with_unended = r->at < r->end;
    for (uint64_t i = 0; i < count && with_unended; i++)
        m->intervals[m->interval_count + i].unended = vbt_get_varint(r);
    wrong = vbt_check_ids(p, bad_site, "call site");
    if (wrong == NULL)
        wrong = vbt_check_ids(p, bad_string, "string");
    if (wrong == NULL && bad_kind != 0)
        wrong = vbt_text("%s holds an interval of kind %" PRIu64 ", expected 0 or 1", p->chunk, bad_kind);
    if (wrong != NULL)
        return wrong;
    m->interval_count += count;
    m->rows_seen += count;
    return NULL;
}

static int by_interval_and_node(const void *left, const void *right) {
    const struct vbt_model_interval_site *a = left, *b = right;
    if (a->interval != b->interval)
        return a->interval < b->interval ? -1 : 1;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void compact_interval_sites(struct vbt_model *m) {
    if (m->interval_site_count == 0)
        return;
    struct vbt_model_interval_site *rows = m->interval_sites;
    qsort(rows, m->interval_site_count, sizeof *rows, by_interval_and_node);
    size_t kept = 0;
    for (size_t i = 0; i < m->interval_site_count; i++) {
        if (kept > 0 && rows[kept - 1].interval == rows[i].interval && rows[kept - 1].node == rows[i].node)
            kept--;
        rows[kept++] = rows[i];
    }
    m->interval_site_count = m->interval_site_compacted = kept;
}

char *vbt_decode_interval_sites(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t count, bad_node = 0;
    if (m->interval_site_count > 2 * m->interval_site_compacted + 4096)
        compact_interval_sites(m);
    char *wrong = vbt_get_count(p, &count, 6, m->interval_site_count, VBT_MAX_INTERVAL_SITES);
    if (wrong != NULL)
        return wrong;
    m->interval_sites =
        vbt_grow(m->interval_sites, &m->interval_site_capacity, m->interval_site_count + count, sizeof *m->interval_sites);
    struct vbt_model_interval_site *rows = m->interval_sites + m->interval_site_count;
    uint64_t interval = 0, node = 0;
    for (uint64_t i = 0; i < count; i++) {
        interval += (uint64_t)vbt_get_zigzag(&p->r);
        rows[i] = (struct vbt_model_interval_site){.order = m->rows_seen + i, .interval = interval};
    }
    for (uint64_t i = 0; i < count; i++) {
        node += (uint64_t)vbt_get_zigzag(&p->r);
        if (node > m->node_count && bad_node == 0)
            bad_node = node;
        rows[i].node = node <= m->node_count ? (uint32_t)node : 0;
    }
    for (uint64_t i = 0; i < count; i++)
        rows[i].allocs = vbt_get_varint(&p->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].frees = rows[i].allocs + (uint64_t)vbt_get_zigzag(&p->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].allocated = vbt_get_varint(&p->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].freed = rows[i].allocated + (uint64_t)vbt_get_zigzag(&p->r);
    wrong = vbt_check_ids(p, bad_node, "node");
    if (wrong != NULL)
        return wrong;
    m->interval_site_count += count;
    m->rows_seen += count;
    return NULL;
}

void vbt_decode_intervals_finish(struct vbt_model *m) {
    compact_intervals(m);
    compact_interval_sites(m);
}
