/* See counter_rows.h. */
#include "counter_rows.h"

#include "format/format.h"
#include "preload/base/memory.h"

enum { MOST_ROWS = 2048, MOST_ENTRIES = 8192 };

struct counter_row {
    uint64_t numbers[VBT_COUNTER_COLUMNS];
    uint32_t first; /* into entries */
};

struct vbt_counter_batch {
    uint32_t count, entry_count;
    uint64_t written;
    struct counter_row rows[MOST_ROWS];
    uint16_t order[2][MOST_ROWS]; /* of the rows by node */
    struct {
        uint64_t bucket, allocs;
    } entries[MOST_ENTRIES + VBT_SIZE_BUCKETS];
};

bool vbt_counter_rows_begin(struct vbt_counter_rows *rows, const uint8_t *payload, size_t size) {
    struct vbt_reader r = {.at = payload, .end = payload + size, .bad = false};
    *rows = (struct vbt_counter_rows){.time = (int64_t)vbt_get_varint(&r)};
    rows->left = vbt_get_varint(&r);
    for (int column = 0; column < VBT_COUNTER_COLUMNS; column++) {
        rows->columns[column] = r;
        for (uint64_t i = 0; i < rows->left && !r.bad; i++)
            vbt_get_varint(&r);
    }
    rows->histograms = r;
    return !r.bad;
}

uint32_t vbt_counter_rows_node(struct vbt_counter_rows *rows) {
    if (rows->left == 0)
        return 0;
    rows->left--;
    rows->node += vbt_get_varint(&rows->columns[VBT_COUNTER_NODE]);
    return (uint32_t)rows->node;
}

bool vbt_counter_rows_take(struct vbt_counter_rows *rows, struct vbt_counter_batch *batch, int64_t peak_time, int64_t time,
                           bool (*wanted)(uint32_t node), struct vbt_chunk_writer *writer) {
    if (rows->left == 0)
        return false;
    if (batch->count == MOST_ROWS || batch->entry_count > MOST_ENTRIES)
        vbt_counter_batch_write(batch, time, writer);
    struct counter_row *row = &batch->rows[batch->count];
    for (int column = 0; column < VBT_COUNTER_COLUMNS; column++)
        row->numbers[column] = vbt_get_varint(&rows->columns[column]);
    row->numbers[VBT_COUNTER_NODE] = rows->node += row->numbers[VBT_COUNTER_NODE];
    if (rows->time < peak_time)
        row->numbers[VBT_COUNTER_AT_PEAK] = 0; /* what was live then is what is live */
    rows->left--;
    bool keep = wanted((uint32_t)rows->node) && row->numbers[VBT_COUNTER_ENTRIES] <= VBT_SIZE_BUCKETS;
    row->first = batch->entry_count;
    for (uint64_t i = 0; i < row->numbers[VBT_COUNTER_ENTRIES]; i++) {
        uint64_t bucket = vbt_get_varint(&rows->histograms), allocs = vbt_get_varint(&rows->histograms);
        if (!keep)
            continue;
        batch->entries[batch->entry_count].bucket = bucket;
        batch->entries[batch->entry_count++].allocs = allocs;
    }
    batch->count += keep;
    return true;
}

/* Merges neighbouring runs of `width` rows from one order into the other. */
static void merge_runs(struct vbt_counter_batch *batch, uint32_t width, const uint16_t *from, uint16_t *to) {
    for (uint32_t begin = 0; begin < batch->count; begin += 2 * width) {
        uint32_t middle = begin + width < batch->count ? begin + width : batch->count;
        uint32_t end = middle + width < batch->count ? middle + width : batch->count;
        for (uint32_t left = begin, right = middle, i = begin; i < end; i++) {
            bool take_left = right == end || (left < middle && batch->rows[from[left]].numbers[VBT_COUNTER_NODE] <=
                                                                   batch->rows[from[right]].numbers[VBT_COUNTER_NODE]);
            to[i] = take_left ? from[left++] : from[right++];
        }
    }
}

static const uint16_t *sort(struct vbt_counter_batch *batch) {
    int current = 0;
    for (uint32_t i = 0; i < batch->count; i++)
        batch->order[0][i] = (uint16_t)i;
    for (uint32_t width = 1; width < batch->count; width *= 2, current = 1 - current)
        merge_runs(batch, width, batch->order[current], batch->order[1 - current]);
    return batch->order[current];
}

void vbt_counter_batch_write(struct vbt_counter_batch *batch, int64_t time, struct vbt_chunk_writer *writer) {
    if (batch->count == 0)
        return;
    const uint16_t *order = sort(batch);
    struct vbt_writer *w = vbt_chunk_begin(writer);
    vbt_put_varint(w, (uint64_t)time);
    vbt_put_varint(w, batch->count);
    uint64_t node = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        vbt_put_varint(w, batch->rows[order[i]].numbers[VBT_COUNTER_NODE] - node);
        node = batch->rows[order[i]].numbers[VBT_COUNTER_NODE];
    }
    for (int column = VBT_COUNTER_NODE + 1; column < VBT_COUNTER_COLUMNS; column++)
        for (uint32_t i = 0; i < batch->count; i++)
            vbt_put_varint(w, batch->rows[order[i]].numbers[column]);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct counter_row *row = &batch->rows[order[i]];
        for (uint64_t k = 0; k < row->numbers[VBT_COUNTER_ENTRIES]; k++) {
            vbt_put_varint(w, batch->entries[row->first + k].bucket);
            vbt_put_varint(w, batch->entries[row->first + k].allocs);
        }
    }
    vbt_chunk_end(writer, VBT_CHUNK_COUNTERS);
    batch->written += batch->count;
    batch->count = batch->entry_count = 0;
}

struct vbt_counter_batch *vbt_counter_batch_new(void) {
    return vbt_map_for_helper(sizeof(struct vbt_counter_batch));
}

uint64_t vbt_counter_batch_rows(const struct vbt_counter_batch *batch) { return batch->written; }

void vbt_counter_batch_done(struct vbt_counter_batch *batch) { vbt_drop(batch, sizeof *batch); }
