/* The headers of a file and of a chunk as bytes: packed by the library, unpacked and checked by the
 * analyzer. */
#ifndef VBT_CHUNK_H
#define VBT_CHUNK_H

#include "format.h"

#include <stdbool.h>
#include <stddef.h>

struct vbt_chunk_header {
    enum vbt_chunk_kind kind; /* as stored; may be a kind that this version does not know */
    uint32_t stored_size;     /* bytes of the zstd frame */
    uint32_t raw_size;        /* bytes when decompressed */
    uint64_t sequence;
    uint64_t checksum;
};

void vbt_pack_file_header(uint8_t out[VBT_FILE_HEADER_SIZE]);

/* NULL if this version can read the header, else what is wrong with it, as a phrase. */
const char *vbt_check_file_header(const uint8_t in[VBT_FILE_HEADER_SIZE]);

/* Packs all fields but the checksum, which it computes over the packed header and the stored bytes,
 * and packs as well. */
void vbt_pack_chunk_header(const struct vbt_chunk_header *header, const void *stored, uint8_t out[VBT_CHUNK_HEADER_SIZE]);

/* NULL if magic and sizes are within limits, else what is wrong, as a phrase. The checksum is not
 * compared here, because the stored bytes have not been read yet. */
const char *vbt_unpack_chunk_header(const uint8_t in[VBT_CHUNK_HEADER_SIZE], struct vbt_chunk_header *out);

/* The checksum of a packed header and the stored bytes that follow it. */
uint64_t vbt_chunk_checksum(const uint8_t header[VBT_CHUNK_HEADER_SIZE], const void *stored, size_t stored_size);

#endif
