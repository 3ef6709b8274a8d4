/* See writer.h. */
#include "writer.h"

#include "preload/base/memory.h"
#include "preload/base/sys.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

/* zstd calls these if they are defined anywhere. Without these definitions, the program's might be
 * called. */
unsigned long long ZSTD_trace_compress_begin(const struct ZSTD_CCtx_s *context);
unsigned long long ZSTD_trace_compress_begin(const struct ZSTD_CCtx_s *context) {
    (void)context;
    return 0;
}
void ZSTD_trace_compress_end(unsigned long long trace, const void *what);
void ZSTD_trace_compress_end(unsigned long long trace, const void *what) {
    (void)trace;
    (void)what;
}

/* Tables are sized for chunks of this size: most are smaller, and larger tables would have to be
 * cleared for each. */
enum { HIGHEST_LEVEL = 3, TYPICAL_CHUNK = 128 * 1024, WINDOW_LOG = 20 };

/* The parameters of a level, the same for all sizes of chunks: only the window covers the
 * largest. */
static ZSTD_compressionParameters parameters_of(int level) {
    ZSTD_compressionParameters parameters = ZSTD_getCParams(level, TYPICAL_CHUNK, 0);
    parameters.windowLog = WINDOW_LOG;
    return parameters;
}

static void use_level(ZSTD_CCtx *context, int level) {
    ZSTD_compressionParameters with = parameters_of(level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1); /* the default, but not of a context in static memory */
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, (int)with.windowLog);
    ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, (int)with.hashLog);
    ZSTD_CCtx_setParameter(context, ZSTD_c_chainLog, (int)with.chainLog);
    ZSTD_CCtx_setParameter(context, ZSTD_c_searchLog, (int)with.searchLog);
    ZSTD_CCtx_setParameter(context, ZSTD_c_minMatch, (int)with.minMatch);
    ZSTD_CCtx_setParameter(context, ZSTD_c_targetLength, (int)with.targetLength);
    ZSTD_CCtx_setParameter(context, ZSTD_c_strategy, (int)with.strategy);
}

bool vbt_chunk_writer_init(struct vbt_chunk_writer *writer) {
    if (writer->context != NULL)
        return true;
    writer->fd = -1;
    writer->level = 1;
    static size_t size;
    if (size == 0)
        size = ZSTD_estimateCCtxSize_usingCParams(parameters_of(HIGHEST_LEVEL));
    if (writer->work == NULL)
        writer->work = vbt_map_for_helper(size);
    if (writer->raw == NULL)
        writer->raw = vbt_map_for_helper(VBT_CHUNK_RAW_MAX);
    if (writer->stored == NULL)
        writer->stored = vbt_map_for_helper(VBT_CHUNK_HEADER_SIZE + VBT_CHUNK_STORED_MAX);
    if (writer->work == NULL || writer->raw == NULL || writer->stored == NULL)
        return false;
    writer->context = ZSTD_initStaticCCtx(writer->work, size);
    return writer->context != NULL;
}

/* What a full disk has room for of it is taken back: the file ends with a whole chunk. */
static void append(struct vbt_chunk_writer *writer, const uint8_t *bytes, size_t size) {
    uint64_t before = writer->file_size;
    while (size > 0 && writer->error == 0) {
        long written = vbt_sys(SYS_write, writer->fd, bytes, size);
        if (vbt_sys_failed(written)) {
            writer->error = (int)-written;
        } else {
            bytes += written;
            size -= (size_t)written;
            writer->file_size += (uint64_t)written;
        }
    }
    if (size > 0 && writer->fd >= 0 && vbt_sys(SYS_ftruncate, writer->fd, before) == 0) {
        size += writer->file_size - before;
        writer->file_size = before;
    }
    writer->lost += size;
}

bool vbt_chunk_writer_open(struct vbt_chunk_writer *writer, const char *path) {
    long fd = path != NULL ? vbt_sys(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)
                           : vbt_sys(SYS_memfd_create, "vbtrace", MFD_CLOEXEC);
    writer->error = vbt_sys_failed(fd) ? (int)-fd : 0;
    writer->fd = writer->error != 0 ? -1 : (int)fd;
    writer->sequence = 0;
    writer->file_size = 0;
    uint8_t header[VBT_FILE_HEADER_SIZE];
    vbt_pack_file_header(header);
    append(writer, header, sizeof header);
    return writer->error == 0;
}

bool vbt_chunk_writer_reopen(struct vbt_chunk_writer *writer, const char *path) {
    long fd = vbt_sys(SYS_openat, AT_FDCWD, path, O_RDWR | O_APPEND | O_CLOEXEC, 0);
    struct stat now;
    writer->fd = -1;
    if (vbt_sys_failed(fd))
        return false;
    if (vbt_sys_failed(vbt_sys(SYS_fstat, fd, &now)) || (uint64_t)now.st_size != writer->file_size) {
        vbt_sys(SYS_close, fd);
        return false;
    }
    writer->fd = (int)fd;
    return true;
}

void vbt_chunk_writer_rewind(struct vbt_chunk_writer *writer, uint64_t file_size, uint64_t sequence) {
    if (writer->fd >= 0) {
        vbt_sys(SYS_ftruncate, writer->fd, file_size);
        vbt_sys(SYS_lseek, writer->fd, file_size, SEEK_SET);
    }
    writer->file_size = file_size;
    writer->sequence = sequence;
}

void vbt_chunk_writer_close(struct vbt_chunk_writer *writer) {
    if (writer->fd >= 0)
        vbt_sys(SYS_close, writer->fd);
    writer->fd = -1;
}

struct vbt_writer *vbt_chunk_begin(struct vbt_chunk_writer *writer) {
    writer->payload = (struct vbt_writer){writer->raw, writer->raw + VBT_CHUNK_RAW_MAX, false};
    return &writer->payload;
}

uint8_t *vbt_chunk_counted_begin(struct vbt_chunk_writer *writer) {
    uint8_t *start = writer->payload.at;
    writer->payload.at += VBT_VARINT_MAX;
    return start;
}

void vbt_chunk_counted_end(struct vbt_chunk_writer *writer, uint8_t *start, uint64_t count) {
    uint8_t *counted = start + VBT_VARINT_MAX;
    size_t size = (size_t)(writer->payload.at - counted);
    struct vbt_writer head = {start, counted, false};
    vbt_put_varint(&head, count);
    memmove(head.at, counted, size);
    writer->payload.at = head.at + size;
}

/* Appends what stands in the buffer, as the next chunk. */
static void append_stored(struct vbt_chunk_writer *writer, struct vbt_chunk_header header) {
    header.sequence = writer->sequence;
    vbt_pack_chunk_header(&header, writer->stored + VBT_CHUNK_HEADER_SIZE, writer->stored);
    append(writer, writer->stored, VBT_CHUNK_HEADER_SIZE + header.stored_size);
    writer->sequence++;
}

void vbt_chunk_end(struct vbt_chunk_writer *writer, enum vbt_chunk_kind kind) {
    size_t raw_size = (size_t)(writer->payload.at - writer->raw);
    uint8_t *stored = writer->stored + VBT_CHUNK_HEADER_SIZE;
    size_t size = 0;
    if (!writer->payload.overrun) {
        use_level(writer->context, writer->level);
        size = ZSTD_compress2(writer->context, stored, VBT_CHUNK_STORED_MAX, writer->raw, raw_size);
    }
    if (writer->payload.overrun || ZSTD_isError(size)) {
        writer->lost += raw_size;
        return;
    }
    const struct vbt_chunk_header header = {.kind = kind, .stored_size = (uint32_t)size, .raw_size = (uint32_t)raw_size};
    append_stored(writer, header);
}

void vbt_chunk_copy(struct vbt_chunk_writer *writer, const struct vbt_chunk_header *header, const uint8_t *stored) {
    memcpy(writer->stored + VBT_CHUNK_HEADER_SIZE, stored, header->stored_size);
    append_stored(writer, *header);
}
