/* Rows of COUNTERS chunks that were written before: read, and written anew as rows of a later
 * time. */
#ifndef VBT_COUNTER_ROWS_H
#define VBT_COUNTER_ROWS_H

#include "preload/stream/writer.h"

/* The columns with one number a row, as FORMAT.md has them. */
enum vbt_counter_column {
    VBT_COUNTER_NODE,
    VBT_COUNTER_AT_PEAK = 5,
    VBT_COUNTER_ENTRIES = 12,
    VBT_COUNTER_COLUMNS,
};

/* The next row of a chunk. Numbers are as they are stored: signed ones are zigzag. */
struct vbt_counter_rows {
    uint64_t left; /* rows */
    int64_t time;
    uint64_t node; /* of the row before */
    struct vbt_reader columns[VBT_COUNTER_COLUMNS];
    struct vbt_reader histograms;
};

/* False if the payload is none of COUNTERS. */
bool vbt_counter_rows_begin(struct vbt_counter_rows *rows, const uint8_t *payload, size_t size);

/* Only the node of the next row, 0 after the last. The other columns stay behind: a reader does
 * either this or vbt_counter_rows_take. */
uint32_t vbt_counter_rows_node(struct vbt_counter_rows *rows);

/* Rows that are collected until they are written as chunks, in order of node. Each node is added at
 * most once before they are. */
struct vbt_counter_batch;

/* Adds the next row of a chunk, if it is wanted, and passes over it. peak_time: the row's peak
 * counts only if it is not older. Writes the batch first if it is full. time: of what is written.
 * False: there is no further row. */
bool vbt_counter_rows_take(struct vbt_counter_rows *rows, struct vbt_counter_batch *batch, int64_t peak_time, int64_t time,
                           bool (*wanted)(uint32_t node), struct vbt_chunk_writer *writer);

void vbt_counter_batch_write(struct vbt_counter_batch *batch, int64_t time, struct vbt_chunk_writer *writer);

/* Maps one; NULL when there is no memory. */
struct vbt_counter_batch *vbt_counter_batch_new(void);

/* Nothing is collected any more: returns the memory. */
void vbt_counter_batch_done(struct vbt_counter_batch *batch);

/* Rows that were written since the batch was made, or was done. */
uint64_t vbt_counter_batch_rows(const struct vbt_counter_batch *batch);

#endif
