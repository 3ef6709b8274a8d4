/* Writes chunks to a file: compressed, checksummed, numbered, appended. For the helper only. */
#ifndef VBT_CHUNK_WRITER_H
#define VBT_CHUNK_WRITER_H

#include "format/chunk.h"
#include "format/varint.h"

struct vbt_chunk_writer {
    int fd;    /* -1: none */
    int error; /* error number of the first write that failed, or VBT_NO_FILE; nothing is written from then on */
    int level; /* of zstd */
    uint64_t sequence;
    uint64_t file_size;
    uint64_t lost;             /* bytes not written */
    struct vbt_writer payload; /* of the chunk being made */
    uint8_t *raw, *stored, *work;
    void *context; /* of zstd, in `work` */
};

/* Maps the buffers, unless they are there, and creates the context, unless there is one. False when
 * there is no memory. */
bool vbt_chunk_writer_init(struct vbt_chunk_writer *writer);

/* Opens (and truncates) a file, for reading too, and writes the header; path NULL: a file in
 * memory, without a name. False, with error set, if that fails. */
bool vbt_chunk_writer_open(struct vbt_chunk_writer *writer, const char *path);

/* Opens a file that was written before, to append to it; false, with fd -1, if it has changed
 * since. */
bool vbt_chunk_writer_reopen(struct vbt_chunk_writer *writer, const char *path);

/* Takes back what was written since the file had this size and its next chunk this number. */
void vbt_chunk_writer_rewind(struct vbt_chunk_writer *writer, uint64_t file_size, uint64_t sequence);

void vbt_chunk_writer_close(struct vbt_chunk_writer *writer);

/* Begins a chunk: its payload is put through the returned writer. */
struct vbt_writer *vbt_chunk_begin(struct vbt_chunk_writer *writer);

/* For a count that is known only after what it counts: leaves room for it, and returns where. */
uint8_t *vbt_chunk_counted_begin(struct vbt_chunk_writer *writer);

/* Puts the count there. What was put since moves up to it, since a padded varint would be
 * overlong. */
void vbt_chunk_counted_end(struct vbt_chunk_writer *writer, uint8_t *start, uint64_t count);

/* Ends it: compresses and appends. A payload that overran the buffer, or a failed write, is counted
 * in lost. */
void vbt_chunk_end(struct vbt_chunk_writer *writer, enum vbt_chunk_kind kind);

/* Appends a chunk of another file as it is stored there. */
void vbt_chunk_copy(struct vbt_chunk_writer *writer, const struct vbt_chunk_header *header, const uint8_t *stored);

#endif
