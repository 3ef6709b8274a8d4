/* See recipe.h. */
#include "recipe.h"

#include "format/chunk.h"

#include <stdlib.h>
#include <string.h>

enum { FRAME_HEAD = 9, BLOCK_HEAD = 3 };

void recipe_read(struct recipe *recipe, const uint8_t *bytes, size_t size) {
    memset(recipe, 0, sizeof *recipe);
    recipe->command = size > 0 ? bytes[0] : 0;
    recipe->columns = size > 1 ? bytes[1] : 0;
    for (size_t at = RECIPE_HEAD; at + RECIPE_PIECE_HEAD <= size && recipe->count < RECIPE_PIECES;) {
        size_t payload = (size_t)bytes[at + 2] | (size_t)bytes[at + 3] << 8, left = size - at - RECIPE_PIECE_HEAD;
        recipe->pieces[recipe->count++] = (struct recipe_piece){.kind = bytes[at],
                                                                .flags = bytes[at + 1],
                                                                .payload = bytes + at + RECIPE_PIECE_HEAD,
                                                                .size = payload < left ? payload : left};
        at += RECIPE_PIECE_HEAD + payload;
    }
}

size_t recipe_write(const struct recipe *recipe, uint8_t *bytes, size_t capacity) {
    if (capacity < RECIPE_HEAD)
        return 0;
    size_t at = RECIPE_HEAD;
    bytes[0] = recipe->command;
    bytes[1] = recipe->columns;
    for (size_t i = 0; i < recipe->count; i++) {
        const struct recipe_piece *piece = &recipe->pieces[i];
        if (capacity - at < RECIPE_PIECE_HEAD + piece->size)
            break;
        bytes[at++] = piece->kind;
        bytes[at++] = piece->flags;
        bytes[at++] = (uint8_t)piece->size;
        bytes[at++] = (uint8_t)(piece->size >> 8);
        memcpy(bytes + at, piece->payload, piece->size);
        at += piece->size;
    }
    return at;
}

/* The file being assembled. */
static uint8_t *trace;
static size_t trace_size, trace_capacity;

static uint8_t *append(size_t size) {
    if (trace_capacity - trace_size < size) {
        trace_capacity = 2 * (trace_size + size);
        trace = realloc(trace, trace_capacity);
        if (trace == NULL)
            abort();
    }
    trace_size += size;
    return trace + trace_size - size;
}

static void put_le(uint8_t *out, uint32_t n, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(n >> (8 * i));
}

/* Bytes as a zstd frame of one uncompressed block: valid, and fast to make. */
static size_t pack_frame(const uint8_t *raw, size_t size, uint8_t *frame) {
    uint8_t *at = frame;
    put_le(at, 0xfd2fb528, 4);
    at[4] = 0xa0; /* one segment, a content size of four bytes */
    put_le(at + 5, (uint32_t)size, 4);
    at += FRAME_HEAD;
    put_le(at, (uint32_t)(size << 3) | 1, BLOCK_HEAD);
    memcpy(at + BLOCK_HEAD, raw, size);
    return FRAME_HEAD + BLOCK_HEAD + size;
}

static void put_chunk(const struct recipe_piece *piece, uint64_t sequence) {
    static uint8_t raw[RECIPE_PAYLOAD_MAX], stored[RECIPE_PAYLOAD_MAX + FRAME_HEAD + BLOCK_HEAD];
    size_t size = piece->size;
    memcpy(raw, piece->payload, size);
    if ((piece->flags & RECIPE_REPEATED) != 0 && size > 0)
        for (; size + piece->size <= RECIPE_REPEATED_SIZE; size += piece->size)
            memcpy(raw + size, piece->payload, piece->size);
    struct vbt_chunk_header header = {.kind = piece->kind, .raw_size = (uint32_t)size, .sequence = sequence};
    if ((piece->flags & RECIPE_STORED) != 0 && size >= 2) {
        header.raw_size = (uint32_t)raw[0] | (uint32_t)raw[1] << 8;
        header.stored_size = (uint32_t)(size - 2);
        memcpy(stored, raw + 2, size - 2);
    } else {
        header.stored_size = (uint32_t)pack_frame(raw, size, stored);
    }
    header.raw_size += (piece->flags & RECIPE_RAW_SIZE) != 0;
    header.sequence += (piece->flags & RECIPE_SEQUENCE) != 0;
    uint8_t *out = append(VBT_CHUNK_HEADER_SIZE + header.stored_size);
    vbt_pack_chunk_header(&header, stored, out);
    memcpy(out + VBT_CHUNK_HEADER_SIZE, stored, header.stored_size);
    out[VBT_CHUNK_HEADER_SIZE - 1] ^= (piece->flags & RECIPE_CHECKSUM) != 0;
}

const uint8_t *recipe_trace(const struct recipe *recipe, size_t *size) {
    trace_size = 0;
    size_t first = 0;
    if (recipe->count > 0 && (recipe->pieces[0].flags & RECIPE_FILE_START) != 0) {
        first = 1;
        memcpy(append(recipe->pieces[0].size), recipe->pieces[0].payload, recipe->pieces[0].size);
    } else {
        vbt_pack_file_header(append(VBT_FILE_HEADER_SIZE));
    }
    for (size_t i = first; i < recipe->count; i++) {
        size_t before = trace_size;
        put_chunk(&recipe->pieces[i], i - first);
        if ((recipe->pieces[i].flags & RECIPE_CUT) != 0) {
            trace_size = before + (trace_size - before) / 2;
            break;
        }
    }
    *size = trace_size;
    return trace;
}
