/* See chunk.h. */
#include "chunk.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { AT_KIND = 4, AT_STORED = 8, AT_RAW = 12, AT_SEQUENCE = 16, AT_CHECKSUM = 24 };

static void put_le(uint8_t *out, uint64_t n, int bytes) {
    for (int i = 0; i < bytes; i++)
        out[i] = (uint8_t)(n >> (8 * i));
}

static uint64_t get_le(const uint8_t *in, int bytes) {
    uint64_t n = 0;
    for (int i = 0; i < bytes; i++)
        n |= (uint64_t)in[i] << (8 * i);
    return n;
}

void vbt_pack_file_header(uint8_t out[VBT_FILE_HEADER_SIZE]) {
    memset(out, 0, VBT_FILE_HEADER_SIZE);
    memcpy(out, VBT_FILE_MAGIC, 8);
    out[8] = VBT_FILE_VERSION;
    out[9] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 1 : 2;
    out[10] = sizeof(void *);
}

const char *vbt_check_file_header(const uint8_t in[VBT_FILE_HEADER_SIZE]) {
    if (memcmp(in, VBT_FILE_MAGIC, 8) != 0)
        return "not a vbtrace trace (the first 8 bytes differ)";
    if (in[8] == 0)
        return "not a vbtrace trace (version 0 of the format does not exist)";
    if (in[8] > VBT_FILE_VERSION)
        return "made by a newer vbtrace than this one";
    if ((in[9] != 1 && in[9] != 2) || in[10] != 8)
        return "byte order or pointer size that no supported machine has";
    return NULL;
}

uint64_t vbt_chunk_checksum(const uint8_t header[VBT_CHUNK_HEADER_SIZE], const void *stored, size_t stored_size) {
    XXH64_state_t state;
    XXH64_reset(&state, 0);
    XXH64_update(&state, header, AT_CHECKSUM);
    XXH64_update(&state, stored, stored_size);
    return XXH64_digest(&state);
}

void vbt_pack_chunk_header(const struct vbt_chunk_header *header, const void *stored, uint8_t out[VBT_CHUNK_HEADER_SIZE]) {
    memset(out, 0, VBT_CHUNK_HEADER_SIZE);
    memcpy(out, VBT_CHUNK_MAGIC, 4);
    out[AT_KIND] = (uint8_t)header->kind;
    put_le(out + AT_STORED, header->stored_size, 4);
    put_le(out + AT_RAW, header->raw_size, 4);
    put_le(out + AT_SEQUENCE, header->sequence, 8);
    put_le(out + AT_CHECKSUM, vbt_chunk_checksum(out, stored, header->stored_size), 8);
}

const char *vbt_unpack_chunk_header(const uint8_t in[VBT_CHUNK_HEADER_SIZE], struct vbt_chunk_header *out) {
    if (memcmp(in, VBT_CHUNK_MAGIC, 4) != 0)
        return "no chunk starts here";
    out->kind = in[AT_KIND];
    out->stored_size = (uint32_t)get_le(in + AT_STORED, 4);
    out->raw_size = (uint32_t)get_le(in + AT_RAW, 4);
    out->sequence = get_le(in + AT_SEQUENCE, 8);
    out->checksum = get_le(in + AT_CHECKSUM, 8);
    if (out->raw_size > VBT_CHUNK_RAW_MAX || out->stored_size > VBT_CHUNK_STORED_MAX)
        return "a chunk larger than any that is written";
    return NULL;
}
