/* Reading the encodings of .eh_frame: numbers, LEB128, pointers, and what happens at the end. */
#include "preload/native/native_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static uint8_t buffer[32];

static struct vbt_bytes bytes_of(const void *from, size_t size) {
    memcpy(buffer, from, size);
    return (struct vbt_bytes){buffer, buffer + size, false};
}

static void numbers_are_little_endian(void **state) {
    (void)state;
    struct vbt_bytes bytes = bytes_of("\x01\x02\x03\x04\x05\x06\x07\xf8\xff", 9);
    assert_int_equal(vbt_take_number(&bytes, 8), 0xf807060504030201);
    assert_int_equal(vbt_take_number(&bytes, 1), 0xff);
    assert_false(bytes.bad);
    assert_ptr_equal(bytes.at, bytes.end);
}

static void past_the_end_everything_is_0(void **state) {
    (void)state;
    struct vbt_bytes bytes = bytes_of("\x01\x02\x03", 3);
    assert_int_equal(vbt_take_number(&bytes, 4), 0);
    assert_true(bytes.bad);
    assert_ptr_equal(bytes.at, buffer); /* what is there is not taken either */
    assert_int_equal(vbt_take_number(&bytes, 1), 0);
    assert_int_equal(vbt_take_unsigned(&bytes), 0);
    assert_null(vbt_take(&bytes, 0));
    assert_true(vbt_take_part(&bytes, 0).bad);
}

static void leb128_is_seven_bits_a_byte(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        uint64_t plain;
        int64_t with_sign;
    } cases[] = {
        {"\x00", 0, 0},
        {"\x3f", 63, 63},
        {"\x40", 64, -64},
        {"\x7f", 127, -1},
        {"\x80\x01", 128, 128},
        {"\xff\x7e", 0x3f7f, -129},
        {"\xe5\x8e\x26", 624485, 624485},
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x40", UINT64_C(1) << 62, -(INT64_C(1) << 62)},
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", UINT64_C(1) << 63, INT64_MIN},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", UINT64_MAX, -1}, /* more than 64 bits */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].bytes) + (i == 0);
        struct vbt_bytes bytes = bytes_of(cases[i].bytes, size);
        assert_int_equal(vbt_take_unsigned(&bytes), cases[i].plain);
        assert_false(bytes.bad);
        assert_ptr_equal(bytes.at, bytes.end);
        bytes = bytes_of(cases[i].bytes, size);
        assert_int_equal(vbt_take_signed(&bytes), cases[i].with_sign);
        assert_ptr_equal(bytes.at, bytes.end);
    }
    struct vbt_bytes endless = bytes_of("\x80\x80", 2);
    vbt_take_unsigned(&endless);
    assert_true(endless.bad);
}

static void pointers_are_what_their_encoding_says(void **state) {
    (void)state;
    enum { DATA = 0x1000 };
    const uint64_t place = (uintptr_t)buffer;
    const struct {
        uint64_t expected;
        uint8_t encoding, size;
    } cases[] = {
        {0x82f4f3f2f1f0fff8, DW_EH_PE_absptr, 8},
        {0x82f4f3f2f1f0fff8, DW_EH_PE_udata8, 8},
        {0x82f4f3f2f1f0fff8, DW_EH_PE_sdata8, 8},
        {0xfff8, DW_EH_PE_udata2, 2},
        {(uint64_t)-8, DW_EH_PE_sdata2, 2},
        {0xf1f0fff8, DW_EH_PE_udata4, 4},
        {(uint64_t)(int32_t)0xf1f0fff8, DW_EH_PE_sdata4, 4},
        {0x78, DW_EH_PE_uleb128, 1},
        {(uint64_t)-8, DW_EH_PE_sleb128, 1},
        {place - 8, DW_EH_PE_pcrel | DW_EH_PE_sdata2, 2},
        {DATA - 8, DW_EH_PE_datarel | DW_EH_PE_sdata2, 2},
        {DATA + 0xfff8, DW_EH_PE_datarel | DW_EH_PE_udata2, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = cases[i].size == 1 ? "\x78" : "\xf8\xff\xf0\xf1\xf2\xf3\xf4\x82";
        struct vbt_bytes bytes = bytes_of(text, cases[i].size);
        assert_int_equal(vbt_take_pointer(&bytes, cases[i].encoding, DATA), cases[i].expected);
        assert_false(bytes.bad);
        assert_ptr_equal(bytes.at, bytes.end);
    }
}

static void encodings_that_are_not_for_code_are_bad(void **state) {
    (void)state;
    static const uint8_t encodings[] = {
        0x05, 0x0d, 0x0f, 0x20, 0x40, 0x50, DW_EH_PE_indirect, DW_EH_PE_indirect | DW_EH_PE_pcrel, DW_EH_PE_omit};
    for (size_t i = 0; i < sizeof encodings; i++) {
        struct vbt_bytes bytes = bytes_of("\x01\x02\x03\x04\x05\x06\x07\x08", 8);
        assert_int_equal(vbt_take_pointer(&bytes, encodings[i], 0), 0);
        assert_true(bytes.bad);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_little_endian),
        cmocka_unit_test(past_the_end_everything_is_0),
        cmocka_unit_test(leb128_is_seven_bits_a_byte),
        cmocka_unit_test(pointers_are_what_their_encoding_says),
        cmocka_unit_test(encodings_that_are_not_for_code_are_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
