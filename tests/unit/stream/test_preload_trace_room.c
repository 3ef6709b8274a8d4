/* How many call paths a limit on the trace leaves room for. */
#include "preload/stream/trace_room.h"

#include "format/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct vbt_trace_size never = {0, 0};

static uint32_t room(uint64_t limit, uint64_t bytes, uint32_t nodes) {
    return vbt_trace_room(limit, (struct vbt_trace_size){bytes, nodes}, never);
}

static void at_first_it_is_a_guess(void **state) {
    (void)state;
    assert_int_equal(vbt_trace_room_at_first(64 * 1024), 16384);
    assert_int_equal(vbt_trace_room_at_first(UINT64_C(1) << 40), VBT_MAX_NODES);
    assert_int_equal(room(64 * 1024, 3000, 10), 16384); /* too little to estimate from */
}

/* Half of the limit may be filled. */
static void then_it_is_read_off_the_file(void **state) {
    (void)state;
    assert_in_range(room(1000000, 250000, 1000), 1998, 2000);       /* 250 bytes each */
    assert_in_range(room(1000000, 250000, 100000), 199998, 200000); /* 2.5 bytes each */
    assert_int_equal(room(1000000, 500000, 100), 100);
    assert_int_equal(room(1000000, 900000, 100), 100);
    assert_int_equal(room(UINT64_C(1) << 62, UINT64_C(1) << 36, 1 << 25), 1 << 25);
    assert_int_equal(room(UINT64_C(1) << 62, UINT64_C(1) << 30, 1 << 25), VBT_MAX_NODES);
}

/* What was appended since replaces what was there before. */
static void what_was_written_from_scratch_counts(void **state) {
    (void)state;
    struct vbt_trace_size now = {800000, 2000}, rewritten = {125000, 1000};
    assert_in_range(vbt_trace_room(1000000, now, rewritten), 3998, 4000);
    now.bytes = 200000; /* less than in proportion */
    assert_in_range(vbt_trace_room(1000000, now, rewritten), 4998, 5000);
    now = (struct vbt_trace_size){800000, 2002}; /* too many more to tell what they take */
    assert_int_equal(vbt_trace_room(1000000, now, rewritten), 2002);
}

/* Three times as many would seem to fit; more paths take more bytes each. */
static void an_estimate_reaches_twice_as_far(void **state) {
    (void)state;
    assert_int_equal(room(64 * 1024, 8192, 16384), 32768);
    assert_int_equal(room(64 * 1024, 8192, 65536), 131072);
    assert_int_equal(room(64 * 1024, 8192, 1000), 1000 + (32768 - 8192) * 1000 / 8193); /* of few, it is small anyway */
    assert_in_range(room(64 * 1024, 24576, 16384), 16384 + 5400, 16384 + 5500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_first_it_is_a_guess),
        cmocka_unit_test(then_it_is_read_off_the_file),
        cmocka_unit_test(what_was_written_from_scratch_counts),
        cmocka_unit_test(an_estimate_reaches_twice_as_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
