/* See perfetto.h. The field numbers are those of Perfetto's trace.proto and what it includes.
 *
 * A heap profile is a dump of all call stacks: for each, what it has allocated and freed since the
 * start. Readers take the differences between dumps, so that a dump needs only the stacks that have
 * changed, and any stretch of the run can be shown. They expect that neither number gets less, that
 * one call stack is in one heap of a sequence of packets, and that two frames at the same address
 * of the same mapping are one: each place has an address of its own, its number. */
#include "perfetto.h"

#include "perfetto_stacks.h"
#include "protobuf.h"
#include "analyzer/analysis/cells/cells.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/command_line.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

/* Of TracePacket. */
enum {
    CLOCK_SNAPSHOT = 6,
    TIMESTAMP = 8,
    SEQUENCE = 10,
    TRACK_EVENT = 11,
    PROFILE_PACKET = 37,
    TRACK_DESCRIPTOR = 60,
    TIMESTAMP_CLOCK = 58
};

/* Clocks; ours starts with the program, and each of these is that. */
enum { REALTIME = 1, MONOTONIC_COARSE = 4, BOOTTIME = 6 };

/* Sequences of packets: each heap has one of its own. */
enum { SEQUENCE_OF_TRACKS = 1, FIRST_SEQUENCE_OF_HEAPS };

/* What a call stack has allocated and freed so far, and in which dump it was last. */
struct perfetto_sums {
    uint64_t allocs, frees, allocated, freed;
};

/* A heap: that of malloc and Python, or mapped memory. */
struct perfetto_heap {
    const char *name;
    unsigned sequence;
    uint64_t dumps;
    struct perfetto_sums *sums; /* by call */
    uint32_t *changed;          /* calls that are in the next dump */
    size_t changed_count;
    bool *is_changed; /* by call */
};

enum { HEAPS = 2 };

struct perfetto {
    FILE *out;
    const struct vbt_trace *trace;
    struct vbt_cells cells;
    struct perfetto_heap heaps[HEAPS];
    struct vbt_text_buffer packet, field, part, message; /* in the making, one within the other */
    uint64_t pid;
    bool turned; /* a number became less, see add_signed */
};

static struct perfetto_heap *heap_of(struct perfetto *p, unsigned domain) { return &p->heaps[domain == VBT_DOMAIN_MAP]; }

static void put_packet(struct perfetto *p, unsigned sequence) {
    vbt_proto_number(&p->packet, SEQUENCE, sequence);
    vbt_perfetto_write(&p->packet, p->out);
}

static void put_clocks(struct perfetto *p) {
    int64_t started = vbt_model_process_number(&p->trace->model, "started");
    const struct {
        uint64_t clock, time;
    } clocks[] = {{BOOTTIME, 0}, {MONOTONIC_COARSE, 0}, {REALTIME, started > 0 ? (uint64_t)started : 0}};
    p->message.size = 0;
    for (size_t i = 0; i < VBT_COUNT(clocks); i++) {
        p->part.size = 0;
        vbt_proto_number(&p->part, 1, clocks[i].clock);
        vbt_proto_varint(&p->part, 2 << 3);
        vbt_proto_varint(&p->part, clocks[i].time);
        vbt_proto_message(&p->message, 1, &p->part);
    }
    vbt_proto_number(&p->message, 2, BOOTTIME); /* what all times are shown in */
    vbt_proto_message(&p->packet, CLOCK_SNAPSHOT, &p->message);
    put_packet(p, SEQUENCE_OF_TRACKS);
}

static void put_name(struct vbt_text_buffer *to, unsigned field, const char *name) {
    char *text = vbt_utf8_valid(name, strlen(name));
    vbt_proto_bytes(to, field, text, strlen(text));
    free(text);
}

/* Tracks: their process, and the counters by the index of their name. */
enum { PROCESS_TRACK = 1, FIRST_COUNTER_TRACK };

static const char *const counters[] = {"Live heap", "of it Python's", "Resident set"};

static void put_tracks(struct perfetto *p) {
    enum { SIZE_BYTES = 3 };
    const struct vbt_model *m = &p->trace->model;
    char *command = vbt_command_line(m);
    p->message.size = p->part.size = 0;
    vbt_proto_number(&p->message, 1, PROCESS_TRACK);
    vbt_proto_number(&p->part, 1, p->pid);
    put_name(&p->part, 6, command);
    vbt_proto_message(&p->message, 3, &p->part);
    vbt_proto_message(&p->packet, TRACK_DESCRIPTOR, &p->message);
    put_packet(p, SEQUENCE_OF_TRACKS);
    free(command);
    for (unsigned i = 0; i < VBT_COUNT(counters); i++) {
        p->message.size = p->part.size = 0;
        vbt_proto_number(&p->message, 1, FIRST_COUNTER_TRACK + i);
        put_name(&p->message, 2, counters[i]);
        vbt_proto_number(&p->message, 5, PROCESS_TRACK);
        vbt_proto_number(&p->part, 3, SIZE_BYTES);
        vbt_proto_message(&p->message, 8, &p->part);
        vbt_proto_message(&p->packet, TRACK_DESCRIPTOR, &p->message);
        put_packet(p, SEQUENCE_OF_TRACKS);
    }
}

static void put_counter(struct perfetto *p, unsigned counter, uint64_t time, int64_t value) {
    enum { TYPE_COUNTER = 4 };
    p->message.size = 0;
    vbt_proto_number(&p->message, 9, TYPE_COUNTER);
    vbt_proto_number(&p->message, 11, FIRST_COUNTER_TRACK + counter);
    vbt_proto_varint(&p->message, 30 << 3);
    vbt_proto_varint(&p->message, (uint64_t)value);
    vbt_proto_number(&p->packet, TIMESTAMP, time);
    vbt_proto_number(&p->packet, TIMESTAMP_CLOCK, BOOTTIME);
    vbt_proto_message(&p->packet, TRACK_EVENT, &p->message);
    put_packet(p, SEQUENCE_OF_TRACKS);
}

static void put_counters(struct perfetto *p) {
    const struct vbt_model *m = &p->trace->model;
    bool python = vbt_model_process(m, "python") != NULL;
    for (size_t i = m->ticks.first; i < m->ticks.count; i++) {
        const struct vbt_model_tick *tick = &m->ticks.rows[i];
        put_counter(p, 0, tick->time, (int64_t)((uint64_t)tick->heap + (uint64_t)tick->python));
        if (python)
            put_counter(p, 1, tick->time, tick->python);
        put_counter(p, 2, tick->time, tick->rss);
    }
}

/* Adds what happened. A difference below 0, which traces that were cut off and mapped memory can
 * have, is one of the opposite kind: what is live stays right. */
static void add_signed(struct perfetto *p, uint64_t *to, uint64_t *opposite, uint64_t change) {
    bool less = (int64_t)change < 0;
    *(less ? opposite : to) += less ? -change : change;
    p->turned = p->turned || less;
}

static void add_change(struct perfetto *p, const struct vbt_cell *cell, const struct vbt_change *change) {
    struct perfetto_heap *heap = heap_of(p, cell->domain);
    struct perfetto_sums *sums = &heap->sums[cell->call];
    add_signed(p, &sums->allocs, &sums->frees, change->allocs);
    add_signed(p, &sums->frees, &sums->allocs, change->frees - change->kept_blocks);
    add_signed(p, &sums->allocated, &sums->freed, change->allocated);
    add_signed(p, &sums->freed, &sums->allocated, change->freed - change->kept_bytes);
    if (!heap->is_changed[cell->call])
        heap->changed[heap->changed_count++] = cell->call;
    heap->is_changed[cell->call] = true;
}

/* Writes what has changed since the last dump. */
static void put_dump(struct perfetto *p, struct perfetto_heap *heap, uint64_t time) {
    if (heap->changed_count == 0)
        return;
    p->message.size = p->field.size = 0;
    vbt_proto_number(&p->field, 1, p->pid);
    put_name(&p->field, 11, heap->name);
    vbt_proto_number(&p->field, 12, 1); /* every byte is sampled */
    vbt_proto_number(&p->field, 9, time);
    for (size_t i = 0; i < heap->changed_count; i++) {
        uint32_t call = heap->changed[i];
        const struct perfetto_sums *sums = &heap->sums[call];
        p->part.size = 0;
        vbt_proto_number(&p->part, 1, (uint64_t)call + 1);
        vbt_proto_number(&p->part, 2, sums->allocated);
        vbt_proto_number(&p->part, 3, sums->freed);
        vbt_proto_number(&p->part, 5, sums->allocs);
        vbt_proto_number(&p->part, 6, sums->frees);
        vbt_proto_message(&p->field, 2, &p->part);
        heap->is_changed[call] = false;
    }
    heap->changed_count = 0;
    vbt_proto_message(&p->message, 5, &p->field);
    vbt_proto_number(&p->message, 7, heap->dumps++);
    vbt_proto_number(&p->packet, TIMESTAMP, time);
    vbt_proto_number(&p->packet, VBT_PERFETTO_FLAGS, VBT_PERFETTO_NEEDS_STATE);
    vbt_proto_message(&p->packet, PROFILE_PACKET, &p->message);
    put_packet(p, heap->sequence);
}

static void put_dumps(struct perfetto *p, uint64_t time) {
    for (int i = 0; i < HEAPS; i++)
        put_dump(p, &p->heaps[i], time);
}

/* What was live at the beginning was allocated then, for all that the format can say. Returns
 * whether there was any. */
static bool put_start(struct perfetto *p) {
    bool any = false;
    for (size_t i = 0; i < p->cells.count; i++) {
        const struct vbt_cell *cell = &p->cells.rows[i];
        const struct vbt_change live = {.allocs = (uint64_t)cell->start_blocks, .allocated = (uint64_t)cell->start_bytes};
        if (live.allocs == 0 && live.allocated == 0)
            continue;
        add_change(p, cell, &live);
        any = true;
    }
    put_dumps(p, p->trace->steps.ns[0]);
    return any;
}

/* The history, step by step. */
static void put_history(struct perfetto *p) {
    const struct vbt_steps *steps = &p->trace->steps;
    size_t at = 0;
    for (uint32_t step = 1; step < steps->count; step++) {
        for (; at < p->cells.change_count && p->cells.changes[at].step == step; at++)
            add_change(p, &p->cells.rows[p->cells.changes[at].node], &p->cells.changes[at]);
        put_dumps(p, steps->ns[step]);
    }
}

static void begin(struct perfetto *p) {
    static const char *const names[HEAPS] = {"vbtrace", "vbtrace: mapped memory"};
    int64_t pid = vbt_model_process_number(&p->trace->model, "pid");
    p->pid = pid > 0 ? (uint64_t)pid : 1;
    for (unsigned i = 0; i < HEAPS; i++) {
        size_t count = p->cells.tree.count;
        p->heaps[i] = (struct perfetto_heap){.name = names[i],
                                             .sequence = FIRST_SEQUENCE_OF_HEAPS + i,
                                             .sums = vbt_new(count, sizeof(struct perfetto_sums)),
                                             .changed = vbt_new(count, sizeof(uint32_t)),
                                             .is_changed = vbt_new(count, sizeof(bool))};
    }
}

/* The call stacks of a heap. */
static void put_stacks(struct perfetto *p, struct perfetto_heap *heap, size_t limit) {
    const struct vbt_cells *cells = &p->cells;
    for (size_t i = 0; i < cells->count; i++)
        if (heap_of(p, cells->rows[i].domain) == heap)
            heap->is_changed[cells->rows[i].call] = true;
    const struct vbt_perfetto_stacks stacks = {&p->trace->model, &cells->tree, heap->is_changed, limit, heap->sequence};
    vbt_perfetto_stacks_write(&stacks, p->out);
    memset(heap->is_changed, 0, cells->tree.count * sizeof *heap->is_changed);
}

static void finish(struct perfetto *p) {
    for (int i = 0; i < HEAPS; i++) {
        free(p->heaps[i].sums);
        free(p->heaps[i].changed);
        free(p->heaps[i].is_changed);
    }
    free(p->packet.text);
    free(p->field.text);
    free(p->part.text);
    free(p->message.text);
    vbt_cells_free(&p->cells);
}

void vbt_export_perfetto(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    struct perfetto p = {.out = out, .trace = trace};
    vbt_trace_attribute(trace);
    vbt_cells_build(&p.cells, trace);
    begin(&p);
    size_t limit = vbt_perfetto_limit(&p.cells, query);
    put_clocks(&p);
    put_tracks(&p);
    for (int i = 0; i < HEAPS; i++)
        put_stacks(&p, &p.heaps[i], limit);
    bool inherits = put_start(&p);
    put_history(&p);
    put_counters(&p);
    if (vbt_model_is_merged(&trace->model))
        vbt_warn("%s: perfetto: the processes are shown as one, as their sum", query->trace);
    if (inherits)
        vbt_warn("%s: perfetto: what was live at the beginning counts as allocated then: the format knows no other way",
                 query->trace);
    if (p.turned)
        vbt_warn("%s: perfetto: some numbers below 0 are shown as frees: the format has no negative ones", query->trace);
    vbt_warn("%s: perfetto: temporary allocations and threads are left out: the format has neither", query->trace);
    finish(&p);
}
