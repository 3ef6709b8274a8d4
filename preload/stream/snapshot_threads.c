/* Which thread did what: see vbt_snapshot_threads in snapshot.h. */
#include "snapshot.h"
#include "preload/thread/thread_rows.h"

#include <errno.h>
#include <string.h>

/* Rows of one THREAD_COUNTERS chunk are collected before they are written column by column. */
enum { MAX_NODES = 4096, MAX_PARTS = 8192 };

static VBT_CHANGED_BY_FORK struct {
    uint32_t nodes, parts;
    struct {
        uint32_t changed[MAX_NODES]; /* whose rows are being collected */
        struct {
            uint32_t node, parts;
        } nodes[MAX_NODES];
        struct vbt_node_part parts[MAX_PARTS + VBT_THREAD_LATER]; /* of all nodes */
        struct vbt_totals totals[1 + VBT_THREAD_LATER][VBT_DOMAINS];
    } * room; /* mapped when first needed */
} batch;

bool vbt_snapshot_threads_reserve(void) {
    if (batch.room == NULL)
        batch.room = vbt_map_for_helper(sizeof *batch.room);
    return batch.room != NULL;
}

static uint32_t rows_in_use(const struct vbt_books *books) {
    return books->threads < VBT_THREAD_LATER ? books->threads : VBT_THREAD_LATER;
}

void vbt_snapshot_thread_rows(struct vbt_chunk_writer *writer, const struct vbt_books *books) {
    uint32_t count = rows_in_use(books);
    if (!vbt_snapshot_threads_reserve()) {
        writer->error = ENOMEM;
        return;
    }
    vbt_books_rows(count, batch.room->totals);
    struct vbt_writer *w = vbt_chunk_begin(writer);
    vbt_put_varint(w, count);
    for (uint32_t number = 1; number <= count; number++) {
        const struct vbt_thread_row *row = vbt_thread_row_at(number);
        const struct vbt_totals *totals = batch.room->totals[number];
        vbt_put_varint(w, atomic_load(&row->tid));
        const char *name = vbt_thread_row_name(row);
        vbt_put_string(w, name, strnlen(name, name == row->name ? sizeof row->name : sizeof row->long_name));
        vbt_put_varint(w, (uint64_t)row->begun);
        vbt_put_varint(w, (uint64_t)row->ended);
        vbt_put_varint(w, number < VBT_THREAD_LATER ? 1 : books->threads - VBT_THREAD_ROWS);
        for (int domain = 0; domain < VBT_DOMAINS; domain++) {
            vbt_put_varint(w, totals[domain].allocs);
            vbt_put_varint(w, totals[domain].frees);
            vbt_put_varint(w, totals[domain].allocated);
            vbt_put_varint(w, totals[domain].freed);
            vbt_put_varint(w, totals[domain].temporary);
        }
    }
    vbt_chunk_end(writer, VBT_CHUNK_THREADS);
}

/* One column over all parts but the first of each node, which has what the others leave. */
#define PUT_PARTS(put, value)                                                                                                      \
    for (uint32_t i = 0, at = 0; i < batch.nodes; at += batch.room->nodes[i++].parts)                                              \
        for (const struct vbt_node_part *part = &batch.room->parts[at + 1],                                                        \
                                        *end = &batch.room->parts[at + batch.room->nodes[i].parts];                                \
             part < end; part++)                                                                                                   \
            put(w, value);

static void write_batch(struct vbt_chunk_writer *writer, const struct vbt_tick *tick) {
    if (batch.nodes == 0)
        return;
    struct vbt_writer *w = vbt_chunk_begin(writer);
    vbt_put_varint(w, (uint64_t)tick->time);
    vbt_put_varint(w, batch.nodes);
    for (uint32_t i = 0; i < batch.nodes; i++)
        vbt_put_varint(w, batch.room->nodes[i].node - (i == 0 ? 0 : batch.room->nodes[i - 1].node));
    for (uint32_t i = 0; i < batch.nodes; i++)
        vbt_put_varint(w, batch.room->nodes[i].parts);
    for (uint32_t i = 0; i < batch.parts; i++)
        vbt_put_varint(w, batch.room->parts[i].row);
    PUT_PARTS(vbt_put_varint, part->allocs)
    PUT_PARTS(vbt_put_zigzag, (int64_t)(part->frees - part->allocs))
    PUT_PARTS(vbt_put_varint, part->allocated)
    PUT_PARTS(vbt_put_zigzag, (int64_t)(part->freed - part->allocated))
    PUT_PARTS(vbt_put_zigzag, part->at_peak - (int64_t)(part->allocated - part->freed))
    PUT_PARTS(vbt_put_varint, part->temporary)
    vbt_chunk_end(writer, VBT_CHUNK_THREAD_COUNTERS);
    batch.nodes = 0;
    batch.parts = 0;
}

static void add_node(struct vbt_chunk_writer *writer, const struct vbt_books *books, const struct vbt_tick *tick, uint32_t node) {
    uint32_t parts = vbt_books_parts(books, node, &batch.room->parts[batch.parts]);
    if (parts == 0)
        return;
    batch.room->nodes[batch.nodes].node = node;
    batch.room->nodes[batch.nodes++].parts = parts;
    batch.parts += parts;
    if (batch.parts >= MAX_PARTS)
        write_batch(writer, tick);
}

void vbt_snapshot_threads(struct vbt_chunk_writer *writer, const struct vbt_books *books, const struct vbt_tick *tick,
                          const struct vbt_dictionary *defined, uint64_t since) {
    if (!vbt_snapshot_threads_reserve()) {
        writer->error = ENOMEM;
        return;
    }
    for (uint32_t position = 0; position != VBT_BOOKS_END;) {
        uint32_t count = vbt_books_changed(since, defined->nodes, &position, batch.room->changed, MAX_NODES);
        for (uint32_t i = 0; i < count; i++)
            add_node(writer, books, tick, batch.room->changed[i]);
        write_batch(writer, tick);
    }
}

void vbt_snapshot_threads_after_fork(void) {
    if (batch.room != NULL)
        batch.room = NULL;
}
