/* See gzip.h. */
#include "gzip.h"

#include "analyzer/base/allocate.h"

#include <limits.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

enum { BUFFER = 1 << 16, GZIP_FORMAT = 16 };

struct vbt_gzip {
    FILE *out;
    z_stream stream;
    Bytef buffer[BUFFER];
};

struct vbt_gzip *vbt_gzip_new(FILE *out) {
    struct vbt_gzip *g = vbt_new(1, sizeof *g);
    g->out = out;
    if (deflateInit2(&g->stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + GZIP_FORMAT, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        vbt_out_of_memory();
    return g;
}

static void pump(struct vbt_gzip *g, int flush) {
    do {
        g->stream.next_out = g->buffer;
        g->stream.avail_out = BUFFER;
        deflate(&g->stream, flush);
        fwrite(g->buffer, 1, BUFFER - g->stream.avail_out, g->out);
    } while (g->stream.avail_out == 0);
}

void vbt_gzip_write(struct vbt_gzip *g, const char *bytes, size_t size) {
    while (size > 0) {
        uInt part = size < INT_MAX ? (uInt)size : INT_MAX;
        g->stream.next_in = (const Bytef *)bytes;
        g->stream.avail_in = part;
        pump(g, Z_NO_FLUSH);
        bytes += part;
        size -= part;
    }
}

void vbt_gzip_finish(struct vbt_gzip *g) {
    pump(g, Z_FINISH);
    deflateEnd(&g->stream);
    free(g);
}
