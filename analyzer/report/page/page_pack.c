/* See page_pack.h. */
#include "page_pack.h"

#include <limits.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

enum { BUFFER = 1 << 16 };

struct vbt_page_pack {
    z_stream stream;
    struct vbt_text_buffer text;
    uint8_t rest[3]; /* bytes that are not a whole group yet */
    size_t rest_count;
    Bytef buffer[BUFFER];
};

struct vbt_page_pack *vbt_page_pack_begin(void) {
    struct vbt_page_pack *pack = vbt_new(1, sizeof *pack);
    if (deflateInit2(&pack->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        vbt_out_of_memory();
    return pack;
}

/* Up to three bytes as four characters. */
static void put_group(struct vbt_text_buffer *text, const uint8_t *bytes, size_t count) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t group = (uint32_t)bytes[0] << 16 | (count > 1 ? (uint32_t)bytes[1] << 8 : 0) | (count > 2 ? bytes[2] : 0);
    char four[4];
    for (int i = 0; i < 4; i++)
        four[i] = (size_t)i <= count ? digits[group >> (18 - 6 * i) & 63] : '=';
    vbt_buffer_bytes(text, four, sizeof four);
}

static void put_bytes(struct vbt_page_pack *pack, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        pack->rest[pack->rest_count++] = bytes[i];
        if (pack->rest_count == 3) {
            put_group(&pack->text, pack->rest, 3);
            pack->rest_count = 0;
        }
    }
}

static void pump(struct vbt_page_pack *pack, int flush) {
    do {
        pack->stream.next_out = pack->buffer;
        pack->stream.avail_out = BUFFER;
        deflate(&pack->stream, flush);
        put_bytes(pack, pack->buffer, BUFFER - pack->stream.avail_out);
    } while (pack->stream.avail_out == 0);
}

void vbt_page_pack_add(struct vbt_page_pack *pack, const void *bytes, size_t size) {
    const Bytef *at = bytes;
    while (size > 0) {
        uInt part = size < INT_MAX ? (uInt)size : INT_MAX;
        pack->stream.next_in = at;
        pack->stream.avail_in = part;
        pump(pack, Z_NO_FLUSH);
        at += part;
        size -= part;
    }
}

struct vbt_text_buffer vbt_page_pack_end(struct vbt_page_pack *pack) {
    pump(pack, Z_FINISH);
    deflateEnd(&pack->stream);
    if (pack->rest_count > 0)
        put_group(&pack->text, pack->rest, pack->rest_count);
    struct vbt_text_buffer text = pack->text;
    free(pack);
    return text;
}
