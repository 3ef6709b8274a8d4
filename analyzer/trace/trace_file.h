/* A trace file as a stream of checked, decompressed chunks. Needs memory for one chunk, whatever
 * the file claims. */
#ifndef VBT_TRACE_FILE_H
#define VBT_TRACE_FILE_H

#include "format/chunk.h"

#include <stdio.h>

struct vbt_trace_file {
    FILE *stream;
    uint8_t header[VBT_FILE_HEADER_SIZE];
    uint8_t version;
    uint8_t byte_order; /* of the traced machine: 1 little, 2 big */
    uint64_t offset;    /* of the next unread byte */
    uint64_t sequence;  /* of the next chunk */
    uint64_t unpacked;  /* bytes of all chunks so far */
    uint64_t kinds;     /* set by the caller: only chunks of these kinds are unpacked, as bits; 0: all that are known */
    uint8_t *stored;
    size_t stored_capacity;
    uint8_t *raw;
    size_t raw_capacity;
    void *zstd;
    char *damage; /* NULL, or why nothing after the last chunk was read */
    uint64_t damage_offset;
};

struct vbt_chunk {
    struct vbt_chunk_header header;
    uint64_t offset;       /* of the chunk's header in the file */
    const uint8_t *stored; /* header.stored_size bytes, valid until the next call */
    const uint8_t *raw;    /* header.raw_size bytes, valid until the next call; NULL if the kind is unknown or not wanted */
};

/* Opens a file and checks its header. Returns NULL, or what is wrong with it as a sentence without
 * the file's name, for the caller to free. */
char *vbt_trace_open(struct vbt_trace_file *file, const char *path);

/* Reads the next chunk. False at the end of the file, and at damage, which sets file->damage. */
bool vbt_trace_next(struct vbt_trace_file *file, struct vbt_chunk *chunk);

void vbt_trace_close(struct vbt_trace_file *file);

#endif
