/* The meaning of the fuzzer's bytes: a command line, and a trace that is assembled by the rules,
 * except where flags say otherwise.
 *
 *     u8 command line   an index into those of the harness
 *     u8 columns        of the terminal
 *     pieces            one per chunk: u8 kind, u8 flags, u16 little-endian size, the payload
 *
 * Payloads are packed with the right sizes and checksum, so that a changed byte reaches the
 * decoders; flags break the packing on purpose. Any bytes are a recipe: a short one is used as far
 * as it goes. */
#ifndef VBT_RECIPE_H
#define VBT_RECIPE_H

#include <stddef.h>
#include <stdint.h>

enum recipe_flag {
    RECIPE_CHECKSUM = 1,   /* wrong */
    RECIPE_RAW_SIZE = 2,   /* wrong */
    RECIPE_SEQUENCE = 4,   /* wrong */
    RECIPE_CUT = 8,        /* the file ends in the middle of the chunk */
    RECIPE_STORED = 16,    /* the payload is stored as it is, instead of a zstd frame; its first two bytes are the raw size */
    RECIPE_REPEATED = 32,  /* the payload is repeated up to RECIPE_REPEATED_SIZE */
    RECIPE_FILE_START = 64 /* the payload replaces the file's header; only in the first piece */
};

enum {
    RECIPE_HEAD = 2,
    RECIPE_PIECE_HEAD = 4,
    RECIPE_PIECES = 256,
    RECIPE_PAYLOAD_MAX = UINT16_MAX,
    RECIPE_REPEATED_SIZE = 1 << 13
};

struct recipe_piece {
    uint8_t kind, flags;
    const uint8_t *payload;
    size_t size;
};

struct recipe {
    uint8_t command, columns;
    struct recipe_piece pieces[RECIPE_PIECES];
    size_t count;
};

/* The payloads point into the bytes. */
void recipe_read(struct recipe *recipe, const uint8_t *bytes, size_t size);

/* Writes at most `capacity` bytes: pieces that do not fit are omitted. Returns how many were
 * written. */
size_t recipe_write(const struct recipe *recipe, uint8_t *bytes, size_t capacity);

/* The trace file, in memory that is valid until the next call. */
const uint8_t *recipe_trace(const struct recipe *recipe, size_t *size);

#endif
