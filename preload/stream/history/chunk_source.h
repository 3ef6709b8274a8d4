/* Reads chunks of the trace that is being written, back from its file. For the helper only. */
#ifndef VBT_CHUNK_SOURCE_H
#define VBT_CHUNK_SOURCE_H

#include "format/chunk.h"

struct vbt_chunk_source {
    int fd;
    uint64_t at, size; /* what of the file is in the buffer */
    uint8_t *buffer, *raw, *work;
    void *context; /* of zstd, in `work` */
};

/* Maps the buffers, unless they are there. fd: open for reading. False when there is no memory. */
bool vbt_chunk_source_init(struct vbt_chunk_source *source, int fd);

/* The chunk at an offset: its header, and the stored bytes, valid until the next call. NULL if it
 * cannot be read, or is none. */
const uint8_t *vbt_chunk_source_read(struct vbt_chunk_source *source, uint64_t offset, struct vbt_chunk_header *header);

/* The payload of a chunk that was just read, valid until the next call; NULL if it is damaged. */
const uint8_t *vbt_chunk_source_unpack(struct vbt_chunk_source *source, const struct vbt_chunk_header *header,
                                       const uint8_t *stored);

/* What was read is no longer needed: returns the memory. */
void vbt_chunk_source_done(struct vbt_chunk_source *source);

#endif
