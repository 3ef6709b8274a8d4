/* Writes a trace next to the one it replaces, and moves it into place when it is complete. */
#ifndef VBT_TRACE_WRITER_H
#define VBT_TRACE_WRITER_H

#include "format/chunk.h"
#include "format/varint.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct vbt_trace_writer {
    char *path, *part; /* the file's final name, and its name while it is written */
    bool in_place;     /* the path is not a regular file, and cannot be replaced: a device, a pipe */
    FILE *stream;
    uint64_t sequence;
    struct vbt_writer payload; /* of the chunk in progress */
    uint8_t *raw, *stored;
    size_t stored_capacity;
    int error; /* errno of the first failure, or VBT_NO_FILE */
};

/* header: the file's. Failures are reported by vbt_trace_writer_finish. */
void vbt_trace_writer_open(struct vbt_trace_writer *writer, const char *path, mode_t mode,
                           const uint8_t header[VBT_FILE_HEADER_SIZE]);

/* Appends a chunk as it is stored in another trace. */
void vbt_trace_writer_copy(struct vbt_trace_writer *writer, const struct vbt_chunk_header *header, const void *stored);

/* Between these two calls the payload, of at most VBT_CHUNK_RAW_MAX bytes, is written through the
 * returned writer. */
struct vbt_writer *vbt_trace_writer_begin(struct vbt_trace_writer *writer);
void vbt_trace_writer_end(struct vbt_trace_writer *writer, enum vbt_chunk_kind kind);

/* Moves the file into place. Returns 0, or the errno of the failure or VBT_NO_FILE; the path is
 * then as it was before. */
int vbt_trace_writer_finish(struct vbt_trace_writer *writer);

#endif
