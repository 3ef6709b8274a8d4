/* The headers of the file and of a chunk: packed as in FORMAT.md, checked when unpacked. */
#include "format/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const char stored[] = "what zstd made of the payload";

static void file_header_has_the_bytes_of_the_format(void **state) {
    (void)state;
    static const uint8_t expected[VBT_FILE_HEADER_SIZE] = {0x93, 'V', 'B', 'T', 0x0d, 0x0a, 0x1a, 0x0a, 1, 1, 8};
    uint8_t header[VBT_FILE_HEADER_SIZE];
    vbt_pack_file_header(header);
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        assert_memory_equal(header, expected, sizeof header);
    assert_null(vbt_check_file_header(header));
}

static void foreign_file_headers_are_refused(void **state) {
    (void)state;
    static const struct {
        int at;
        uint8_t value;
        const char *says;
    } changes[] = {
        {0, 0x94, "not a vbtrace trace"},
        {4, 0x0a, "not a vbtrace trace"},
        {7, 0x0d, "not a vbtrace trace"},
        {8, 0, "version 0"},
        {8, 2, "newer"},
        {8, 255, "newer"},
        {9, 0, "byte order"},
        {9, 3, "byte order"},
        {10, 4, "pointer size"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        uint8_t header[VBT_FILE_HEADER_SIZE];
        vbt_pack_file_header(header);
        header[changes[i].at] = changes[i].value;
        const char *problem = vbt_check_file_header(header);
        assert_non_null(problem);
        assert_non_null(strstr(problem, changes[i].says));
    }
}

static void the_other_byte_order_is_accepted(void **state) {
    (void)state;
    uint8_t header[VBT_FILE_HEADER_SIZE];
    vbt_pack_file_header(header);
    header[9] = 2;
    assert_null(vbt_check_file_header(header));
}

static void chunk_headers_round_trip(void **state) {
    (void)state;
    const struct vbt_chunk_header in = {.kind = VBT_CHUNK_TIMELINE,
                                        .stored_size = sizeof stored,
                                        .raw_size = VBT_CHUNK_RAW_MAX,
                                        .sequence = UINT64_C(0x1122334455667788)};
    uint8_t bytes[VBT_CHUNK_HEADER_SIZE];
    vbt_pack_chunk_header(&in, stored, bytes);

    static const uint8_t fixed[] = {'V', 'B', 'T', 'C', VBT_CHUNK_TIMELINE, 0, 0, 0, sizeof stored, 0, 0, 0, 0, 0, 0x10, 0};
    static const uint8_t sequence[] = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
    assert_memory_equal(bytes, fixed, sizeof fixed);
    assert_memory_equal(bytes + 16, sequence, sizeof sequence);

    struct vbt_chunk_header out;
    assert_null(vbt_unpack_chunk_header(bytes, &out));
    assert_int_equal(out.kind, in.kind);
    assert_int_equal(out.stored_size, in.stored_size);
    assert_int_equal(out.raw_size, in.raw_size);
    assert_int_equal(out.sequence, in.sequence);
    assert_int_equal(out.checksum, vbt_chunk_checksum(bytes, stored, sizeof stored));
}

static void an_unknown_kind_is_passed_on(void **state) {
    (void)state;
    const struct vbt_chunk_header in = {.kind = (enum vbt_chunk_kind)200};
    uint8_t bytes[VBT_CHUNK_HEADER_SIZE];
    vbt_pack_chunk_header(&in, "", bytes);
    struct vbt_chunk_header out;
    assert_null(vbt_unpack_chunk_header(bytes, &out));
    assert_int_equal(out.kind, 200);
}

/* The checksum must detect one flipped bit, in the header or in the stored bytes. */
static void every_flipped_bit_changes_the_checksum(void **state) {
    (void)state;
    const struct vbt_chunk_header in = {.kind = VBT_CHUNK_STRINGS, .stored_size = sizeof stored, .raw_size = 99, .sequence = 3};
    uint8_t header[VBT_CHUNK_HEADER_SIZE];
    uint8_t payload[sizeof stored];
    memcpy(payload, stored, sizeof stored);
    vbt_pack_chunk_header(&in, stored, header);
    uint64_t right = vbt_chunk_checksum(header, payload, sizeof payload);

    for (size_t bit = 0; bit < 8 * 24; bit++) {
        header[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_true(vbt_chunk_checksum(header, payload, sizeof payload) != right);
        header[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof payload; bit++) {
        payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_true(vbt_chunk_checksum(header, payload, sizeof payload) != right);
        payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(vbt_chunk_checksum(header, payload, sizeof payload), right);
}

/* XXH64 with seed 0 is fixed for ever; so is its value over a header of zeros, whatever its own
 * checksum field holds. */
static void the_checksum_is_xxh64_of_header_and_bytes(void **state) {
    (void)state;
    uint8_t header[VBT_CHUNK_HEADER_SIZE] = {0};
    uint64_t empty = vbt_chunk_checksum(header, "", 0);
    memset(header + 24, 0xff, 8);
    assert_int_equal(vbt_chunk_checksum(header, "", 0), empty);
    assert_int_equal(empty, UINT64_C(0xbb3302e8a9608868));
}

static void chunks_beyond_the_limits_are_refused(void **state) {
    (void)state;
    struct vbt_chunk_header out;
    uint8_t bytes[VBT_CHUNK_HEADER_SIZE];
    struct vbt_chunk_header in = {.kind = VBT_CHUNK_STATE};
    vbt_pack_chunk_header(&in, "", bytes);

    bytes[0] = 'X';
    assert_non_null(vbt_unpack_chunk_header(bytes, &out));
    bytes[0] = 'V';
    assert_null(vbt_unpack_chunk_header(bytes, &out));

    const uint32_t too_much_raw = VBT_CHUNK_RAW_MAX + 1;
    memcpy(bytes + 12, (uint8_t[]){(uint8_t)too_much_raw, 0, (uint8_t)(too_much_raw >> 16), 0}, 4);
    assert_non_null(vbt_unpack_chunk_header(bytes, &out));
    memset(bytes + 12, 0, 4);

    memset(bytes + 8, 0xff, 4);
    assert_non_null(vbt_unpack_chunk_header(bytes, &out));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_header_has_the_bytes_of_the_format),
        cmocka_unit_test(foreign_file_headers_are_refused),
        cmocka_unit_test(the_other_byte_order_is_accepted),
        cmocka_unit_test(chunk_headers_round_trip),
        cmocka_unit_test(an_unknown_kind_is_passed_on),
        cmocka_unit_test(every_flipped_bit_changes_the_checksum),
        cmocka_unit_test(the_checksum_is_xxh64_of_header_and_bytes),
        cmocka_unit_test(chunks_beyond_the_limits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
