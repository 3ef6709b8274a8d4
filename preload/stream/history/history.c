/* See history.h. */
#include "history.h"

#include "chunk_source.h"
#include "counter_rows.h"
#include "details.h"
#include "preload/base/memory.h"
#include "preload/base/sys.h"

#include <string.h>

/* How much history may take beyond one row of each node, bytes: of a run of an hour little, of a
 * longer one more. */
static uint64_t most_bytes(int64_t now) {
    enum { AT_LEAST = 6, AT_MOST = 32 };
    int64_t hours = now / (INT64_C(3600) * 1000 * 1000 * 1000), mib = AT_LEAST + hours;
    return (uint64_t)(mib < AT_MOST ? mib : AT_MOST) << 20;
}

/* States in a file. */
struct file_states {
    struct vbt_history_mark *marks; /* room for VBT_HISTORY_STATES */
    uint32_t count;
    bool is_whole; /* nothing is missing */
};

static VBT_CHANGED_BY_FORK struct {
    struct file_states file, next;
    bool rewrites;      /* what is written goes to `next` */
    uint64_t carried;   /* bytes, when the file was written the last time */
    int64_t resolution; /* of the plan; 0: not tried yet */
    struct vbt_chunk_source source;
    struct vbt_counter_batch *batch;
    uint32_t *newest; /* while states are merged: by node, the chunk with its newest row */
    uint32_t chunk;   /* number of the chunk that is read */
    struct vbt_details *details;
} history;

static void add(struct file_states *states, const struct vbt_history_mark *mark) {
    if (states->marks == NULL)
        states->marks = vbt_map_for_helper(VBT_HISTORY_STATES * sizeof *states->marks);
    if (states->count == 0)
        states->is_whole = true;
    if (states->marks == NULL || states->count == VBT_HISTORY_STATES)
        states->is_whole = false;
    else
        states->marks[states->count++] = *mark;
}

void vbt_history_add(const struct vbt_history_mark *mark) { add(history.rewrites ? &history.next : &history.file, mark); }

bool vbt_history_is_full(void) { return history.file.count == VBT_HISTORY_STATES; }

uint64_t vbt_history_file_limit(uint64_t size) {
    enum { AT_LEAST = 4 * 1024 * 1024, SHARE = 4 };
    uint64_t other = size > history.carried ? size - history.carried : 0, more = history.carried / SHARE;
    return size + other + (more > AT_LEAST ? more : AT_LEAST);
}

void vbt_history_begin(void) {
    history.rewrites = true;
    history.next.count = 0;
    history.next.is_whole = true;
}

void vbt_history_end(bool replaced) {
    history.rewrites = false;
    if (!replaced)
        return;
    struct file_states old = history.file;
    history.file = history.next;
    history.next = old;
}

/* Copies the chunks in a part of the file as they are. */
static bool copy_chunks(const struct vbt_history_order *order, uint64_t offset, uint64_t size) {
    struct vbt_chunk_header header;
    for (uint64_t end = offset + size; offset < end; offset += VBT_CHUNK_HEADER_SIZE + header.stored_size) {
        const uint8_t *stored = vbt_chunk_source_read(&history.source, offset, &header);
        if (stored == NULL)
            return false;
        vbt_chunk_copy(order->to, &header, stored);
    }
    return true;
}

static bool is_newest(uint32_t node) { return history.newest[node] == history.chunk; }

/* Reads the rows of a state: notes whose they are, or, with a time, collects those that no newer
 * one replaces. */
static bool read_rows(const struct vbt_history_order *order, const struct vbt_history_mark *mark,
                      const struct vbt_history_mark *as) {
    struct vbt_chunk_header header;
    uint64_t offset = mark->counters, end = mark->counters + mark->counters_size;
    for (; offset < end; offset += VBT_CHUNK_HEADER_SIZE + header.stored_size) {
        const uint8_t *stored = vbt_chunk_source_read(&history.source, offset, &header);
        const uint8_t *raw = stored != NULL ? vbt_chunk_source_unpack(&history.source, &header, stored) : NULL;
        struct vbt_counter_rows rows;
        if (raw == NULL || !vbt_counter_rows_begin(&rows, raw, header.raw_size))
            return false;
        history.chunk++;
        uint32_t node;
        while (as == NULL && (node = vbt_counter_rows_node(&rows)) != 0) {
            if (node > order->nodes)
                return false;
            history.newest[node] = history.chunk;
        }
        while (as != NULL && vbt_counter_rows_take(&rows, history.batch, as->peak_time, as->time, is_newest, order->to)) {
        }
    }
    return true;
}

/* Writes what changed before several states as one, that of the last. */
static bool merge(const struct vbt_history_order *order, const struct vbt_history_mark *marks, uint32_t count) {
    const struct vbt_history_mark *last = &marks[count - 1];
    uint32_t before = history.chunk;
    for (uint32_t i = 0; i < count; i++)
        if (!read_rows(order, &marks[i], NULL))
            return false;
    history.chunk = before;
    for (uint32_t i = 0; i < count; i++)
        if (!read_rows(order, &marks[i], last))
            return false;
    vbt_counter_batch_write(history.batch, last->time, order->to);
    return true;
}

/* What lies between the counters of a state and the state. */
static uint64_t details_at(const struct vbt_history_mark *mark) { return mark->counters + mark->counters_size; }

/* Writes what else changed before several states; the newest comes first. */
static bool carry_details(const struct vbt_history_order *order, const struct vbt_history_mark *marks, uint32_t count) {
    struct vbt_chunk_header header;
    vbt_details_begin(history.details);
    for (uint32_t i = count; i > 0; i--) {
        uint64_t offset = details_at(&marks[i - 1]);
        for (; offset < marks[i - 1].state; offset += VBT_CHUNK_HEADER_SIZE + header.stored_size) {
            const uint8_t *stored = vbt_chunk_source_read(&history.source, offset, &header), *raw;
            if (stored == NULL)
                return false;
            if (!vbt_is_detail(header.kind))
                continue;
            if (count == 1) {
                vbt_chunk_copy(order->to, &header, stored);
                continue;
            }
            raw = vbt_chunk_source_unpack(&history.source, &header, stored);
            if (raw == NULL || !vbt_details_take(history.details, header.kind, raw, header.raw_size, order->to))
                return false;
        }
    }
    return true;
}

/* Writes the changes before a state that is kept, and the state. */
static bool carry_state(const struct vbt_history_order *order, const struct vbt_history_mark *marks, uint32_t count) {
    struct vbt_history_mark mark = marks[count - 1];
    uint64_t rows = vbt_counter_batch_rows(history.batch), begin = order->to->file_size;
    bool done = count == 1 ? copy_chunks(order, mark.counters, mark.counters_size) : merge(order, marks, count);
    mark.rows = count == 1 ? mark.rows : (uint32_t)(vbt_counter_batch_rows(history.batch) - rows);
    uint64_t end = order->to->file_size;
    done = done && carry_details(order, marks, count);
    uint64_t state = order->to->file_size;
    done = done && copy_chunks(order, mark.state, mark.state_size) && order->to->error == 0;
    mark.counters = begin;
    mark.counters_size = (uint32_t)(end - begin);
    mark.state = state;
    if (done)
        add(&history.next, &mark);
    return done;
}

enum outcome { DONE, TOO_LARGE, FAILED };

/* What is written beyond a row for each node, bytes. */
static uint64_t excess(const struct vbt_history_order *order, uint64_t size, uint64_t rows) {
    return rows > order->counted ? (uint64_t)((double)size * (double)(rows - order->counted) / (double)rows) : 0;
}

/* Rows can take so little that there would be too many to read. */
enum { A_ROW = 3 };

static enum outcome carry_planned(const struct vbt_history_order *order, uint64_t most, uint64_t *more) {
    const struct vbt_history_mark *marks = history.file.marks;
    uint64_t begin = order->to->file_size, rows = 0, details = 0;
    *more = 0;
    for (uint32_t i = 0, first = 0; i < history.file.count; i++) {
        if (!marks[i].kept)
            continue;
        if (!carry_state(order, marks + first, i + 1 - first))
            return FAILED;
        first = i + 1;
        const struct vbt_history_mark *mark = &history.next.marks[history.next.count - 1];
        rows += mark->rows;
        details += mark->state - details_at(mark);
        *more = excess(order, order->to->file_size - begin - details, rows) + details;
        if (*more > most || (most != UINT64_MAX && rows > order->counted + most / A_ROW))
            return TOO_LARGE;
    }
    return DONE;
}

/* Reading and writing takes about so many ns a byte. A program that ends waits for it, and shall
 * not wait for long. */
static bool is_worth_while(const struct vbt_history_order *order) {
    enum { NS_A_BYTE = 25, SHARE = 200 };
    const struct vbt_history_mark *marks = history.file.marks;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < history.file.count; i++)
        bytes += marks[i].state + marks[i].state_size - marks[i].counters;
    return !order->at_end || (uint64_t)order->now / SHARE > bytes * NS_A_BYTE;
}

/* Tries ever coarser resolutions until what is kept is small enough. */
static enum outcome carry_thinned(const struct vbt_history_order *order) {
    uint64_t sequence = order->to->sequence, size = order->to->file_size, most = most_bytes(order->now), more;
    int64_t resolution = history.resolution != 0 ? history.resolution : VBT_HISTORY_FINEST;
    enum outcome outcome;
    for (;; resolution /= 2) {
        vbt_history_plan(history.file.marks, history.file.count, order->now, resolution);
        outcome = carry_planned(order, resolution > VBT_HISTORY_COARSEST ? most : UINT64_MAX, &more);
        if (outcome != TOO_LARGE)
            break;
        vbt_chunk_writer_rewind(order->to, size, sequence);
        history.next.count = 0;
    }
    bool finer = more < most / 4 && resolution < VBT_HISTORY_FINEST;
    history.resolution = finer ? 2 * resolution : resolution;
    return outcome;
}

bool vbt_history_carry(const struct vbt_history_order *order) {
    uint64_t sequence = order->to->sequence, size = order->to->file_size, more;
    struct file_states *file = &history.file;
    if (file->count == 0 || !vbt_chunk_source_init(&history.source, order->from->fd))
        return false;
    if (history.batch == NULL && (history.batch = vbt_counter_batch_new()) == NULL)
        return false;
    enum outcome outcome = DONE;
    history.details = vbt_details_new(order->sites);
    if (history.details == NULL) {
        outcome = FAILED;
    } else if (is_worth_while(order)) {
        size_t newest = (order->nodes + 1) * sizeof *history.newest;
        history.newest = vbt_map_for_helper(newest);
        history.chunk = 0;
        outcome = history.newest != NULL ? carry_thinned(order) : FAILED;
        if (history.newest != NULL)
            vbt_unmap(history.newest, newest);
        history.newest = NULL;
    } else {
        for (uint32_t i = 0; i < file->count; i++)
            file->marks[i].kept = true;
        outcome = carry_planned(order, UINT64_MAX, &more);
    }
    history.carried = order->to->file_size - size;
    vbt_details_free(history.details);
    history.details = NULL;
    vbt_chunk_source_done(&history.source);
    vbt_counter_batch_done(history.batch);
    if (outcome == DONE)
        return file->is_whole;
    vbt_chunk_writer_rewind(order->to, size, sequence);
    history.next.count = 0;
    history.carried = 0;
    return false;
}

void vbt_history_after_fork(void) {
    if (history.file.marks == NULL && history.next.marks == NULL)
        return; /* a page less to copy from the parent */
    memset(&history, 0, sizeof history);
}
