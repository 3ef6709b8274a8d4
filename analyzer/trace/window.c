/* See window.h. */
#include "window.h"

#include "changes.h"
#include "window_details.h"
#include "analyzer/base/allocate.h"
#include "analyzer/trace/decode/decode.h"

#include <stdlib.h>
#include <string.h>

/* The state at the beginning, and the newest one after the end: that is read for the course of
 * memory. */
struct vbt_window_states {
    int64_t first[VBT_STATE_KEYS], later[VBT_STATE_KEYS];
    bool ended;
    struct vbt_window_details *details;
};

/* Of these kinds, what comes after the end of the part does not count. Who the threads are, and
 * which of them was at a call path, does. */
static bool ends_with_part(enum vbt_chunk_kind kind) {
    return kind == VBT_CHUNK_COUNTERS || kind == VBT_CHUNK_INTERVALS || kind == VBT_CHUNK_LINES || kind == VBT_CHUNK_MAPS;
}

/* A state after the end: only its tick counts. */
static char *decode_later(struct vbt_model *m, const struct vbt_chunk *chunk) {
    int64_t state[VBT_STATE_KEYS];
    struct vbt_window_states *states = m->states;
    bool had = m->has_state;
    memcpy(state, m->state, sizeof state);
    if (states->ended)
        memcpy(m->state, states->later, sizeof state);
    char *wrong = vbt_decode(m, chunk);
    memcpy(states->later, m->state, sizeof state);
    states->ended = true;
    memcpy(m->state, state, sizeof state);
    m->has_state = had;
    return wrong;
}

static void begin(struct vbt_model *m) {
    memcpy(m->states->first, m->state, sizeof m->state);
    vbt_window_details_begin(m->states->details, m);
    vbt_counters_keep(m);
    if (m->changes != NULL)
        vbt_changes_clear(m->changes);
}

char *vbt_window_decode(struct vbt_model *m, const struct vbt_chunk *chunk, const struct vbt_window *window) {
    enum vbt_chunk_kind kind = chunk->header.kind;
    bool is_later = window->to != 0 && chunk->header.sequence >= window->to; /* to 0: see rewind */
    if (m->states == NULL) {
        m->states = vbt_new(1, sizeof *m->states);
        m->states->details = vbt_window_details_new();
    }
    if (is_later)
        vbt_window_details_end(m->states->details, m);
    if (kind == VBT_CHUNK_INTERVAL_SITES || (is_later && ends_with_part(kind)))
        return NULL;
    char *wrong = is_later && kind == VBT_CHUNK_STATE ? decode_later(m, chunk) : vbt_decode(m, chunk);
    if (wrong == NULL && chunk->header.sequence + 1 == window->from)
        begin(m);
    return wrong;
}

/* Of what is counted from the start of the run, only what came after the beginning remains. */
static void subtract_state(struct vbt_model *m) {
    static const struct {
        int first, count;
    } counted[] = {{VBT_STATE_LOST, VBT_LOST_KINDS},
                   {VBT_STATE_UNKNOWN_FREES, VBT_DOMAINS},
                   {VBT_STATE_STACKS_CAPTURED, 2},
                   {VBT_STATE_VERIFY_COMPARED, 2},
                   {VBT_STATE_PAUSES, 2}};
    const int64_t *first = m->states->first;
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        for (int key = counted[i].first; key < counted[i].first + counted[i].count; key++)
            m->state[key] = (int64_t)((uint64_t)m->state[key] - (uint64_t)first[key]);
    for (int domain = 0; domain < VBT_DOMAINS; domain++)
        for (int field = VBT_FIELD_ALLOCS; field <= VBT_FIELD_TEMPORARY; field++) {
            int key = VBT_STATE_DOMAIN + 16 * domain + field;
            m->state[key] = (int64_t)((uint64_t)m->state[key] - (uint64_t)first[key]);
        }
    m->window.peak_unknown = m->state[VBT_STATE_PEAK] <= first[VBT_STATE_PEAK];
    m->window.rss_unknown = m->state[VBT_STATE_MAX_RSS] <= first[VBT_STATE_MAX_RSS];
}

static void finish_states(struct vbt_model *m, bool rewound) {
    if (m->states->ended)
        m->window.last = (uint64_t)m->states->later[VBT_STATE_TIME];
    if (rewound)
        vbt_window_details_rewind(m->states->details, m);
    else
        vbt_window_details_finish(m->states->details, m);
    vbt_window_details_free(m->states->details);
    free(m->states);
    m->states = NULL;
}

static void keep_ticks_inside(struct vbt_model *m) {
    struct vbt_model_ticks *ticks = &m->ticks;
    while (ticks->first < ticks->count && ticks->rows[ticks->first].time < m->window.from)
        ticks->first++;
    while (ticks->count > ticks->first && ticks->rows[ticks->count - 1].time > m->window.to)
        ticks->count--;
}

/* The start of the run: what was inherited is live, and nothing has happened. */
static void rewind_to_start(struct vbt_model *m) {
    m->window.last = (uint64_t)m->state[VBT_STATE_TIME];
    memset(m->state, 0, sizeof m->state);
    m->window.rss_unknown = true;
    m->window.to = 0;
    m->state[VBT_STATE_PEAK] = vbt_counters_rewind(m);
    if (m->changes != NULL)
        vbt_changes_clear(m->changes);
}

void vbt_window_finish(struct vbt_model *m, const struct vbt_window *window) {
    m->window.asked = window->asked;
    m->window.details = VBT_ALL_DETAILS;
    m->window.begun = window->begun;
    m->window.ended = window->ended;
    m->window.is_part = !vbt_window_is_whole(window);
    m->window.to = (uint64_t)m->state[VBT_STATE_TIME];
    if (window->to == 0)
        rewind_to_start(m);
    if (m->base != NULL) {
        m->window.from = (uint64_t)m->states->first[VBT_STATE_TIME];
        vbt_counters_subtract(m);
        subtract_state(m);
    }
    if (m->states != NULL)
        finish_states(m, window->to == 0);
    if (m->window.is_part)
        keep_ticks_inside(m);
}
