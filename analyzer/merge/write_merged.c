/* See write_merged.h. The processes come first: a file that is cut off still says who they are. */
#include "write_merged.h"

#include "timelines.h"
#include "write_counts.h"
#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Bytes of pairs that a row of PROCESSES may have, of all its rows, and of a tick. */
enum { PAIRS_ROOM = VBT_CHUNK_RAW_MAX / 2, PROCESSES_ROOM = VBT_CHUNK_RAW_MAX / 4, TICK_ROW = 4 * 10, OLD_TICKS = 8192 };

static void put_text(struct vbt_writer *w, const char *text) { vbt_put_string(w, text, strlen(text)); }

static void put_pair(struct vbt_writer *w, const struct vbt_model_pair *pair) {
    put_text(w, pair->key);
    put_text(w, pair->value);
}

static size_t pair_size(const struct vbt_model_pair *pair) { return strlen(pair->key) + strlen(pair->value) + 10; }

/* Of a command line that is too long, and of texts of code, the last are left out. */
static void put_pairs(struct vbt_writer *w, const struct vbt_model *m) {
    static const struct vbt_model_pair cut = {"note", "What the trace said of a process was too long: the last of it is left out."};
    size_t size = 0, count = 0;
    while (count < m->process_count && size + pair_size(&m->process[count]) < PAIRS_ROOM)
        size += pair_size(&m->process[count++]);
    bool is_cut = count < m->process_count;
    vbt_put_varint(w, count + is_cut);
    for (size_t i = 0; i < count; i++)
        put_pair(w, &m->process[i]);
    if (is_cut)
        put_pair(w, &cut);
}

static void put_state(struct vbt_writer *w, const struct vbt_model *row) {
    size_t entries = 0;
    for (int key = 0; key < VBT_STATE_KEYS; key++)
        entries += row->state[key] != 0;
    vbt_put_varint(w, entries);
    for (int key = 0; key < VBT_STATE_KEYS; key++)
        if (row->state[key] != 0) {
            vbt_put_varint(w, (uint64_t)key);
            vbt_put_zigzag(w, row->state[key]);
        }
}

static void put_process(struct vbt_writer *w, const struct vbt_model *row) {
    put_pairs(w, row);
    vbt_put_varint(w, (uint64_t)row->has_state << VBT_PROCESS_STATE | (uint64_t)row->has_maps << VBT_PROCESS_MAPS |
                          (uint64_t)row->ended << VBT_PROCESS_ENDED | (uint64_t)(row->damage != NULL) << VBT_PROCESS_DAMAGED);
    if (row->ended) {
        vbt_put_varint(w, row->end_time);
        put_text(w, row->end_reason);
    }
    if (row->damage != NULL) {
        vbt_put_varint(w, row->damage_offset);
        put_text(w, row->damage);
    }
    put_state(w, row);
    for (int domain = 0; domain < VBT_DOMAINS; domain++) {
        vbt_put_varint(w, row->taken.blocks[domain]);
        vbt_put_varint(w, row->taken.bytes[domain]);
    }
    vbt_put_varint(w, row->taken.peak);
    for (int kind = 0; kind < VBT_MAP_KINDS && row->has_maps; kind++)
        for (int field = 0; field < VBT_FIELDS; field++)
            vbt_put_varint(w, row->maps[kind][field]);
}

static size_t row_size(const struct vbt_model *row) {
    enum { NUMBERS = 4096 };
    size_t size = NUMBERS;
    for (size_t i = 0; i < row->process_count; i++)
        size += pair_size(&row->process[i]);
    return size;
}

static void write_processes(struct vbt_trace_writer *out, const struct vbt_model *m) {
    for (size_t at = 0; at < m->process_rows;) {
        size_t end = at + 1, size = row_size(&m->processes[at]);
        for (; end < m->process_rows && size + row_size(&m->processes[end]) < PROCESSES_ROOM; end++)
            size += row_size(&m->processes[end]);
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        vbt_put_varint(w, at + 1);
        vbt_put_varint(w, end - at);
        for (size_t i = at; i < end; i++)
            put_process(w, &m->processes[i]);
        for (size_t i = at; i < end; i++)
            vbt_put_varint(w, m->processes[i].taken.undecided_blocks);
        for (size_t i = at; i < end; i++)
            vbt_put_varint(w, m->processes[i].taken.undecided_bytes);
        vbt_trace_writer_end(out, VBT_CHUNK_PROCESSES);
        at = end;
    }
}

static void put_ticks(struct vbt_writer *w, const struct vbt_model_tick *rows, size_t count) {
    struct vbt_model_tick last = {0};
    vbt_put_varint(w, count);
    for (size_t i = 0; i < count; last.time = rows[i++].time)
        vbt_put_varint(w, rows[i].time - last.time);
    for (size_t i = 0; i < count; last.rss = rows[i++].rss)
        vbt_put_zigzag(w, (int64_t)((uint64_t)rows[i].rss - (uint64_t)last.rss));
    for (size_t i = 0; i < count; last.heap = rows[i++].heap)
        vbt_put_zigzag(w, (int64_t)((uint64_t)rows[i].heap - (uint64_t)last.heap));
    for (size_t i = 0; i < count; last.python = rows[i++].python)
        vbt_put_zigzag(w, (int64_t)((uint64_t)rows[i].python - (uint64_t)last.python));
}

static void write_process_ticks(struct vbt_trace_writer *out, const struct vbt_model *m) {
    for (size_t process = 0; process < m->process_rows; process++) {
        const struct vbt_model_ticks *ticks = &m->processes[process].ticks;
        for (size_t at = ticks->first, count; at < ticks->count; at += count) {
            count = vbt_merged_rows(at, ticks->count, TICK_ROW);
            struct vbt_writer *w = vbt_trace_writer_begin(out);
            vbt_put_varint(w, process + 1);
            put_ticks(w, ticks->rows + at, count);
            vbt_trace_writer_end(out, VBT_CHUNK_PROCESS_TICKS);
        }
    }
}

/* For readers that do not know the processes' own courses of memory. */
static void write_timeline(struct vbt_trace_writer *out, const struct vbt_model *m) {
    struct vbt_model_ticks sum = {.count = m->ticks.count};
    sum.rows = vbt_new(sum.count, sizeof *sum.rows);
    if (sum.count > 0)
        memcpy(sum.rows, m->ticks.rows, sum.count * sizeof *sum.rows);
    vbt_timeline_thin(&sum, OLD_TICKS);
    put_ticks(vbt_trace_writer_begin(out), sum.rows, sum.count);
    vbt_trace_writer_end(out, VBT_CHUNK_TIMELINE);
    free(sum.rows);
}

static void write_state(struct vbt_trace_writer *out, const struct vbt_model *m) {
    struct vbt_writer *w = vbt_trace_writer_begin(out);
    for (int key = 0; key < VBT_STATE_KEYS; key++)
        if (m->state[key] != 0) {
            vbt_put_varint(w, (uint64_t)key);
            vbt_put_zigzag(w, m->state[key]);
        }
    vbt_trace_writer_end(out, VBT_CHUNK_STATE);
}

static void write_maps(struct vbt_trace_writer *out, const struct vbt_model *m) {
    struct vbt_writer *w = vbt_trace_writer_begin(out);
    vbt_put_varint(w, (uint64_t)m->state[VBT_STATE_TIME]);
    vbt_put_varint(w, VBT_MAP_KINDS);
    for (int kind = 0; kind < VBT_MAP_KINDS; kind++)
        for (int field = 0; field < VBT_FIELDS; field++)
            vbt_put_varint(w, m->maps[kind][field]);
    vbt_put_varint(w, 0);
    vbt_trace_writer_end(out, VBT_CHUNK_MAPS);
}

static void write_all(struct vbt_trace_writer *out, const struct vbt_model *m) {
    put_pairs(vbt_trace_writer_begin(out), m);
    vbt_trace_writer_end(out, VBT_CHUNK_PROCESS);
    write_processes(out, m);
    write_process_ticks(out, m);
    vbt_merged_write_definitions(out, m);
    vbt_merged_write_counts(out, m);
    if (m->has_maps)
        write_maps(out, m);
    write_timeline(out, m);
    if (m->has_state)
        write_state(out, m);
    if (m->symbolized || m->named_frame_count > 0)
        vbt_merged_write_names(out, m);
    if (m->ended) {
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        vbt_put_varint(w, m->end_time);
        put_text(w, m->end_reason);
        vbt_trace_writer_end(out, VBT_CHUNK_END);
    }
}

int vbt_merged_write(const struct vbt_model *m, const char *path) {
    static const uint8_t header[VBT_FILE_HEADER_SIZE] = VBT_FILE_MAGIC "\x01\x01\x08";
    struct vbt_trace_writer out;
    mode_t mask = umask(0);
    umask(mask);
    vbt_trace_writer_open(&out, path, 0600 & ~mask, header);
    if (out.error == 0)
        write_all(&out, m);
    return vbt_trace_writer_finish(&out);
}
