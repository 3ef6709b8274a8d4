/* See decode_ticks.h. */
#include "decode_ticks.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

static void add_tick(struct vbt_model_ticks *ticks, struct vbt_model_tick tick) {
    if (ticks->count > ticks->first && tick.time <= ticks->rows[ticks->count - 1].time)
        return; /* the same tick again; or time running backwards, which vbtrace never writes */
    if (ticks->count - ticks->first == VBT_MAX_TICKS)
        return;
    ticks->rows = vbt_grow(ticks->rows, &ticks->capacity, ticks->count + 1, sizeof *ticks->rows);
    ticks->rows[ticks->count++] = tick;
}

/* Drops the ticks up to a time. Moves the rest only if that frees half of the memory, so that the
 * cost is constant per tick. */
static void forget_ticks(struct vbt_model_ticks *ticks, uint64_t time) {
    while (ticks->first < ticks->count && ticks->rows[ticks->first].time <= time)
        ticks->first++;
    if (ticks->first <= ticks->count / 2)
        return;
    ticks->count -= ticks->first;
    memmove(ticks->rows, ticks->rows + ticks->first, ticks->count * sizeof *ticks->rows);
    ticks->first = 0;
}

static int64_t live_in_state(const struct vbt_model *m, enum vbt_domain domain) {
    return (int64_t)((uint64_t)vbt_model_domain(m, domain, VBT_FIELD_INHERITED_BYTES) +
                     (uint64_t)vbt_model_domain(m, domain, VBT_FIELD_ALLOCATED) -
                     (uint64_t)vbt_model_domain(m, domain, VBT_FIELD_FREED));
}

char *vbt_decode_state(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    int64_t state[VBT_STATE_KEYS];
    memcpy(state, m->state, sizeof state);
    while (p->r.at < p->r.end) {
        uint64_t key = vbt_get_varint(&p->r);
        int64_t value = vbt_get_zigzag(&p->r);
        if (key < VBT_STATE_KEYS)
            state[key] = value;
    }
    if (p->r.bad)
        return vbt_payload_too_short(p);
    memcpy(m->state, state, sizeof state);
    m->has_state = true;
    add_tick(&m->ticks, (struct vbt_model_tick){.time = (uint64_t)state[VBT_STATE_TIME],
                                                .rss = state[VBT_STATE_RSS],
                                                .heap = live_in_state(m, VBT_DOMAIN_HEAP),
                                                .python = live_in_state(m, VBT_DOMAIN_PYTHON)});
    return NULL;
}

char *vbt_decode_timeline(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t count;
    char *wrong = vbt_get_count(p, &count, 4, 0, VBT_MAX_TICKS);
    if (wrong != NULL)
        return wrong;
    struct vbt_model_tick last = {0};
    struct vbt_model_tick *rows = vbt_new(count, sizeof *rows);
    for (uint64_t i = 0; i < count; i++)
        rows[i].time = last.time += vbt_get_varint(&p->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].rss = last.rss = (int64_t)((uint64_t)last.rss + (uint64_t)vbt_get_zigzag(&p->r));
    for (uint64_t i = 0; i < count; i++)
        rows[i].heap = last.heap = (int64_t)((uint64_t)last.heap + (uint64_t)vbt_get_zigzag(&p->r));
    for (uint64_t i = 0; i < count; i++)
        rows[i].python = last.python = (int64_t)((uint64_t)last.python + (uint64_t)vbt_get_zigzag(&p->r));
    if (p->r.bad) {
        free(rows);
        return vbt_payload_too_short(p);
    }
    m->thinned.first = m->thinned.count = 0;
    for (uint64_t i = 0; i < count; i++)
        add_tick(&m->thinned, rows[i]);
    forget_ticks(&m->ticks, last.time);
    free(rows);
    return NULL;
}

/* Makes one timeline of the thinned ticks and those that came after them. */
void vbt_decode_ticks_finish(struct vbt_model *m) {
    for (size_t i = m->ticks.first; i < m->ticks.count; i++)
        add_tick(&m->thinned, m->ticks.rows[i]);
    free(m->ticks.rows);
    m->ticks = m->thinned;
    m->thinned = (struct vbt_model_ticks){0};
}
