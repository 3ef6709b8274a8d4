/* The integers and strings of the trace file: what is written is read back, and malformed input is
 * rejected. */
#include "format/varint.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct vbt_reader reader_of(const uint8_t *bytes, size_t size) {
    return (struct vbt_reader){.at = bytes, .end = bytes + size, .bad = false};
}

static struct vbt_writer writer_to(uint8_t *bytes, size_t size) {
    return (struct vbt_writer){.at = bytes, .end = bytes + size, .overrun = false};
}

/* Writes n, checks that the length is LEB128's, and reads it back. */
static void check_round_trip(uint64_t n) {
    uint8_t bytes[VBT_VARINT_MAX];
    struct vbt_writer w = writer_to(bytes, sizeof bytes);
    vbt_put_varint(&w, n);
    assert_false(w.overrun);

    size_t significant = n == 0 ? 1 : 64u - (size_t)__builtin_clzll(n);
    size_t size = (size_t)(w.at - bytes);
    assert_int_equal(size, (significant + 6) / 7);

    struct vbt_reader r = reader_of(bytes, size);
    assert_int_equal(vbt_get_varint(&r), n);
    assert_false(r.bad);
    assert_ptr_equal(r.at, r.end);
}

static void varints_round_trip(void **state) {
    (void)state;
    check_round_trip(0);
    check_round_trip(UINT64_MAX);
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t power = UINT64_C(1) << bit;
        check_round_trip(power - 1);
        check_round_trip(power);
        check_round_trip(power + 1);
    }
}

static void varints_have_the_bytes_of_the_format(void **state) {
    (void)state;
    static const uint8_t three_hundred[] = {0xac, 0x02};
    static const uint8_t greatest[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    uint8_t bytes[2 * VBT_VARINT_MAX];

    struct vbt_writer w = writer_to(bytes, sizeof bytes);
    vbt_put_varint(&w, 300);
    assert_int_equal(w.at - bytes, sizeof three_hundred);
    assert_memory_equal(bytes, three_hundred, sizeof three_hundred);

    w = writer_to(bytes, sizeof bytes);
    vbt_put_varint(&w, UINT64_MAX);
    assert_int_equal(w.at - bytes, sizeof greatest);
    assert_memory_equal(bytes, greatest, sizeof greatest);
}

static void check_bad_varint(const uint8_t *bytes, size_t size) {
    struct vbt_reader r = reader_of(bytes, size);
    assert_int_equal(vbt_get_varint(&r), 0);
    assert_true(r.bad);
    assert_ptr_equal(r.at, r.end);
}

static void overlong_varints_are_refused(void **state) {
    (void)state;
    /* The tenth byte may be 0 or 1: any other would be a 65th bit, or an eleventh byte. */
    static const uint8_t bit_65[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
    static const uint8_t eleven[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01};
    static const uint8_t endless[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    check_bad_varint(bit_65, sizeof bit_65);
    check_bad_varint(eleven, sizeof eleven);
    check_bad_varint(endless, sizeof endless);
}

static void padded_varints_within_ten_bytes_are_read(void **state) {
    (void)state;
    static const uint8_t padded[] = {0x85, 0x80, 0x00};
    struct vbt_reader r = reader_of(padded, sizeof padded);
    assert_int_equal(vbt_get_varint(&r), 5);
    assert_false(r.bad);
}

static void truncated_varints_are_refused(void **state) {
    (void)state;
    static const uint8_t cut[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    for (size_t size = 0; size <= sizeof cut; size++)
        check_bad_varint(cut, size);
}

static void a_bad_reader_stays_inside_and_stays_bad(void **state) {
    (void)state;
    static const uint8_t cut[] = {0x80};
    struct vbt_reader r = reader_of(cut, sizeof cut);
    vbt_get_varint(&r);
    size_t size = 99;
    assert_int_equal(vbt_get_varint(&r), 0);
    assert_int_equal(vbt_get_u64(&r), 0);
    assert_int_equal(vbt_get_zigzag(&r), 0);
    assert_non_null(vbt_get_string(&r, &size));
    assert_int_equal(size, 0);
    assert_true(r.bad);
    assert_ptr_equal(r.at, r.end);
}

static void zigzag_keeps_every_sign(void **state) {
    (void)state;
    assert_int_equal(vbt_zigzag(0), 0);
    assert_int_equal(vbt_zigzag(-1), 1);
    assert_int_equal(vbt_zigzag(1), 2);
    assert_int_equal(vbt_zigzag(-2), 3);
    assert_int_equal(vbt_zigzag(INT64_MAX), UINT64_MAX - 1);
    assert_int_equal(vbt_zigzag(INT64_MIN), UINT64_MAX);

    static const int64_t numbers[] = {0, 1, -1, 63, -64, 64, -65, INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint8_t bytes[VBT_VARINT_MAX];
        struct vbt_writer w = writer_to(bytes, sizeof bytes);
        vbt_put_zigzag(&w, numbers[i]);
        struct vbt_reader r = reader_of(bytes, (size_t)(w.at - bytes));
        assert_int_equal(vbt_get_zigzag(&r), numbers[i]);
        assert_false(r.bad);
    }
}

static void strings_round_trip(void **state) {
    (void)state;
    uint8_t bytes[64];
    struct vbt_writer w = writer_to(bytes, sizeof bytes);
    vbt_put_string(&w, "", 0);
    vbt_put_string(&w, "nul \0 inside", 12);
    assert_false(w.overrun);

    struct vbt_reader r = reader_of(bytes, (size_t)(w.at - bytes));
    size_t size = 99;
    assert_non_null(vbt_get_string(&r, &size));
    assert_int_equal(size, 0);
    const char *text = vbt_get_string(&r, &size);
    assert_int_equal(size, 12);
    assert_memory_equal(text, "nul \0 inside", 12);
    assert_false(r.bad);
}

static void a_string_longer_than_its_input_is_refused(void **state) {
    (void)state;
    static const uint8_t one_short[] = {3, 'a', 'b'};
    static const uint8_t wraps_a_pointer[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 'a'};
    size_t size = 99;

    struct vbt_reader r = reader_of(one_short, sizeof one_short);
    assert_non_null(vbt_get_string(&r, &size));
    assert_int_equal(size, 0);
    assert_true(r.bad);

    r = reader_of(wraps_a_pointer, sizeof wraps_a_pointer);
    assert_non_null(vbt_get_string(&r, &size));
    assert_int_equal(size, 0);
    assert_true(r.bad);
}

static void fixed_numbers_round_trip(void **state) {
    (void)state;
    static const uint8_t little_endian[] = {8, 7, 6, 5, 4, 3, 2, 1};
    uint8_t bytes[8];
    struct vbt_writer w = writer_to(bytes, sizeof bytes);
    vbt_put_u64(&w, UINT64_C(0x0102030405060708));
    assert_memory_equal(bytes, little_endian, 8);
    struct vbt_reader r = reader_of(bytes, 8);
    assert_int_equal(vbt_get_u64(&r), UINT64_C(0x0102030405060708));
    assert_false(r.bad);

    static const double numbers[] = {0.0, -0.0, 1.5, -1e300, 5e-324, INFINITY};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        w = writer_to(bytes, sizeof bytes);
        vbt_put_f64(&w, numbers[i]);
        r = reader_of(bytes, 8);
        double back = vbt_get_f64(&r);
        assert_memory_equal(&back, &numbers[i], sizeof back);
    }
}

static void fixed_numbers_cut_short_are_refused(void **state) {
    (void)state;
    static const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (size_t size = 0; size < 8; size++) {
        struct vbt_reader r = reader_of(bytes, size);
        assert_int_equal(vbt_get_u64(&r), 0);
        assert_true(r.bad);
    }
}

/* Into a buffer of every size, followed by guard bytes: either all fits, or the mark is set; the
 * guard never changes. */
static void a_full_writer_marks_and_stays_inside(void **state) {
    (void)state;
    for (size_t room = 0; room <= 48; room++) {
        uint8_t bytes[64];
        memset(bytes, 0xee, sizeof bytes);
        struct vbt_writer w = writer_to(bytes, room);
        vbt_put_varint(&w, UINT64_MAX);
        vbt_put_string(&w, "twelve bytes", 12);
        vbt_put_u64(&w, 1);
        assert_true(w.overrun == (room < VBT_VARINT_MAX + 1 + 12 + 8));
        assert_true(w.at <= w.end);
        for (size_t i = room; i < sizeof bytes; i++)
            assert_int_equal(bytes[i], 0xee);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varints_round_trip),
        cmocka_unit_test(varints_have_the_bytes_of_the_format),
        cmocka_unit_test(overlong_varints_are_refused),
        cmocka_unit_test(padded_varints_within_ten_bytes_are_read),
        cmocka_unit_test(truncated_varints_are_refused),
        cmocka_unit_test(a_bad_reader_stays_inside_and_stays_bad),
        cmocka_unit_test(zigzag_keeps_every_sign),
        cmocka_unit_test(strings_round_trip),
        cmocka_unit_test(a_string_longer_than_its_input_is_refused),
        cmocka_unit_test(fixed_numbers_round_trip),
        cmocka_unit_test(fixed_numbers_cut_short_are_refused),
        cmocka_unit_test(a_full_writer_marks_and_stays_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
