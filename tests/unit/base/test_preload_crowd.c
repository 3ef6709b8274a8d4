/* When a table grows: not before half its entries were displaced, and only if that took few
 * allocations. */
#include "preload/base/crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { ENTRIES = 8, EACH = 32 }; /* allocations for each entry that was displaced */

/* Displaces so many entries; returns how often the table was to grow. */
static int displace(struct vbt_crowd *crowd, int times, uint64_t now) {
    int grown = 0;
    for (int i = 0; i < times; i++)
        grown += vbt_crowd_is_dense(crowd, ENTRIES, now);
    return grown;
}

static void half_of_the_entries_are_displaced_first(void **state) {
    (void)state;
    struct vbt_crowd crowd = {0};
    assert_int_equal(displace(&crowd, ENTRIES / 2 - 1, 0), 0);
    assert_int_equal(displace(&crowd, 1, 0), 1);
    assert_int_equal(displace(&crowd, ENTRIES / 2 - 1, 0), 0); /* counted anew */
    assert_int_equal(displace(&crowd, 1, 0), 1);
}

static void what_takes_many_allocations_is_rare(void **state) {
    (void)state;
    uint64_t few = EACH * (ENTRIES / 2) - 1;
    struct vbt_crowd crowd = {0};
    assert_int_equal(displace(&crowd, ENTRIES / 2, few), 1);
    assert_int_equal(displace(&crowd, ENTRIES / 2, few + few), 1);
    assert_int_equal(displace(&crowd, ENTRIES / 2, few + few + few + 1), 0);
    assert_int_equal(displace(&crowd, ENTRIES / 2, few + few + few + 2), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_the_entries_are_displaced_first),
        cmocka_unit_test(what_takes_many_allocations_is_rare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
