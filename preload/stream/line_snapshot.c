/* See line_snapshot.h. */
#include "line_snapshot.h"

#include "preload/lines/books/line_books.h"
#include "preload/thread/thread.h"
#include "preload/tree/tree.h"

/* Rows are collected before they are written column by column. A row takes at most 26 varints. */
enum { MAX_ROWS = 2048 };

static VBT_CHANGED_BY_FORK struct {
    uint32_t count;
    struct line_row {
        struct vbt_line sum; /* of all threads */
        bool decorated;
    } * rows; /* mapped when first needed */
} batch;

/* One line of one piece of code, over all threads. */
static struct vbt_line sum_of(uint32_t index, uint32_t offset) {
    struct vbt_line sum = {.least = INT64_MAX, .most = INT64_MIN};
    for (struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next) {
        const struct vbt_line_block *block = thread->lines != NULL ? thread->lines->blocks[index] : NULL;
        const struct vbt_line *line = block != NULL ? &block->lines[offset] : NULL;
        if (line == NULL || line->site == 0)
            continue;
        sum.site = line->site;
        sum.hits += line->hits;
        sum.entries += line->entries;
        sum.quiet |= line->quiet;
        vbt_line_sums_add(&sum.own, &line->own);
        vbt_line_sums_add(&sum.called, &line->called);
        if (line->high > sum.high)
            sum.high = line->high;
        if (line->rss > sum.rss)
            sum.rss = line->rss;
        if (line->least < sum.least)
            sum.least = line->least;
        if (line->most > sum.most)
            sum.most = line->most;
    }
    if (sum.least > 0 && (sum.quiet || sum.least == INT64_MAX))
        sum.least = 0;
    if (sum.most < 0 && (sum.quiet || sum.most == INT64_MIN))
        sum.most = 0;
    return sum;
}

/* One column: what `value` says of each row. */
#define PUT_COLUMN(put, value)                                                                                                     \
    for (uint32_t i = 0; i < batch.count; i++) {                                                                                   \
        const struct line_row *row = &batch.rows[i];                                                                               \
        const struct vbt_line *line = &row->sum;                                                                                   \
        (void)line;                                                                                                                \
        put(w, value);                                                                                                             \
    }

#define PUT_SUMS(part)                                                                                                             \
    PUT_COLUMN(vbt_put_zigzag, vbt_line_nanoseconds(line->part.time))                                                              \
    PUT_COLUMN(vbt_put_zigzag, line->part.events)                                                                                  \
    PUT_COLUMN(vbt_put_zigzag, line->part.allocs)                                                                                  \
    PUT_COLUMN(vbt_put_zigzag, line->part.frees)                                                                                   \
    PUT_COLUMN(vbt_put_zigzag, line->part.allocated)                                                                               \
    PUT_COLUMN(vbt_put_zigzag, line->part.freed)                                                                                   \
    PUT_COLUMN(vbt_put_zigzag, line->part.temporary)

static void write_batch(struct vbt_chunk_writer *writer) {
    if (batch.count == 0)
        return;
    struct vbt_writer *w = vbt_chunk_begin(writer);
    vbt_put_varint(w, batch.count);
    PUT_COLUMN(vbt_put_zigzag, (int64_t)line->site - (i == 0 ? 0 : row[-1].sum.site))
    PUT_COLUMN(vbt_put_varint, row->decorated)
    PUT_COLUMN(vbt_put_varint, line->hits)
    PUT_SUMS(own)
    PUT_SUMS(called)
    PUT_COLUMN(vbt_put_zigzag, line->least)
    PUT_COLUMN(vbt_put_zigzag, line->most)
    PUT_COLUMN(vbt_put_zigzag, line->high)
    PUT_COLUMN(vbt_put_varint, (uint64_t)line->rss)
    PUT_COLUMN(vbt_put_zigzag, line->own.objects)
    PUT_COLUMN(vbt_put_zigzag, line->called.objects)
    PUT_COLUMN(vbt_put_varint, line->entries)
    vbt_chunk_end(writer, VBT_CHUNK_LINES);
    batch.count = 0;
}

static void add_code(struct vbt_chunk_writer *writer, uint32_t index, uint32_t sites, bool everything) {
    struct vbt_line_code *code = vbt_line_code_at(index);
    for (uint32_t offset = 0; offset < code->count; offset++) {
        struct vbt_line sum = sum_of(index, offset);
        uint64_t known = sum.hits + sum.entries + (uint64_t)sum.own.events;
        if (sum.site == 0 || sum.site > sites || (!everything && known == code->known[offset]))
            continue;
        code->known[offset] = known;
        batch.rows[batch.count++] = (struct line_row){sum, code->decorated};
        if (batch.count == MAX_ROWS)
            write_batch(writer);
    }
}

void vbt_snapshot_lines(struct vbt_chunk_writer *writer, const struct vbt_dictionary *defined, bool everything) {
    if (vbt_line_codes.count < 2 ||
        (batch.rows == NULL && (batch.rows = vbt_map_for_helper(MAX_ROWS * sizeof *batch.rows)) == NULL))
        return;
    batch.count = 0;
    for (uint32_t index = 1; index < vbt_line_codes.count; index++)
        if (!vbt_line_code_at(index)->hidden)
            add_code(writer, index, defined->sites, everything);
    write_batch(writer);
}

void vbt_snapshot_lines_after_fork(void) {
    if (batch.rows != NULL)
        batch.rows = NULL;
}
