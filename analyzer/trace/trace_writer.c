/* See trace_writer.h. */
#include "trace_writer.h"

#include "analyzer/base/allocate.h"
#include "preload/shared/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { LEVEL = 3 };

static void put(struct vbt_trace_writer *w, const void *bytes, size_t size) {
    errno = 0;
    if (w->error == 0 && fwrite(bytes, 1, size, w->stream) < size)
        w->error = errno != 0 ? errno : EIO;
}

void vbt_trace_writer_open(struct vbt_trace_writer *w, const char *path, mode_t mode, const uint8_t header[VBT_FILE_HEADER_SIZE]) {
    *w = (struct vbt_trace_writer){.path = vbt_copy(path, strlen(path)), .part = vbt_text("%s.%d.part", path, (int)getpid())};
    w->raw = vbt_new(1, VBT_CHUNK_RAW_MAX);
    w->stored_capacity = ZSTD_compressBound(VBT_CHUNK_RAW_MAX);
    w->stored = vbt_new(1, w->stored_capacity);
    struct stat status;
    w->in_place = stat(path, &status) == 0 && !S_ISREG(status.st_mode);
    int fd = w->in_place ? open(path, O_WRONLY | O_CLOEXEC) : open(w->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    w->stream = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (w->stream == NULL || (!w->in_place && fchmod(fd, mode & 07777) != 0))
        w->error = errno;
    put(w, header, VBT_FILE_HEADER_SIZE);
}

void vbt_trace_writer_copy(struct vbt_trace_writer *w, const struct vbt_chunk_header *header, const void *stored) {
    struct vbt_chunk_header fresh = *header;
    uint8_t packed[VBT_CHUNK_HEADER_SIZE];
    fresh.sequence = w->sequence++;
    vbt_pack_chunk_header(&fresh, stored, packed);
    put(w, packed, sizeof packed);
    put(w, stored, header->stored_size);
}

struct vbt_writer *vbt_trace_writer_begin(struct vbt_trace_writer *w) {
    w->payload = (struct vbt_writer){.at = w->raw, .end = w->raw + VBT_CHUNK_RAW_MAX};
    return &w->payload;
}

void vbt_trace_writer_end(struct vbt_trace_writer *w, enum vbt_chunk_kind kind) {
    size_t raw = (size_t)(w->payload.at - w->raw);
    size_t stored = ZSTD_compress(w->stored, w->stored_capacity, w->raw, raw, LEVEL);
    if (w->payload.overrun || ZSTD_isError(stored))
        w->error = w->error != 0 ? w->error : EOVERFLOW;
    else
        vbt_trace_writer_copy(
            w, &(struct vbt_chunk_header){.kind = kind, .stored_size = (uint32_t)stored, .raw_size = (uint32_t)raw}, w->stored);
}

int vbt_trace_writer_finish(struct vbt_trace_writer *w) {
    bool made = w->stream != NULL;
    if (made) {
        if (w->error == 0 && (fflush(w->stream) != 0 || (!w->in_place && fsync(fileno(w->stream)) != 0)))
            w->error = errno;
        if (fclose(w->stream) != 0 && w->error == 0)
            w->error = errno;
        if (w->error == 0 && !w->in_place)
            w->error = vbt_destination_replace(w->part, w->path);
        if (w->error != 0 && !w->in_place)
            unlink(w->part);
    }
    int error = w->error;
    free(w->path);
    free(w->part);
    free(w->raw);
    free(w->stored);
    *w = (struct vbt_trace_writer){0};
    return error;
}
