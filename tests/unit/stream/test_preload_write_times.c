/* When the helper writes what has changed. */
#include "preload/stream/write_times.h"

#include "preload/base/clock.h"
#include "preload/process/process.h"
#include "preload/shared/options.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { MS = 1000 * 1000 };

static const int64_t second = 1000 * MS;

/* Uses as much processor time as a share needs to have room for a cost. */
static void earn(int64_t cost) {
    while (vbt_clock_read(CLOCK_PROCESS_CPUTIME_ID) < 400 * cost)
        ;
}

static void a_young_program_pays_for_it(void **state) {
    (void)state;
    enum { COST = MS / 20 };
    vbt_write_times_after_fork();
    assert_false(vbt_write_is_due(10 * MS, 10 * MS, second)); /* 400 s of processor time */
    assert_false(vbt_write_is_due(900 * MS, 10 * MS, second));
    earn(COST);
    assert_true(vbt_write_is_due(10 * MS, 10 * MS, COST));
    vbt_write_book(10 * MS, second);
    assert_int_equal(vbt_write_latest_cost(), second);
    assert_false(vbt_write_is_due(20 * MS, 20 * MS, COST));
}

static void where_room_is_limited_a_young_one_is_like_others(void **state) {
    (void)state;
    vbt_write_times_after_fork();
    vbt_options.max_trace = 1 << 20;
    assert_true(vbt_write_is_due(10 * MS, 10 * MS, second));
    vbt_options.max_trace = 0;
}

static void later_time_pays_for_it(void **state) {
    (void)state;
    vbt_write_times_after_fork();
    assert_true(vbt_write_is_due(second, second, 10 * MS));
    vbt_write_book(second, 9 * MS); /* a hundredth of 900 ms */
    assert_true(vbt_write_is_due(second + 1, second + 1, 0));
    vbt_write_book(second, 10 * MS);
    assert_false(vbt_write_is_due(second + 900 * MS - 1, second + 900 * MS - 1, 0));
    assert_true(vbt_write_is_due(second + 900 * MS, second + 900 * MS, 0));
    vbt_write_book(2 * second, 0); /* 10 of the 19 ms have been made up for */
    assert_true(vbt_write_is_due(2 * second, 2 * second, 0));
}

static void what_is_written_first_is_made_up_for_before(void **state) {
    (void)state;
    vbt_write_times_after_fork();
    assert_false(vbt_write_is_due(second, second, 20 * MS));
    assert_true(vbt_write_is_due(second, second - 1, 20 * MS)); /* nothing changes any more */
    assert_false(vbt_write_is_due(2 * second - 1, 2 * second - 1, 20 * MS));
    assert_true(vbt_write_is_due(2 * second, 2 * second, 20 * MS));
    assert_false(vbt_write_is_due(3 * second - 1, 3 * second - 1, second));
    assert_true(vbt_write_is_due(3 * second, 3 * second, second));
}

static void rest_does_not_wait(void **state) {
    (void)state;
    vbt_write_times_after_fork();
    vbt_write_book(second, second);
    assert_false(vbt_write_is_due(second + 50 * MS, second + 50 * MS, 0));
    assert_false(vbt_write_is_due(second + 50 * MS - 1, second, 0));
    assert_true(vbt_write_is_due(second + 50 * MS, second, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_young_program_pays_for_it), cmocka_unit_test(where_room_is_limited_a_young_one_is_like_others),
        cmocka_unit_test(later_time_pays_for_it),      cmocka_unit_test(what_is_written_first_is_made_up_for_before),
        cmocka_unit_test(rest_does_not_wait),
    };
    world_init();
    vbt_process_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
