/* Writes a trace beside the one it is to replace, and puts it in its place when it is whole. */
#ifndef VBT_TRACE_WRITER_H
#define VBT_TRACE_WRITER_H

#include "format/chunk.h"
#include "format/varint.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct vbt_trace_writer {
    char *path, *part; /* the file's name in the end, and until then */
    bool in_place;     /* what stands at the path is no file that could be replaced: a device, a pipe */
    FILE *stream;
    uint64_t sequence;
    struct vbt_writer payload; /* of the chunk that is being made */
    uint8_t *raw, *stored;
    size_t stored_capacity;
    int error; /* error number of the first thing that failed, or VBT_NO_FILE */
};

/* header: of the file. Failures are told by vbt_trace_writer_finish. */
void vbt_trace_writer_open(struct vbt_trace_writer *writer, const char *path, mode_t mode,
                           const uint8_t header[VBT_FILE_HEADER_SIZE]);

/* Appends a chunk as it was stored in another trace. */
void vbt_trace_writer_copy(struct vbt_trace_writer *writer, const struct vbt_chunk_header *header, const void *stored);

/* Between these two the payload, of at most VBT_CHUNK_RAW_MAX bytes, is put through the returned writer. */
struct vbt_writer *vbt_trace_writer_begin(struct vbt_trace_writer *writer);
void vbt_trace_writer_end(struct vbt_trace_writer *writer, enum vbt_chunk_kind kind);

/* Puts the file into its place: 0, or the error number of what failed, or VBT_NO_FILE, and then what was at the path is as it was. */
int vbt_trace_writer_finish(struct vbt_trace_writer *writer);

#endif
