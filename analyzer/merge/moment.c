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

/* What was live at a time, as far as the ticks say: what a tick says holds since the one before. */
static uint64_t live_at(const struct vbt_model *full, uint64_t time) {
    size_t i = full->ticks.first;
    while (i + 1 < full->ticks.count && full->ticks.rows[i].time < time)
        i++;
    if (i >= full->ticks.count)
        return 0;
    int64_t live = (int64_t)((uint64_t)full->ticks.rows[i].heap + (uint64_t)full->ticks.rows[i].python);
    return live > 0 ? (uint64_t)live : 0;
}

/* How unlike something that is known is to the moment. */
struct likeness {
    double bytes; /* difference, in hundredths of what was live then */
    uint64_t time;
};

static struct likeness compare(uint64_t live, uint64_t known, uint64_t time) {
    double difference = (double)apart(live, known) * 100 / ((double)live + 1);
    return (struct likeness){difference < 1 ? 0 : difference, time};
}

static bool is_nearer(const struct likeness *a, const struct likeness *b) {
    return a->bytes < b->bytes || (!(a->bytes > b->bytes) && a->time < b->time);
}

/* Reads the trace up to a state. */
static void take_state(struct vbt_moment *moment, const char *path, uint64_t chunk, uint64_t distance) {
    const struct vbt_window window = {.to = chunk + 1};
    struct vbt_model state;
    char *problem = vbt_model_load_part(&state, path, false, &window);
    if (problem == NULL)
        *moment = (struct vbt_moment){VBT_MOMENT_STATE, distance, state};
    else
        vbt_model_free(&state); /* it was loaded before: it has changed meanwhile */
    free(problem);
}

void vbt_moment_find(struct vbt_moment *moment, const struct vbt_model *full, int64_t started, uint64_t time) {
    *moment = (struct vbt_moment){.source = VBT_MOMENT_NOTHING};
    int64_t began = vbt_model_process_number(full, "started");
    uint64_t offset = began > started ? (uint64_t)(began - started) : 0;
    if (vbt_model_is_merged(full) || time <= offset || time - offset > vbt_model_duration(full))
        return;
    uint64_t own = time - offset, distance = distance_of_peak(full, own), peak = (uint64_t)full->state[VBT_STATE_PEAK];
    uint64_t live = distance == 0 ? peak : live_at(full, own);
    struct likeness best = compare(live, peak, distance);
    *moment = (struct vbt_moment){.source = VBT_MOMENT_OWN_PEAK, .distance = distance};
    struct vbt_states states;
    vbt_states_read(&states, full->path);
    size_t chosen = states.count;
    for (size_t i = 0; i < states.count; i++) {
        const struct vbt_state_mark *mark = &states.marks[i];
        struct likeness one = compare(live, live_at(full, mark->time), apart(mark->time, own));
        if (is_nearer(&one, &best)) {
            best = one;
            chosen = i;
        }
    }
    if (chosen < states.count)
        take_state(moment, full->path, states.marks[chosen].chunk, best.time);
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
