/* See details.h. */
#include "details.h"

#include "preload/base/memory.h"

#include <string.h>

/* Rows of a chunk that the library writes; ids of intervals that it gives. */
enum { MOST_ROWS = 2048, MOST_IDS = 1 << 16 };

/* The columns of LINES, the first of which is the site, and the numbers of an INTERVALS row before
 * and after one of eight bytes. */
enum { LINE_COLUMNS = 24, NUMBERS_BEFORE = 7, NUMBERS_AFTER = 3 * VBT_QUANTITIES };

struct vbt_details {
    size_t size;
    uint32_t sites;
    bool threads, maps; /* seen */
    uint64_t intervals[MOST_IDS / 64];
    uint64_t rows[LINE_COLUMNS][MOST_ROWS]; /* of the chunk that is read */
    bool wanted[MOST_ROWS];
    uint64_t lines[]; /* seen, by site */
};

bool vbt_is_detail(int kind) {
    return kind == VBT_CHUNK_THREADS || kind == VBT_CHUNK_INTERVALS || kind == VBT_CHUNK_LINES || kind == VBT_CHUNK_MAPS;
}

static size_t line_words(uint32_t sites) { return sites / 64 + 1; }

struct vbt_details *vbt_details_new(uint32_t sites) {
    size_t size = sizeof(struct vbt_details) + line_words(sites) * sizeof(uint64_t);
    struct vbt_details *details = vbt_map_for_helper(size);
    if (details != NULL) {
        details->size = size;
        details->sites = sites;
    }
    return details;
}

void vbt_details_free(struct vbt_details *details) {
    if (details != NULL)
        vbt_unmap(details, details->size);
}

void vbt_details_begin(struct vbt_details *details) {
    details->threads = details->maps = false;
    memset(details->intervals, 0, sizeof details->intervals);
    memset(details->lines, 0, line_words(details->sites) * sizeof *details->lines);
}

/* Was it seen for the first time? */
static bool see(uint64_t *seen, uint64_t id) {
    uint64_t bit = UINT64_C(1) << id % 64, before = seen[id / 64];
    seen[id / 64] |= bit;
    return (before & bit) == 0;
}

static void write_whole(struct vbt_chunk_writer *writer, enum vbt_chunk_kind kind, const uint8_t *payload, size_t size) {
    struct vbt_writer *w = vbt_chunk_begin(writer);
    vbt_put_bytes(w, payload, size);
    vbt_chunk_end(writer, kind);
}

/* Passes over a row of INTERVALS and returns its id. */
static uint64_t pass_interval(struct vbt_reader *r) {
    uint64_t id = vbt_get_varint(r);
    for (int i = 1; i < NUMBERS_BEFORE; i++)
        vbt_get_varint(r);
    vbt_get_u64(r);
    for (int i = 0; i < NUMBERS_AFTER; i++)
        vbt_get_varint(r);
    return id;
}

static bool take_intervals(struct vbt_details *details, struct vbt_reader *r, struct vbt_chunk_writer *writer) {
    uint64_t count = vbt_get_varint(r), kept = 0;
    struct vbt_reader rows = *r;
    if (count > MOST_ROWS)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = pass_interval(r);
        if (r->bad || id >= MOST_IDS)
            return false;
        kept += details->wanted[i] = see(details->intervals, id);
    }
    if (kept == 0)
        return true;
    struct vbt_writer *w = vbt_chunk_begin(writer);
    vbt_put_varint(w, kept);
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *begin = rows.at;
        pass_interval(&rows);
        if (details->wanted[i])
            vbt_put_bytes(w, begin, (size_t)(rows.at - begin));
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t unended = vbt_get_varint(r);
        if (details->wanted[i])
            vbt_put_varint(w, unended);
    }
    vbt_chunk_end(writer, VBT_CHUNK_INTERVALS);
    return !r->bad;
}

static bool take_lines(struct vbt_details *details, struct vbt_reader *r, struct vbt_chunk_writer *writer) {
    uint64_t count = vbt_get_varint(r), kept = 0;
    if (count > MOST_ROWS)
        return false;
    for (int column = 0; column < LINE_COLUMNS; column++)
        for (uint64_t i = 0; i < count; i++)
            details->rows[column][i] = vbt_get_varint(r);
    int64_t site = 0;
    for (uint64_t i = 0; i < count; i++) {
        site += vbt_unzigzag(details->rows[0][i]);
        if (r->bad || site < 0 || site > (int64_t)details->sites)
            return false;
        details->rows[0][i] = (uint64_t)site;
        kept += details->wanted[i] = see(details->lines, (uint64_t)site);
    }
    if (kept == 0)
        return true;
    struct vbt_writer *w = vbt_chunk_begin(writer);
    vbt_put_varint(w, kept);
    for (int column = 0; column < LINE_COLUMNS; column++) {
        int64_t before = 0;
        for (uint64_t i = 0; i < count; i++) {
            if (!details->wanted[i])
                continue;
            if (column == 0)
                vbt_put_zigzag(w, (int64_t)details->rows[0][i] - before);
            else
                vbt_put_varint(w, details->rows[column][i]);
            before = (int64_t)details->rows[0][i];
        }
    }
    vbt_chunk_end(writer, VBT_CHUNK_LINES);
    return true;
}

bool vbt_details_take(struct vbt_details *details, enum vbt_chunk_kind kind, const uint8_t *payload, size_t size,
                      struct vbt_chunk_writer *writer) {
    struct vbt_reader r = {.at = payload, .end = payload + size};
    if (kind == VBT_CHUNK_INTERVALS)
        return take_intervals(details, &r, writer);
    if (kind == VBT_CHUNK_LINES)
        return take_lines(details, &r, writer);
    bool *seen = kind == VBT_CHUNK_THREADS ? &details->threads : &details->maps;
    if (!*seen)
        write_whole(writer, kind, payload, size);
    *seen = true;
    return true;
}
