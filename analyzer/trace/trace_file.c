/* See trace_file.h. */
#include "trace_file.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/units.h"
#include "format/chunk_kinds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

char *vbt_trace_open(struct vbt_trace_file *file, const char *path) {
    memset(file, 0, sizeof *file);
    file->stream = fopen(path, "rb");
    if (file->stream == NULL)
        return vbt_text("cannot be opened: %s", strerror(errno));
    struct stat status;
    if (fstat(fileno(file->stream), &status) == 0 && S_ISDIR(status.st_mode))
        return vbt_text("is a directory; expected a trace (NAME.PID.vbt)");

    uint8_t *header = file->header;
    errno = 0;
    size_t got = fread(header, 1, VBT_FILE_HEADER_SIZE, file->stream);
    if (ferror(file->stream))
        return vbt_text("cannot be read: %s", strerror(errno));
    if (got == 0)
        return vbt_text("is empty; expected a trace");
    if (got < VBT_FILE_HEADER_SIZE)
        return vbt_text("not a vbtrace trace (%s, shorter than a trace's header of %d)", vbt_counted((int64_t)got, "byte").text,
                        VBT_FILE_HEADER_SIZE);
    const char *wrong = vbt_check_file_header(header);
    if (wrong != NULL)
        return vbt_text("%s", wrong);
    file->version = header[8];
    file->byte_order = header[9];
    file->offset = VBT_FILE_HEADER_SIZE;
    file->zstd = ZSTD_createDCtx();
    return file->zstd != NULL ? NULL : vbt_text("out of memory");
}

void vbt_trace_close(struct vbt_trace_file *file) {
    if (file->stream != NULL)
        fclose(file->stream);
    free(file->stored);
    free(file->raw);
    free(file->damage);
    ZSTD_freeDCtx(file->zstd);
    memset(file, 0, sizeof *file);
}

static bool damaged(struct vbt_trace_file *file, uint64_t offset, char *what) {
    free(file->damage);
    file->damage = what;
    file->damage_offset = offset;
    return false;
}

/* Reads `size` bytes; false, with the damage recorded, if there are fewer. */
static bool read_bytes(struct vbt_trace_file *file, void *into, size_t size, const char *what) {
    errno = 0;
    size_t got = fread(into, 1, size, file->stream);
    uint64_t at = file->offset + got;
    if (got < size && ferror(file->stream))
        return damaged(file, at, vbt_text("cannot be read: %s", strerror(errno)));
    if (got < size)
        return damaged(file, at, vbt_text("the file ends inside %s, after %zu of %zu bytes", what, got, size));
    file->offset = at;
    return true;
}

static bool decompress(struct vbt_trace_file *file, const struct vbt_chunk_header *header, uint64_t offset) {
    unsigned long long declared = ZSTD_getFrameContentSize(file->stored, header->stored_size);
    if (declared != header->raw_size)
        return damaged(file, offset,
                       vbt_text("the chunk's raw size is %" PRIu32 ", its zstd frame declares %s", header->raw_size,
                                declared > VBT_CHUNK_RAW_MAX ? "none, or one larger than any chunk's" : "another"));
    if (ZSTD_findFrameCompressedSize(file->stored, header->stored_size) != header->stored_size)
        return damaged(file, offset, vbt_text("expected one whole zstd frame of %" PRIu32 " bytes", header->stored_size));
    file->unpacked += header->raw_size;
    if (file->unpacked > VBT_UNPACKED_MIN + VBT_UNPACKED_RATIO * file->offset)
        return damaged(file, offset, vbt_text("unpacks to more than %u times its size, as no trace does", VBT_UNPACKED_RATIO));
    file->raw = vbt_grow(file->raw, &file->raw_capacity, header->raw_size, 1);
    size_t got = ZSTD_decompressDCtx(file->zstd, file->raw, header->raw_size, file->stored, header->stored_size);
    if (ZSTD_isError(got))
        return damaged(file, offset, vbt_text("the chunk cannot be decompressed: %s", ZSTD_getErrorName(got)));
    if (got != header->raw_size)
        return damaged(file, offset, vbt_text("expected %" PRIu32 " decompressed bytes, found %zu", header->raw_size, got));
    return true;
}

bool vbt_trace_next(struct vbt_trace_file *file, struct vbt_chunk *chunk) {
    if (file->damage != NULL)
        return false;
    int byte = getc(file->stream);
    if (byte == EOF && !ferror(file->stream))
        return false;
    if (byte != EOF)
        ungetc(byte, file->stream);

    uint8_t packed[VBT_CHUNK_HEADER_SIZE];
    uint64_t offset = file->offset;
    if (!read_bytes(file, packed, sizeof packed, "a chunk's header"))
        return false;
    const char *wrong = vbt_unpack_chunk_header(packed, &chunk->header);
    if (wrong != NULL)
        return damaged(file, offset, vbt_text("%s", wrong));
    const struct vbt_chunk_header *header = &chunk->header;
    if (header->sequence != file->sequence)
        return damaged(file, offset,
                       vbt_text("expected chunk %" PRIu64 ", found chunk %" PRIu64, file->sequence, header->sequence));

    file->stored = vbt_grow(file->stored, &file->stored_capacity, header->stored_size, 1);
    if (!read_bytes(file, file->stored, header->stored_size, "a chunk"))
        return false;
    uint64_t checksum = vbt_chunk_checksum(packed, file->stored, header->stored_size);
    if (checksum != header->checksum)
        return damaged(file, offset,
                       vbt_text("checksum %016" PRIx64 " expected, %016" PRIx64 " found", header->checksum, checksum));
    bool wanted = vbt_chunk_is_known((int)header->kind) && (file->kinds == 0 || (file->kinds >> header->kind & 1) != 0);
    if (wanted && !decompress(file, header, offset))
        return false;
    chunk->raw = wanted ? file->raw : NULL;
    chunk->offset = offset;
    chunk->stored = file->stored;
    file->sequence++;
    return true;
}
