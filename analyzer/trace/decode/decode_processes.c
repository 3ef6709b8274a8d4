/* See decode_processes.h. */
#include "decode_processes.h"

#include "decode_process.h"
#include "analyzer/base/allocate.h"
#include "analyzer/trace/process_shares.h"
#include "format/format.h"

#include <inttypes.h>
#include <stdlib.h>

static char *get_text(struct vbt_payload *p) {
    size_t size;
    const char *bytes = vbt_get_string(&p->r, &size);
    return vbt_copy(bytes, size);
}

static void get_state(struct vbt_payload *p, struct vbt_model *row) {
    for (uint64_t entries = vbt_get_varint(&p->r); entries > 0 && !p->r.bad; entries--) {
        uint64_t key = vbt_get_varint(&p->r);
        int64_t value = vbt_get_zigzag(&p->r);
        if (key < VBT_STATE_KEYS)
            row->state[key] = value;
    }
    for (int domain = 0; domain < VBT_DOMAINS; domain++) {
        row->taken.blocks[domain] = vbt_get_varint(&p->r);
        row->taken.bytes[domain] = vbt_get_varint(&p->r);
    }
    row->taken.peak = vbt_get_varint(&p->r);
}

/* Reads one process into an empty model. */
static char *get_process(struct vbt_payload *p, struct vbt_model *row) {
    struct vbt_payload of_row = {.model = row, .r = p->r, .chunk = p->chunk};
    char *wrong = vbt_decode_process(&of_row);
    p->r = of_row.r;
    if (wrong != NULL)
        return wrong;
    uint64_t flags = vbt_get_varint(&p->r);
    row->has_state = (flags >> VBT_PROCESS_STATE & 1) != 0;
    row->has_maps = (flags >> VBT_PROCESS_MAPS & 1) != 0;
    if ((flags >> VBT_PROCESS_ENDED & 1) != 0) {
        row->ended = true;
        row->end_time = vbt_get_varint(&p->r);
        row->end_reason = get_text(p);
    }
    if ((flags >> VBT_PROCESS_DAMAGED & 1) != 0) {
        row->damage_offset = vbt_get_varint(&p->r);
        row->damage = get_text(p);
    }
    get_state(p, row);
    for (int kind = 0; kind < VBT_MAP_KINDS && row->has_maps; kind++)
        for (int field = 0; field < VBT_FIELDS; field++)
            row->maps[kind][field] = vbt_get_varint(&p->r);
    return p->r.bad ? vbt_payload_too_short(p) : NULL;
}

char *vbt_decode_processes(struct vbt_payload *p) {
    enum { LEAST = 3 + 2 * VBT_DOMAINS + 1 };
    struct vbt_model *m = p->model;
    uint64_t count;
    char *wrong = vbt_get_definitions(p, &count, LEAST, m->process_rows, VBT_MAX_PROCESSES);
    if (wrong != NULL)
        return wrong;
    struct vbt_model *rows = vbt_new(count, sizeof *rows);
    for (uint64_t i = 0; i < count && wrong == NULL; i++)
        wrong = get_process(p, &rows[i]);
    bool with_undecided = p->r.at < p->r.end;
    for (uint64_t i = 0; i < count && wrong == NULL && with_undecided; i++)
        rows[i].taken.undecided_blocks = vbt_get_varint(&p->r);
    for (uint64_t i = 0; i < count && wrong == NULL && with_undecided; i++)
        rows[i].taken.undecided_bytes = vbt_get_varint(&p->r);
    if (wrong == NULL && p->r.bad)
        wrong = vbt_payload_too_short(p);
    if (wrong == NULL) {
        m->processes = vbt_grow(m->processes, &m->process_capacity, m->process_rows + count, sizeof *m->processes);
        for (uint64_t i = 0; i < count; i++)
            m->processes[m->process_rows++] = rows[i];
    } else {
        for (uint64_t i = 0; i < count; i++)
            vbt_model_free(&rows[i]);
    }
    free(rows);
    return wrong;
}

char *vbt_decode_process_ticks(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t foreign = 0, count, process = vbt_get_id(p, m->process_rows, &foreign);
    char *wrong = vbt_get_count(p, &count, 4, m->process_tick_count, VBT_MAX_TICKS);
    if (wrong == NULL && (foreign != 0 || process == 0))
        wrong = vbt_text("%s is of process %" PRIu64 ", which is not defined before it", p->chunk, foreign);
    if (wrong != NULL)
        return wrong;
    struct vbt_model_ticks *ticks = &m->processes[process - 1].ticks;
    ticks->rows = vbt_grow(ticks->rows, &ticks->capacity, ticks->count + count, sizeof *ticks->rows);
    struct vbt_model_tick *rows = ticks->rows + ticks->count, last = {0};
    uint64_t before = ticks->count > 0 ? rows[-1].time : 0;
    bool order = true;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t step = vbt_get_varint(&p->r);
        rows[i].time = last.time + step;
        order = order && rows[i].time >= last.time && (ticks->count + i == 0 || rows[i].time > (i > 0 ? last.time : before));
        last.time = rows[i].time;
    }
    for (uint64_t i = 0; i < count; i++)
        rows[i].rss = last.rss = (int64_t)((uint64_t)last.rss + (uint64_t)vbt_get_zigzag(&p->r));
    for (uint64_t i = 0; i < count; i++)
        rows[i].heap = last.heap = (int64_t)((uint64_t)last.heap + (uint64_t)vbt_get_zigzag(&p->r));
    for (uint64_t i = 0; i < count; i++)
        rows[i].python = last.python = (int64_t)((uint64_t)last.python + (uint64_t)vbt_get_zigzag(&p->r));
    if (p->r.bad)
        return vbt_payload_too_short(p);
    if (!order)
        return vbt_text("%s: times that do not ascend", p->chunk);
    ticks->count += count;
    m->process_tick_count += count;
    return NULL;
}

/* The columns of PROCESS_COUNTERS that hold a number for each part but the first of a node. */
enum { ALLOCS, LIVE_BLOCKS, ALLOCATED, LIVE_BYTES, AT_PEAK, TEMPORARY, INHERITED_BLOCKS, INHERITED_BYTES, NUMBERS };

struct share_row {
    uint32_t node, parts;
    size_t first; /* of its parts */
};

struct share_part {
    uint32_t process;
    uint64_t numbers[NUMBERS], smallest, span;
};

/* Reads which nodes there are, and whose parts. */
static char *get_rows(struct vbt_payload *p, struct share_row *rows, uint64_t count, size_t *part_count) {
    const struct vbt_model *m = p->model;
    uint64_t node = 0, all = 0;
    bool order = true, sound = true;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t step = vbt_get_varint(&p->r);
        order = order && step > 0 && step <= m->node_count - node;
        node = order ? node + step : 0;
        rows[i].node = (uint32_t)node;
        sound = sound && m->nodes[node].counters != 0;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t parts = vbt_get_varint(&p->r);
        sound = sound && parts > 0 && parts <= m->process_rows;
        rows[i].first = all;
        rows[i].parts = sound ? (uint32_t)parts : 0;
        all += rows[i].parts;
        sound = sound && all <= (uint64_t)(p->r.end - p->r.at);
    }
    if (p->r.bad)
        return vbt_payload_too_short(p);
    if (!order || !sound)
        return vbt_text("%s: nodes that are not counted before it, or out of order, or parts of no process", p->chunk);
    if (all > VBT_MAX_PARTS - m->process_part_count)
        return vbt_text("%s: more than %u parts in all, which no trace has", p->chunk, VBT_MAX_PARTS);
    *part_count = all;
    return NULL;
}

static char *get_parts(struct vbt_payload *p, const struct share_row *rows, uint64_t count, struct share_part *parts) {
    uint64_t foreign = 0;
    bool order = true;
    for (uint64_t i = 0; i < count; i++)
        for (uint32_t k = 0, last = 0; k < rows[i].parts; k++) {
            uint32_t process = vbt_get_id(p, p->model->process_rows, &foreign);
            order = order && process > last;
            last = parts[rows[i].first + k].process = process;
        }
    for (int column = 0; column < NUMBERS; column++)
        for (uint64_t i = 0; i < count; i++)
            for (uint32_t k = 1; k < rows[i].parts; k++)
                parts[rows[i].first + k].numbers[column] = vbt_get_varint(&p->r);
    for (int column = 0; column < 2; column++)
        for (uint64_t i = 0; i < count; i++)
            for (uint32_t k = 0; k < rows[i].parts && rows[i].parts > 1; k++) {
                struct share_part *part = &parts[rows[i].first + k];
                *(column == 0 ? &part->smallest : &part->span) = vbt_get_varint(&p->r);
            }
    if (p->r.bad)
        return vbt_payload_too_short(p);
    if (foreign != 0 || !order)
        return vbt_text("%s: parts of processes that are not defined before it, or out of order", p->chunk);
    return NULL;
}

static struct vbt_model_counters counters_of(const struct share_part *part) {
    const uint64_t *v = part->numbers;
    struct vbt_model_counters c = {.allocs = v[ALLOCS],
                                   .allocated = v[ALLOCATED],
                                   .temporary = v[TEMPORARY],
                                   .inherited_blocks = v[INHERITED_BLOCKS],
                                   .inherited_bytes = v[INHERITED_BYTES],
                                   .live_blocks = vbt_unzigzag(v[LIVE_BLOCKS]),
                                   .live_bytes = vbt_unzigzag(v[LIVE_BYTES])};
    c.at_peak_bytes = (int64_t)((uint64_t)c.live_bytes + (uint64_t)vbt_unzigzag(v[AT_PEAK]));
    return c;
}

/* Takes a part off what is left of a node. */
static void subtract(struct vbt_model_counters *left, const struct vbt_model_counters *c) {
    left->allocs -= c->allocs;
    left->allocated -= c->allocated;
    left->temporary -= c->temporary;
    left->inherited_blocks -= c->inherited_blocks;
    left->inherited_bytes -= c->inherited_bytes;
    left->live_blocks = (int64_t)((uint64_t)left->live_blocks - (uint64_t)c->live_blocks);
    left->live_bytes = (int64_t)((uint64_t)left->live_bytes - (uint64_t)c->live_bytes);
    left->at_peak_bytes = (int64_t)((uint64_t)left->at_peak_bytes - (uint64_t)c->at_peak_bytes);
}

/* Adds the parts of a node: the first has what the others leave. */
static void add_parts(struct vbt_model *m, const struct share_row *row, const struct share_part *parts) {
    struct vbt_model_counters left = vbt_counters_of(m, row->node);
    for (uint32_t k = row->parts; k-- > 0;) {
        const struct share_part *part = &parts[row->first + k];
        struct vbt_model_counters c = k > 0 ? counters_of(part) : left;
        if (k > 0)
            subtract(&left, &c);
        if (row->parts > 1) {
            c.smallest = part->smallest;
            c.largest = part->smallest + part->span;
        }
        c.start_blocks = (int64_t)c.inherited_blocks;
        c.start_bytes = (int64_t)c.inherited_bytes;
        vbt_process_shares_add(m, row->node, part->process - 1, &c);
    }
}

char *vbt_decode_process_counters(struct vbt_payload *p) {
    uint64_t count;
    size_t part_count = 0;
    char *wrong = vbt_get_count(p, &count, 3, 0, UINT64_MAX);
    if (wrong != NULL)
        return wrong;
    struct share_row *rows = vbt_new(count, sizeof *rows);
    struct share_part *parts = NULL;
    wrong = get_rows(p, rows, count, &part_count);
    if (wrong == NULL) {
        parts = vbt_new(part_count, sizeof *parts);
        wrong = get_parts(p, rows, count, parts);
    }
    for (uint64_t i = 0; i < count && wrong == NULL; i++)
        add_parts(p->model, &rows[i], parts);
    free(rows);
    free(parts);
    return wrong;
}

void vbt_decode_processes_finish(struct vbt_model *m) {
    if (m->process_rows > 0)
        vbt_process_shares_order(m);
}
