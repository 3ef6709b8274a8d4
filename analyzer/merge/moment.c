/* See moment.h. */
#include "moment.h"

#include "analyzer/trace/load.h"
#include "analyzer/trace/states.h"
#include "analyzer/trace/window.h"

#include <stdlib.h>
#include <string.h>

static uint64_t apart(uint64_t a, uint64_t b) { return a > b ? a - b : b - a; }

/* The peak was found at the tick of PEAK_TIME, and lies between the tick before it and that one. */
static uint64_t distance_of_peak(const struct vbt_model *full, uint64_t time) {
    uint64_t found = (uint64_t)full->state[VBT_STATE_PEAK_TIME], before = 0;
    for (size_t i = full->ticks.first; i < full->ticks.count && full->ticks.rows[i].time < found; i++)
        before = full->ticks.rows[i].time;
    return time > before && time <= found ? 0 : time > found ? time - found : before - time;
}

/* The index of the nearest state, or `count` if there is none. */
static size_t nearest(const struct vbt_states *states, uint64_t time) {
    size_t best = states->count;
    for (size_t i = 0; i < states->count; i++)
        if (best == states->count || apart(states->marks[i].time, time) < apart(states->marks[best].time, time))
            best = i;
    return best;
}

void vbt_moment_find(struct vbt_moment *moment, const struct vbt_model *full, int64_t started, uint64_t time) {
    *moment = (struct vbt_moment){.source = VBT_MOMENT_NOTHING};
    int64_t began = vbt_model_process_number(full, "started");
    uint64_t offset = began > started ? (uint64_t)(began - started) : 0;
    if (vbt_model_is_merged(full) || time <= offset || time - offset > vbt_model_duration(full))
        return;
    uint64_t own = time - offset;
    struct vbt_states states;
    vbt_states_read(&states, full->path);
    size_t state = nearest(&states, own);
    *moment = (struct vbt_moment){.source = VBT_MOMENT_OWN_PEAK, .distance = distance_of_peak(full, own)};
    if (state < states.count && apart(states.marks[state].time, own) < moment->distance) {
        const struct vbt_window window = {.to = states.marks[state].chunk + 1};
        char *problem = vbt_model_load_part(&moment->state, full->path, false, &window);
        if (problem == NULL)
            *moment = (struct vbt_moment){VBT_MOMENT_STATE, apart(states.marks[state].time, own), moment->state};
        else
            vbt_model_free(&moment->state); /* it was loaded before: it has changed meanwhile */
        free(problem);
    }
    vbt_states_free(&states);
}

void vbt_moment_free(struct vbt_moment *moment) {
    if (moment->source == VBT_MOMENT_STATE)
        vbt_model_free(&moment->state);
}

int64_t vbt_moment_live(const struct vbt_moment *moment, uint32_t node, int64_t at_peak) {
    if (moment->source != VBT_MOMENT_STATE)
        return moment->source == VBT_MOMENT_OWN_PEAK ? at_peak : 0;
    bool known = node <= moment->state.node_count && moment->state.nodes[node].counters != 0;
    return known ? vbt_counters_of(&moment->state, node).live_bytes : 0;
}
