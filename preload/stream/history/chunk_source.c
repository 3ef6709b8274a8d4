/* See chunk_source.h. */
#include "chunk_source.h"

#include "preload/base/memory.h"
#include "preload/base/sys.h"

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

/* zstd calls these if they are defined anywhere: see writer.c. */
unsigned long long ZSTD_trace_decompress_begin(const struct ZSTD_DCtx_s *context);
unsigned long long ZSTD_trace_decompress_begin(const struct ZSTD_DCtx_s *context) {
    (void)context;
    return 0;
}
void ZSTD_trace_decompress_end(unsigned long long trace, const void *what);
void ZSTD_trace_decompress_end(unsigned long long trace, const void *what) {
    (void)trace;
    (void)what;
}

/* So much is read at a time, if a chunk is not larger. */
enum { BLOCK = 256 * 1024, BUFFER = VBT_CHUNK_HEADER_SIZE + VBT_CHUNK_STORED_MAX };

bool vbt_chunk_source_init(struct vbt_chunk_source *source, int fd) {
    source->fd = fd;
    source->size = 0;
    if (source->buffer == NULL)
        source->buffer = vbt_map_for_helper(BUFFER);
    if (source->raw == NULL)
        source->raw = vbt_map_for_helper(VBT_CHUNK_RAW_MAX);
    size_t size = ZSTD_estimateDCtxSize();
    if (source->work == NULL)
        source->work = vbt_map_for_helper(size);
    if (source->buffer == NULL || source->raw == NULL || source->work == NULL)
        return false;
    if (source->context == NULL)
        source->context = ZSTD_initStaticDCtx(source->work, size);
    return source->context != NULL;
}

/* `size` bytes of the file at an offset; NULL if there are fewer. */
static const uint8_t *bytes_at(struct vbt_chunk_source *source, uint64_t offset, uint64_t size) {
    if (offset < source->at || offset + size > source->at + source->size) {
        source->at = offset;
        source->size = 0;
        while (source->size < size) {
            uint64_t wanted = (size > BLOCK ? size : BLOCK) - source->size;
            long got = vbt_sys(SYS_pread64, source->fd, source->buffer + source->size, wanted, offset + source->size);
            if (vbt_sys_failed(got) || got == 0)
                return NULL;
            source->size += (uint64_t)got;
        }
    }
    return source->buffer + (offset - source->at);
}

const uint8_t *vbt_chunk_source_read(struct vbt_chunk_source *source, uint64_t offset, struct vbt_chunk_header *header) {
    const uint8_t *packed = bytes_at(source, offset, VBT_CHUNK_HEADER_SIZE);
    if (packed == NULL || vbt_unpack_chunk_header(packed, header) != NULL)
        return NULL;
    packed = bytes_at(source, offset, VBT_CHUNK_HEADER_SIZE + header->stored_size);
    if (packed == NULL || vbt_chunk_checksum(packed, packed + VBT_CHUNK_HEADER_SIZE, header->stored_size) != header->checksum)
        return NULL;
    return packed + VBT_CHUNK_HEADER_SIZE;
}

const uint8_t *vbt_chunk_source_unpack(struct vbt_chunk_source *source, const struct vbt_chunk_header *header,
                                       const uint8_t *stored) {
    size_t got = ZSTD_decompressDCtx(source->context, source->raw, VBT_CHUNK_RAW_MAX, stored, header->stored_size);
    return !ZSTD_isError(got) && got == header->raw_size ? source->raw : NULL;
}

void vbt_chunk_source_done(struct vbt_chunk_source *source) {
    vbt_drop(source->buffer, BUFFER);
    vbt_drop(source->raw, VBT_CHUNK_RAW_MAX);
    source->size = 0;
}
